"""What a module logs as a metric: its own value is the loss, whatever batches it is made of."""

import math
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from tests.fits import Bare, fit, loader
from torch import Tensor
from torchmetrics import MeanMetric, MeanSquaredError, Metric


class Updating(Bare):
    """Updates metrics and logs the objects, without asking for a batch's own value."""

    def __init__(self, train: Metric, val: Metric) -> None:
        super().__init__()
        self.on_train, self.on_val = train, val

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Update the metric and log it."""
        losses = self.losses(batch)
        self.on_train.update(losses.detach(), batch[0])
        self.log("train_loss", self.on_train, on_step=False, on_epoch=True)
        return losses.mean()

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        """Update the metric and log it."""
        self.on_val.update(self.losses(batch), batch[0])
        self.log("val_loss", self.on_val, on_step=False, on_epoch=True)


class Shown(Callback):
    """Keeps what Lightning shows of a module's own metrics."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep it."""
        self.seen.append(float(trainer.callback_metrics["val_loss"]))


def test_a_mean_that_is_updated_and_logged(tmp_path: Path) -> None:
    """Its own weights count, here each sample's value, on both sides and as Lightning's does."""
    module, shown = Updating(MeanMetric(), MeanMetric()), Shown()
    monitor = fit(module, tmp_path, shown, num_sanity_val_steps=0)

    assert list(monitor.history.val) == pytest.approx(shown.seen, rel=1e-6)
    drawn = torch.cat([batch[0] for batch in loader(10)]).double()
    first = torch.tensor([x for batch in module.heard["train"][:3] for x in batch]).double()
    expected = float((first * drawn).sum() / drawn.sum())
    assert monitor.history.train[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("loaders", [1, 2])
def test_what_a_metric_computes_is_the_loss(loaders: int, tmp_path: Path) -> None:
    """A root of a mean is no mean of roots: the value is that of all batches together."""

    class Both(Updating):
        def __init__(self, train: Metric, val: Metric) -> None:
            super().__init__(train, val)
            self.second: Metric = MeanSquaredError(squared=False)

        def validation_step(self, batch: list[Tensor], _: int, dataloader_idx: int = 0) -> None:
            metric = self.second if dataloader_idx else self.on_val
            metric.update(self.losses(batch), 0 * batch[0])
            self.log("val_loss", metric, on_step=False, on_epoch=True)

    module = Both(MeanSquaredError(), MeanSquaredError(squared=False))
    sets = [loader(7), loader(5)][:loaders]
    monitor = fit(module, tmp_path, val=sets, max_epochs=1, num_sanity_val_steps=0)

    heard = [x for batch in module.heard["val"] for x in batch]
    parts = [part for part in (heard[:7], heard[7:]) if part]
    roots = [math.sqrt(sum(x * x for x in part) / len(part)) for part in parts]
    expected = sum(r * len(part) for r, part in zip(roots, parts, strict=True)) / len(heard)
    assert list(monitor.history.val) == pytest.approx([expected], rel=1e-6)
    assert monitor.history.val_n == [len(heard)]
    assert monitor.history[0].loaders == pytest.approx(roots if loaders > 1 else [])
