"""Small modules and short fits, and the losses that a module really had, kept by itself."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from lightning_gapmon import GapMonitor, GapMonitorMixin

QUIET: dict[str, Any] = {
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "accelerator": "cpu",
    "log_every_n_steps": 1,
}


class Bare(LightningModule):
    """Its loss on a sample is the sample's value times a weight that begins at one."""

    def __init__(self, lr: float = 0.01) -> None:
        super().__init__()
        self.lr = lr
        self.weight = nn.Parameter(torch.ones(()))
        self.heard: dict[str, list[list[float]]] = {"train": [], "val": []}

    def losses(self, batch: list[Tensor]) -> Tensor:
        """Give one loss a sample and write down what they were, in order."""
        losses = batch[0] * self.weight
        if not self.trainer.sanity_checking and self.trainer.state.fn == "fit":
            self.heard["train" if self.training else "val"].append(losses.tolist())
        return losses

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Move the weight a little at each step."""
        return torch.optim.SGD(self.parameters(), lr=self.lr)


class Net(GapMonitorMixin, Bare):
    """Gives the mixin one loss a sample."""

    def loss_step(self, batch: Any) -> Any:  # noqa: ANN401 - other batches and losses below it
        """Give one loss a sample."""
        return self.losses(batch)


class Logging(Bare):
    """Logs its mean losses under two names, and returns nothing from validation."""

    def __init__(self, train: str = "train_loss", val: str = "val_loss", **log: Any) -> None:  # noqa: ANN401 - whatever `self.log` takes
        super().__init__()
        self.names, self.settings = (train, val), log

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Log the mean."""
        loss = self.losses(batch).mean()
        self.log(self.names[0], loss, **self.settings)
        return loss

    def validation_step(self, batch: list[Tensor], *_: int) -> None:
        """Log the mean."""
        self.log(self.names[1], self.losses(batch).mean(), **self.settings)


class Scripted(GapMonitorMixin, LightningModule):
    """Its validation losses are those of a script, one entry a validation; train losses are 1."""

    def __init__(self, script: Sequence[float]) -> None:
        super().__init__()
        self.script, self.at = list(script), 0
        self.weight = nn.Parameter(torch.zeros(()))

    def loss_step(self, batch: list[Tensor]) -> Tensor:
        """Give the script's entry for each sample."""
        value = 1.0 if self.training else self.script[self.at % len(self.script)]
        return torch.full((len(batch[0]),), value) + 0 * self.weight

    def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
        """Log the loss under a name of its own, for Lightning's own callbacks."""
        loss = super().validation_step(batch)
        self.log("val_loss", loss)
        return loss

    def on_validation_end(self) -> None:
        """Turn the page."""
        if not self.trainer.sanity_checking and self.trainer.state.fn == "fit":
            self.at += 1

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Move the weight by one at each step, so that it tells the step."""
        return Counting(self.parameters())


class Counting(torch.optim.SGD):
    """Adds one to each parameter at each step, whatever the gradient."""

    def __init__(self, params: Iterator[nn.Parameter]) -> None:
        super().__init__(params, lr=1.0)

    @torch.no_grad()
    def step(self, closure: Callable[[], float]) -> float:  # type: ignore[override]
        """Compute the loss, then count."""
        with torch.enable_grad():
            loss = closure()
        for parameter in self.param_groups[0]["params"]:
            parameter.add_(1)
        return loss


class Marks(Callback):
    """Notes how many batches a module had seen at each of its validations, by side."""

    def __init__(self) -> None:
        self.at: list[dict[str, int]] = [{"train": 0, "val": 0}]

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note it."""
        if not trainer.sanity_checking:
            heard: dict[str, list[list[float]]] = pl_module.heard  # type: ignore[assignment]
            self.at.append({side: len(batches) for side, batches in heard.items()})

    def means(self, heard: dict[str, list[list[float]]], side: str) -> list[float]:
        """Give the mean over the samples of each window, by plain arithmetic."""
        windows = zip(self.at, self.at[1:], strict=False)
        return [mean(heard[side][a[side] : b[side]]) for a, b in windows]


class Stream(IterableDataset[tuple[Tensor]]):
    """Values that come one after the other, as many as there are."""

    def __init__(self, values: Tensor) -> None:
        self.values = values

    def __iter__(self) -> Iterator[tuple[Tensor]]:
        """Give one after the other."""
        return ((value,) for value in self.values)


def mean(batches: Sequence[Sequence[float]]) -> float:
    """Mean over samples, added without rounding on the way."""
    values = [value for batch in batches for value in batch]
    return math.fsum(values) / len(values)


def values(count: int, seed: int = 0) -> Tensor:
    """Draw positive values of very different sizes."""
    return torch.rand(count, generator=torch.Generator().manual_seed(seed)) ** 4 + 0.01


def loader(data: Tensor | int, batch_size: int = 4) -> DataLoader[tuple[Tensor, ...]]:
    """Serve values, or so many drawn ones, in their order."""
    drawn = values(data, seed=data) if isinstance(data, int) else data
    return DataLoader(TensorDataset(drawn), batch_size=batch_size)


def trainer(folder: Path, *callbacks: object, **settings: Any) -> Trainer:  # noqa: ANN401 - whatever a Trainer takes
    """Make a Trainer that prints nothing and leaves nothing behind unless it is told to."""
    return Trainer(
        callbacks=list(callbacks),  # type: ignore[arg-type]
        default_root_dir=folder,
        **{**QUIET, "max_epochs": 3, **settings},
    )


def fit(
    module: LightningModule,
    folder: Path,
    *callbacks: object,
    train: Any = 10,  # noqa: ANN401 - a number of values, the values, or whatever serves
    val: Any = 7,  # noqa: ANN401
    ckpt_path: str | None = None,
    **settings: Any,  # noqa: ANN401 - whatever a Trainer takes
) -> GapMonitor:
    """Fit a module and hand back the monitor that watched it: the one given, or a new one."""
    monitors = [one for one in callbacks if isinstance(one, GapMonitor)]
    monitor = monitors[0] if monitors else GapMonitor(summary=False)
    others = callbacks if monitors else (*callbacks, monitor)
    sides = [loader(data) if isinstance(data, (int, Tensor)) else data for data in (train, val)]
    trainer(folder, *others, **settings).fit(module, sides[0], sides[1], ckpt_path=ckpt_path)
    return monitor


def watched(
    module: Bare,
    folder: Path,
    monitor: GapMonitor | None = None,
    **settings: Any,  # noqa: ANN401 - for the Trainer
) -> GapMonitor:
    """Fit on unequal batches and compare both sides with plain arithmetic."""
    marks = Marks()
    watching = fit(module, folder, monitor or GapMonitor(summary=False), marks, **settings)
    for side in ("train", "val"):
        found = list(getattr(watching.history, side))

        assert found == pytest.approx(marks.means(module.heard, side), rel=1e-6)
    return watching
