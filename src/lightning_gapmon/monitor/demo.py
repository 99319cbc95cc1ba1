"""Train a small classifier on few digits until it memorises them, and see what the monitor says.

    gapmon demo [--max-epochs 60] [--folder runs/demo] [--stop "Budget.eager()"]

The model is a plain network on 100 of scikit-learn's 8x8 digits, or on as many noisy patterns
where scikit-learn is not installed. Its train loss goes to zero while its validation loss rises:
the monitor stops it, puts the best weights back and says why.
"""

import argparse
import logging
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from lightning_gapmon import Budget, GapMonitor, GapMonitorMixin
from lightning_gapmon.analysis.rules.expression import parse_rule
from lightning_gapmon.monitor.packages import PACKAGE

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer, seed_everything
    from lightning.pytorch.loggers import TensorBoardLogger
else:
    _pl = import_module(PACKAGE)
    LightningModule, Trainer, seed_everything = (
        _pl.LightningModule,
        _pl.Trainer,
        _pl.seed_everything,
    )
    TensorBoardLogger = _pl.loggers.TensorBoardLogger

FEW = 100
Loader = DataLoader[tuple[torch.Tensor, ...]]
NOISE = 0.6  # of a pixel: patterns overlap, as handwritten digits do


class Classifier(GapMonitorMixin, LightningModule):
    """A network with far more weights than the data has digits."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)
        )

    def loss_step(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Compute one loss a digit."""
        x, y = batch
        return functional.cross_entropy(self.net(x), y, reduction="none")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Use a plain Adam."""
        return torch.optim.Adam(self.parameters(), lr=1e-2)


def loaders() -> tuple[Loader, Loader]:
    """Load samples to train on, which are few, and samples to validate with."""
    parts = _digits() if find_spec("sklearn") else _patterns()
    train, val = TensorDataset(*parts[:2]), TensorDataset(*parts[2:])
    return DataLoader(train, batch_size=16, shuffle=True), DataLoader(val, batch_size=512)


def _digits() -> list[torch.Tensor]:
    """Split handwritten digits of 8 x 8 pixels: pixels and digits of either side."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - it need not be there
    from sklearn.model_selection import train_test_split  # noqa: PLC0415

    x, y = load_digits(return_X_y=True)
    some, rest, *labels = train_test_split(x / 16, y, train_size=FEW, stratify=y, random_state=0)
    pixels = (torch.tensor(part, dtype=torch.float32) for part in (some, rest))
    digits = (torch.tensor(part, dtype=torch.long) for part in labels)
    return [part for side in zip(pixels, digits, strict=True) for part in side]


def _patterns() -> list[torch.Tensor]:
    """Draw ten patterns of 64 pixels, each many times under noise, split likewise."""
    dice = torch.Generator().manual_seed(0)
    y = torch.randint(10, (1800,), generator=dice)
    patterns = torch.rand(10, 64, generator=dice)
    x = patterns[y] + NOISE * torch.randn(len(y), 64, generator=dice)
    return [x[:FEW], y[:FEW], x[FEW:], y[FEW:]]


def main(arguments: Sequence[str] | None = None) -> GapMonitor:
    """Train, watched."""
    parser = argparse.ArgumentParser(description="Train a small classifier until it memorises.")
    parser.add_argument("--max-epochs", type=int, default=60)
    parser.add_argument("--folder", default="runs/demo")
    parser.add_argument("--stop", type=parse_rule, default=Budget().lr_aware())
    parser.add_argument("--accelerator", default="cpu")
    parser.add_argument("--devices", type=int, default=1)
    settings = parser.parse_args(arguments)
    logging.getLogger(f"{PACKAGE}.utilities.rank_zero").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=FutureWarning, module=PACKAGE)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")

    torch.set_num_threads(1)  # on a busy machine more of them wait for each other at each step
    seed_everything(0)
    monitor = GapMonitor(stop=settings.stop, restore_best=True, probe=4)
    trainer = Trainer(
        max_epochs=settings.max_epochs,
        accelerator=settings.accelerator,
        devices=settings.devices,
        logger=TensorBoardLogger(settings.folder, name=None),
        callbacks=[monitor],
        log_every_n_steps=5,
        enable_model_summary=False,
    )
    train, val = loaders()
    trainer.fit(Classifier(), train, val)
    return monitor


if __name__ == "__main__":
    main()
