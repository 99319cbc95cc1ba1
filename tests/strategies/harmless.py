"""The same training with and without the monitor; all that it could disturb is written down."""

import copy
import hashlib
import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch import callbacks
from tests.strategies.witness import write
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics import MeanMetric

from lightning_gapmon import GapCheckpoint, GapMonitor

SAMPLES, EPOCHS = 23, 3
# What the monitor is given, for each of its options; `None` is a run without it.
OPTIONS: dict[str, dict[str, Any] | None] = {
    "without": None,
    "default": {},
    "train": {"train": "train_loss"},
    "val": {"val": "val_loss"},
    "loader": {"loader": 0},
    "is_loss": {"train": "train_loss", "is_loss": True},
    "batch_size": {"batch_size": lambda batch: len(batch[0])},
    "checkpoint": {"checkpoint": GapCheckpoint(save_top_k=2, save_last=True)},
    "no checkpoint": {"checkpoint": False},
    "probe": {"probe": 2},
    "probe share": {"probe": "50%"},
    "leakage": {"leakage": 100},
    "baseline": {"baseline": 1.0},
    "prog_bar": {"prog_bar": True},
    "summary": {"summary": False},
    "publish": {"publish": False},
    "on_verdict": {"on_verdict": str},
    "overlay": {"overlay": "runs"},
    "everything": {"probe": 2, "leakage": 100, "baseline": 1.0, "prog_bar": True},
}
CROSSED = ("without", "default", "everything")  # each option alone goes without averaging
AVERAGING = ("none", "EMA before", "EMA after", "SWA before", "SWA after")


class Net(pl.LightningModule):
    """A module with dropout, batch norm, a metric and a liking for random numbers."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 1)
        )
        self.metric = MeanMetric()
        self.seen: list[object] = []

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Draw from each of the three generators."""
        x, y = batch
        x = x + 0.1 * torch.randn_like(x) + 0.01 * random.random() + 0.01 * np.random.rand()  # noqa: NPY002, S311
        loss = nn.functional.mse_loss(self.net(x), y)
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch: list[Tensor], *_: int) -> None:
        """Log a loss and a metric."""
        x, y = batch
        loss = nn.functional.mse_loss(self.net(x), y)
        self.metric.update(loss)
        self.log("val_loss", loss, sync_dist=True)
        self.log("val_metric", self.metric)

    def on_validation_epoch_end(self) -> None:
        """Look at the metric before Lightning resets it."""
        self.seen.append(repr(self.metric.metric_state))

    def on_train_epoch_start(self) -> None:
        """Look at the generators while it trains."""
        self.seen.append(generators())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Take Adam: it has a memory."""
        return torch.optim.Adam(self.parameters(), lr=0.05)


class Users(pl.loggers.CSVLogger):
    """A logger that keeps what it is given, in order, without what is ours."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, name="logs", version="")
        self.given: list[object] = []

    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
        """Keep the user's own values."""
        own = {name: value for name, value in metrics.items() if not is_ours(name)}
        if own and set(own) != {"epoch"}:
            self.given.append([step, own])


def is_ours(name: str) -> bool:
    """Tell whether the monitor logs under this name."""
    return name.startswith("Loss/")


def generators() -> list[str]:
    """Give the state of each random generator, as a digest."""
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()  # noqa: NPY002
    return [hashlib.sha256(repr(_plain(state)).encode()).hexdigest() for state in states]


def _plain(state: Any) -> Any:  # noqa: ANN401 - each library has its own
    if isinstance(state, (Tensor, np.ndarray)):
        return state.tolist()
    return [_plain(part) for part in state] if isinstance(state, tuple) else state


def averaged(kind: str, monitor: list[pl.Callback]) -> list[pl.Callback]:
    """Put an averaging callback before or after the monitor."""
    if kind == "none":
        return monitor
    name, place = kind.split()
    other: pl.Callback = callbacks.StochasticWeightAveraging(swa_lrs=0.01, swa_epoch_start=2)
    if name == "EMA":
        other = callbacks.EMAWeightAveraging(decay=0.9)
    return [other, *monitor] if place == "before" else [*monitor, other]


def samples() -> TensorDataset:
    """Make samples of a linear rule."""
    x = torch.randn(SAMPLES, 4, generator=torch.Generator().manual_seed(1))
    return TensorDataset(x, x.sum(1, keepdim=True))


def loaders() -> tuple[Any, Any]:
    """Make a loader of each side."""
    return DataLoader(samples(), 3, shuffle=True), DataLoader(samples(), 4)


def fit(
    folder: Path,
    options: dict[str, Any] | None,
    averaging: str,
    ranks: int,
    *,
    kind: Callable[[], Any] = Net,
    loaders: Callable[[], tuple[Any, Any]] = loaders,
    monitor: type[GapMonitor] = GapMonitor,
    **settings: Any,  # noqa: ANN401 - a Trainer's own
) -> list[object]:
    """Train, and give all that must not depend on the monitor."""
    pl.seed_everything(3, verbose=False)
    random.seed(3)
    net, logger = kind(), Users(folder)
    ours: list[pl.Callback] = []
    if options is not None:
        ours = [monitor(**({"stop": None} | copy.deepcopy(options)))]
    given = {"max_epochs": EPOCHS, "log_every_n_steps": 1, "gradient_clip_val": 1.0, **settings}
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=ranks,
        strategy="ddp" if ranks > 1 else "auto",
        callbacks=[*averaged(averaging, ours), *given.pop("callbacks", ())],
        logger=logger,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        **given,
    )
    trainer.fit(net, *loaders())
    metrics = {n: v.item() for n, v in trainer.callback_metrics.items() if not is_ours(n)}
    weights = {name: value.tolist() for name, value in net.state_dict().items()}
    seen = net.seen if isinstance(net, Net) else net.noted
    return [weights, metrics, seen, logger.given, generators(), trainer.global_step]


def fit_all(folder: Path, averagings: Iterable[str], ranks: int, rank: int = 0) -> None:
    """Train with each option under each averaging, and write it all down."""
    found = {
        averaging: {
            name: json.dumps(fit(folder / name, options, averaging, ranks))
            for name, options in OPTIONS.items()
            if averaging == "none" or name in CROSSED
        }
        for averaging in averagings
    }
    write(folder / "harmless", f"rank{rank}", found)
