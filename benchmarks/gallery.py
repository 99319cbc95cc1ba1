"""Train small real models, each set up to show something, and print what was diagnosed.

    python benchmarks/gallery.py [--only NAME] [--save CURVES.json]

Needs scikit-learn for its data sets; takes a few minutes on one core.
"""

import argparse
import json
import logging
import warnings
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from sklearn import datasets
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset, TensorDataset

from lightning_gapmon import Diagnosis, GapMonitor, GapMonitorMixin, diagnose, find_overlap
from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.verdicts.alarm import TOLD_LIVE

DIGITS = 6  # of a stored loss


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A run, and the verdicts that fit what was set up.

    Attributes:
        name: What it is.
        data: Name of the data set in scikit-learn.
        expected: The verdicts that a reader of its two curves would give, the best first.
        why: What such a reader sees.
        hidden: Sizes of the hidden layers.
        epochs: How long it trains.
        train_size: Training samples, or None for 70 % of the data.
        optimiser: Name of the optimiser in torch.
        lr: Learning rate.
        decay: Weight decay.
        dropout: Share of the hidden units that are dropped.
        label_noise: Share of the training labels that are drawn anew.
        jitter: Noise on the training inputs, drawn anew at each reading.
        leak: Share of the validation samples that are in training too.
        features: How many of the inputs there are, or None for all.
        blind: Whether the inputs say nothing.
        likelihood: Whether a regression predicts its own variance: a loss without a zero.
        probe: Training batches that are read again in eval mode.
        seed: Of everything random.
    """

    name: str
    data: str
    expected: tuple[str, ...]
    why: str
    hidden: tuple[int, ...] = (32,)
    epochs: int = 60
    train_size: int | None = None
    optimiser: str = "Adam"
    lr: float = 2e-3
    decay: float = 0.0
    dropout: float = 0.0
    label_noise: float = 0.0
    jitter: float = 0.0
    leak: float = 0.0
    features: int | None = None
    blind: bool = False
    likelihood: bool = False
    probe: int | None = None
    seed: int = 0


FINE = {"expected": ("good_fit",), "why": "both come down far and end near each other"}
TINY_GAP = {"expected": ("good_fit",), "why": "both end tiny beside where they began"}
ROSE = {"expected": ("overfitting",), "why": "validation comes up while train goes to zero"}
LEAKED = {"expected": ("leakage_suspected",), "why": "validation samples are in training"}
NOTHING = {
    "expected": ("underfitting",),
    "why": "validation never gets below what guessing costs, and train hardly",
}
BROKEN = {"expected": ("non_finite", "diverging"), "why": "the first steps blow up"}
SETUPS = (
    Setup(name="healthy", data="digits", **TINY_GAP),
    Setup(name="healthy, SGD", data="digits", optimiser="SGD", lr=0.1, **TINY_GAP),
    Setup(
        name="dropout",
        data="digits",
        hidden=(128,),
        dropout=0.5,
        lr=1e-3,
        epochs=30,
        probe=8,
        **TINY_GAP,
    ),
    Setup(name="augmentation", data="digits", jitter=0.5, hidden=(64,), **TINY_GAP),
    Setup(
        name="label noise, too big",
        data="digits",
        hidden=(256,),
        label_noise=0.3,
        **ROSE,
    ),
    Setup(
        name="tiny data with label noise",
        data="digits",
        hidden=(256,),
        train_size=100,
        label_noise=0.2,
        epochs=150,
        **ROSE,
    ),
    Setup(
        name="tiny data",
        data="digits",
        hidden=(256,),
        train_size=60,
        epochs=150,
        expected=("overfitting",),
        why="train goes to zero far below validation, which has stopped",
    ),
    Setup(
        name="small data, SGD",
        data="digits",
        hidden=(256,),
        train_size=150,
        optimiser="SGD",
        lr=0.1,
        epochs=80,
        expected=("overfitting",),
        why="train goes to zero far below validation, which has stopped",
    ),
    Setup(
        name="one hidden unit",
        data="digits",
        hidden=(1,),
        lr=3e-2,
        epochs=150,
        **FINE,  # that they could end lower, no curve shows
    ),
    Setup(
        name="five pixels",
        data="digits",
        hidden=(),
        features=5,
        lr=1e-2,
        **FINE,
    ),
    Setup(
        name="two pixels",
        data="digits",
        hidden=(),
        features=2,
        lr=2e-2,
        epochs=40,
        expected=("leakage_suspected",),
        why="the curves halt soon, a sixth below guessing; two pixels are often the same",
    ),
    Setup(
        name="inputs say nothing",
        data="digits",
        hidden=(),
        blind=True,
        lr=1e-3,
        decay=0.1,
        **NOTHING,
    ),
    Setup(
        name="learning rate too high",
        data="digits",
        optimiser="SGD",
        lr=300.0,
        **BROKEN,
    ),
    Setup(
        name="learning rate at its limit",
        data="digits",
        hidden=(64, 64),
        lr=0.1,
        epochs=40,
        expected=("diverging",),
        why="both fall at first and come up again",
    ),
    Setup(
        name="leak",
        data="digits",
        hidden=(256,),
        label_noise=0.3,
        leak=0.3,
        probe=8,
        expected=("overfitting",),
        why="it leaks too little to hide the rise",
    ),
    Setup(
        name="all of validation leaked",
        data="digits",
        leak=1.0,
        probe=8,
        **LEAKED,
    ),
    Setup(
        name="stopped too early",
        data="digits",
        epochs=6,
        expected=("learning",),
        why="each check is lower than the one before, by a seventh at the end",
    ),
    Setup(name="healthy", data="breast_cancer", hidden=(), lr=5e-3, epochs=30, **FINE),
    Setup(
        name="too big, too long",
        data="breast_cancer",
        hidden=(256, 256),
        epochs=100,
        train_size=150,
        **ROSE,
    ),
    Setup(
        name="label noise",
        data="breast_cancer",
        hidden=(256,),
        label_noise=0.2,
        epochs=100,
        **ROSE,
    ),
    Setup(
        name="weight decay",
        data="breast_cancer",
        hidden=(64,),
        optimiser="AdamW",
        decay=5.0,
        **FINE,
    ),
    Setup(name="healthy", data="wine", hidden=(16,), **FINE, epochs=100),
    Setup(
        name="tiny data with label noise",
        data="wine",
        hidden=(256,),
        train_size=40,
        label_noise=0.3,
        epochs=200,
        **ROSE,
    ),
    Setup(
        name="all of validation leaked",
        data="wine",
        leak=1.0,
        epochs=100,
        probe=4,
        **LEAKED,
    ),
    Setup(name="linear", data="diabetes", hidden=(), lr=5e-3, **FINE, epochs=100),
    Setup(name="too big", data="diabetes", hidden=(256, 256), epochs=150, **ROSE),
    Setup(
        name="too big, dropout",
        data="diabetes",
        hidden=(64,),
        dropout=0.5,
        decay=1e-2,
        probe=4,
        **FINE,
    ),
    Setup(
        name="inputs say nothing",
        data="diabetes",
        hidden=(),
        blind=True,
        lr=1e-3,
        **NOTHING,
    ),
    Setup(
        name="learning rate too high",
        data="diabetes",
        hidden=(64,),
        optimiser="SGD",
        lr=5.0,
        **BROKEN,
    ),
    Setup(
        name="too big, likelihood",
        data="diabetes",
        hidden=(256,),
        likelihood=True,
        epochs=100,
        **ROSE,
    ),
)


class Jittered(Dataset[tuple[Tensor, Tensor]]):
    """Training samples with noise drawn anew at each reading."""

    def __init__(self, x: Tensor, y: Tensor, size: float) -> None:
        self.x, self.y, self.size = x, y, size

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.x[index] + self.size * torch.randn_like(self.x[index]), self.y[index]


class Net(GapMonitorMixin, LightningModule):
    """Some layers, and the loss that fits the task."""

    def __init__(self, setup: Setup, inputs: int, outputs: int) -> None:
        super().__init__()
        self.setting, self.outputs = setup, outputs
        layers: list[nn.Module] = []
        for size in setup.hidden:
            layers += [nn.Linear(inputs, size), nn.ReLU(), nn.Dropout(setup.dropout)]
            inputs = size
        self.net = nn.Sequential(*layers, nn.Linear(inputs, outputs))

    def loss_step(self, batch: list[Tensor]) -> Tensor:
        """Give one loss a sample."""
        x, y = batch
        found: Tensor = self.net(x)
        if self.outputs == 1:
            return (found[:, 0] - y).square()
        if self.setting.likelihood:
            scale = 1e-3 + nn.functional.softplus(found[:, 1])
            return scale.log() + 0.5 * ((found[:, 0] - y) / scale).square()
        return cross_entropy(found, y, reduction="none")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Make the optimiser of the setup."""
        kind: type[torch.optim.Adam] = getattr(torch.optim, self.setting.optimiser)
        return kind(self.parameters(), lr=self.setting.lr, weight_decay=self.setting.decay)


