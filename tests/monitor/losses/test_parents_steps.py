"""The mixin in front of a class that has steps of its own."""

import logging
from pathlib import Path

import pytest
from lightning.pytorch import LightningModule
from tests.fits import Bare, Logging, Marks, fit, loader, trainer
from torch import Tensor

from lightning_gapmon import GapMonitorMixin
from lightning_gapmon.errors import LossError


class Without(GapMonitorMixin, Logging):  # type: ignore[misc]
    """Has no `loss_step`."""


class With(GapMonitorMixin, Logging):  # type: ignore[misc]
    """Has a `loss_step`, and a parent with steps."""

    def loss_step(self, batch: list[Tensor]) -> Tensor:
        """Give one loss a sample."""
        return self.losses(batch)


def test_without_a_loss_step_the_parents_steps_are_called(tmp_path: Path) -> None:
    """They are watched by what they log, exact as ever."""
    module, marks = Without(), Marks()
    monitor = fit(module, tmp_path, marks)

    assert list(monitor.history.val) == pytest.approx(marks.means(module.heard, "val"), rel=1e-6)
    assert list(monitor.history.train) == pytest.approx(
        marks.means(module.heard, "train"), rel=1e-6
    )
    assert monitor.outcome is not None
    assert "logged by the module as 'train_loss' and 'val_loss'" in monitor.outcome.source


@pytest.mark.parametrize("kind", [With, Without])
def test_hidden_steps_are_said_once(
    kind: type[Bare], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where `loss_step` takes their place, and only there."""
    with caplog.at_level(logging.INFO):
        fit(kind(), tmp_path)

    said = [line for line in caplog.messages if "takes the place of" in line]
    assert len(said) == (kind is With)
    assert all("training_step and validation_step of a parent class" in line for line in said)


class Parent(Logging):
    """Tests by itself."""

    def test_step(self, batch: list[Tensor], *_: int) -> None:
        """Log the number of samples."""
        self.log("mine", float(len(batch[0])))


class Child(GapMonitorMixin, Parent):  # type: ignore[misc]
    """Has a `loss_step`, and a parent that tests by itself."""

    def loss_step(self, batch: list[Tensor]) -> Tensor:
        """Give one loss a sample."""
        return self.losses(batch)


def test_a_test_step_follows_from_the_loss_step(tmp_path: Path) -> None:
    """A parent's own goes before it."""
    runner = trainer(tmp_path)

    assert runner.test(With(), loader(7), verbose=False) == [{}]
    assert runner.test(Child(), loader(8), verbose=False) == [{"mine": 4.0}]


def test_with_neither_it_is_said_what_to_write() -> None:
    """There is no step to call."""

    class Neither(GapMonitorMixin, LightningModule):
        pass

    with pytest.raises(LossError, match="has neither a loss_step nor the step that was called"):
        Neither().training_step(None, 0)
