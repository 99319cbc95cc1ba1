"""What a step must not do: wait for the device, or talk to other ranks."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from tests.fits import Bare, fit, loader, trainer
from torch import Tensor
from torchmetrics import MeanMetric

from lightning_gapmon import GapMonitor, GapMonitorMixin
from lightning_gapmon.collect.meter import buffer, meter

# Whatever brings a number from the device to Python, and so waits for all that is queued there.
WAITS = [
    "item",
    "tolist",
    "numpy",
    "cpu",
    "__float__",
    "__int__",
    "__bool__",
    "__index__",
    "__array__",
]


class Waits(Callback):
    """Counts, by name, how often a number is brought to Python while batches run."""

    def __init__(self) -> None:
        self.train: Counter[str] = Counter()
        self.val: Counter[str] = Counter()
        self.now: Counter[str] | None = None

    def on_train_epoch_start(self, *_: object) -> None:
        """Begin to count."""
        self.now = self.train

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count for the other side."""
        self.now = None if trainer.sanity_checking else self.val

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Stop to count after the last batch; the check may wait."""
        if batch_idx + 1 == trainer.num_val_batches[0]:
            self.now = None

    def on_validation_end(self, *_: object) -> None:
        """Go on in the same epoch."""
        self.now = self.train

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count in each of the ways."""
        patch = pytest.MonkeyPatch()
        for name in WAITS:
            patch.setattr(Tensor, name, self._counted(name, getattr(Tensor, name)))
        try:
            yield
        finally:
            patch.undo()

    def _counted(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def counted(tensor: Tensor, *args: Any, **settings: Any) -> Any:  # noqa: ANN401
            if self.now is not None:
                self.now[name] += 1
            return method(tensor, *args, **settings)

        return counted


class Quiet(Bare):
    """Does not look at its losses."""

    def losses(self, batch: list[Tensor]) -> Tensor:
        """Give one loss a sample."""
        return batch[0] * self.weight


class Tracking(GapMonitorMixin, Quiet):
    """Gives the mixin one loss a sample, and a count on the device."""

    def training_step(self, batch: list[Tensor], *_: int) -> Tensor:
        """Track a mean."""
        return self.track_loss(self.losses(batch).mean(), batch_size=torch.tensor(len(batch[0])))

    def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
        """Track one a sample."""
        return self.track_loss(self.losses(batch)).mean()


class Returning(Quiet):
    """Returns its losses."""

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Return the mean."""
        return self.losses(batch).mean()

    def validation_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Return the mean."""
        return self.losses(batch).mean()


class LoggingMetrics(Quiet):
    """Logs tensors and metric objects."""

    def __init__(self) -> None:
        super().__init__()
        self.metric = MeanMetric()

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Log a tensor."""
        loss = self.losses(batch).mean()
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        """Log a metric."""
        self.metric(self.losses(batch).mean())
        self.log("val_loss", self.metric)


@pytest.mark.parametrize("module_class", [Tracking, Returning, LoggingMetrics])
def test_no_step_waits_for_the_device(
    module_class: type[Quiet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step brings no number to Python that it would not bring without the monitor.

    Buffers are flushed and merged within a window.
    """
    monkeypatch.setattr(buffer, "FLUSH_BATCHES", 5)
    monkeypatch.setattr(meter, "MOST_ROWS", 16)
    counts = []
    for callbacks in ([], [GapMonitor(summary=False)]):
        waits = Waits()
        runner = trainer(tmp_path, waits, *callbacks, max_epochs=2)
        with waits.counting():
            runner.fit(module_class(), loader(50, batch_size=1), loader(30, batch_size=1))
        counts.append((waits.train, waits.val))

    assert counts[0] == counts[1]


def test_the_counter_counts(tmp_path: Path) -> None:
    """A module that does look at its loss is caught."""

    class Looking(Returning):
        def training_step(self, batch: list[Tensor], index: int) -> Tensor:
            loss = super().training_step(batch, index)
            assert loss.item() < 100
            return loss

    items = []
    for module in (Returning(), Looking()):
        waits = Waits()
        with waits.counting():
            fit(module, tmp_path, waits, train=8, max_epochs=1)
        items.append(waits.train["item"])

    assert items[1] == items[0] + 2


def test_one_reduction_a_check_and_none_in_a_step(tmp_path: Path) -> None:
    """All numbers of a check travel together."""

    class Counted(Callback):
        reductions = 0

        def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
            reduce = trainer.strategy.reduce

            def counted(*args: Any, **settings: Any) -> Any:  # noqa: ANN401
                self.reductions += 1
                return reduce(*args, **settings)

            trainer.strategy.reduce = counted  # type: ignore[method-assign]

    counting = Counted()
    monitor = fit(Tracking(), tmp_path, counting, train=40, max_epochs=3, val_check_interval=2)

    assert len(monitor.history) == 15
    assert counting.reductions == 15


def test_publishing_takes_no_collective(tmp_path: Path) -> None:
    """There is one reduction a check, two before the first step, none for the five metrics."""
    calls = []
    for callbacks in ([], [GapMonitor(summary=False)]):
        runner = trainer(tmp_path, *callbacks)
        with patch.object(
            type(runner.strategy), "reduce", autospec=True, side_effect=lambda _, t, **__: t
        ) as reduce:
            runner.fit(Tracking(), loader(8), loader(8))
        calls.append(reduce.call_count)

    assert calls[1] - calls[0] == 3 + 2