def load(setup: Setup) -> tuple[Tensor, Tensor]:
    """Load a data set, its inputs and any numbers to predict standardised."""
    x, y = getattr(datasets, f"load_{setup.data}")(return_X_y=True)
    inputs = torch.tensor(x, dtype=torch.float32)
    inputs = (inputs - inputs.mean(0)) / (inputs.std(0) + 1e-6)
    if setup.data == "diabetes":
        targets = torch.tensor(y, dtype=torch.float32)
        return inputs, (targets - targets.mean()) / targets.std()
    return inputs, torch.tensor(y)


def split(setup: Setup) -> tuple[TensorDataset, TensorDataset]:
    """Split a data set and do to it what the setup says."""
    x, y = load(setup)
    dice = torch.Generator().manual_seed(setup.seed)
    if setup.features:
        x = x[:, x.var(0) > 0][:, :: x.shape[1] // setup.features][:, : setup.features]
    if setup.blind:
        x = torch.randn(x.shape, generator=dice)
    order = torch.randperm(len(x), generator=dice)
    size = int(0.7 * len(x))
    train, val = order[: setup.train_size or size], order[size:]
    wrong = torch.rand(len(train), generator=dice) < setup.label_noise
    labels = y[train].clone()
    labels[wrong] = labels[torch.randperm(len(labels), generator=dice)][wrong]
    leaked = int(setup.leak * len(val))
    mixed = torch.cat([train[:leaked], val[leaked:]])
    answers = torch.cat([labels[:leaked], y[val[leaked:]]])
    return TensorDataset(x[train], labels), TensorDataset(x[mixed], answers)


def baseline(targets: Tensor, setup: Setup) -> float:
    """Loss of always predicting the class frequencies, or the mean."""
    if setup.likelihood:
        return float("nan")
    if targets.is_floating_point():
        return targets.var(correction=0).item()
    shares = targets.bincount() / len(targets)
    return -(shares * shares.log()).nansum().item()


def run(setup: Setup) -> tuple[History, Diagnosis, int, float]:
    """Train a setup, diagnose it with all that is known, and count the changes while it ran."""
    seed_everything(setup.seed, verbose=False)
    train, val = split(setup)
    x, y = train.tensors
    outputs = int(y.max()) + 1 if not y.is_floating_point() else 1 + setup.likelihood
    monitor = GapMonitor(stop=None, checkpoint=False, probe=setup.probe, summary=False)
    seen: Dataset[Any] = Jittered(x, y, setup.jitter) if setup.jitter else train
    trainer = Trainer(
        max_epochs=setup.epochs,
        callbacks=[monitor],
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(
        Net(setup, x.shape[1], outputs),
        DataLoader(seen, batch_size=32, shuffle=True),
        DataLoader(val, batch_size=256),
    )
    trivial = baseline(y, setup)
    overlap = find_overlap(train, val)
    history = monitor.history
    known = {"baseline": trivial, "overlap": overlap}
    alarms = [
        diagnose(history[:n], **known, live=True).verdict for n in range(1, len(history) + 1)
    ]
    told = [verdict for verdict in alarms if verdict in TOLD_LIVE]
    changes = sum(a != b for a, b in pairwise(told))
    return history, diagnose(history, **known), changes, trivial


def main() -> None:
    """Print the table, and keep the curves if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="part of the names to run")
    parser.add_argument("--save", type=Path, help="where to write the curves")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    logging.getLogger("lightning_gapmon").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    kept, fits = [], 0
    chosen = [setup for setup in SETUPS if arguments.only in f"{setup.data}: {setup.name}"]
    print("| set up | judged | fits | told live | in words |\n|---|---|---|---|---|")
    for setup in chosen:
        history, found, changes, trivial = run(setup)
        name = f"{setup.data}: {setup.name}"
        right = found.verdict in setup.expected
        fits += right
        print(
            f"| {name} | {found.verdict} {found.form or ''} | {'yes' if right else 'NO'} "
            f"| {changes} | {found.message} |",
            flush=True,
        )
        kept.append(stored(name, setup, history, trivial))
    print(f"\n{fits} of {len(chosen)} diagnosed as set up")
    if arguments.save:
        arguments.save.write_text("[\n" + ",\n".join(map(json.dumps, kept)) + "\n]\n")


def stored(name: str, setup: Setup, history: History, trivial: float) -> dict[str, Any]:
    """Write a run as its rounded curves."""
    curves = {
        column: [float(f"{loss:.{DIGITS}g}") for loss in getattr(history, column)]
        for column in ("train", "val")
    }
    return {"name": name, "expected": setup.expected, "baseline": round(trivial, 4), **curves}


if __name__ == "__main__":
    main()
