"""What is said where a side has no loss: what was seen, and what to write."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.fits import Bare, Logging, Marks, fit
from torch import Tensor
from torchmetrics import MeanSquaredError

from lightning_gapmon import GapMonitor


@contextmanager
def _warned() -> Iterator[list[str]]:
    """Collect what the monitor warns of."""
    said: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield said
    said.extend(str(one.message) for one in caught if "GapMonitor" in str(one.message))


# What a validation step returns that is no loss, and how it is described.
NO_LOSSES: dict[str, tuple[object, str]] = {
    "None": (None, "validation_step returned None"),
    "tuple": ((torch.ones(4), torch.ones(4)), "validation_step returned a tuple of 2"),
    "reward": ({"reward": 1.0}, "validation_step returned a dict with the keys ['reward']"),
    "nan": (math.nan, "validation_step returned a float"),
    "no entry": ({"loss": None}, "validation_step returned a dict with the keys ['loss']"),
    "predictions": (torch.ones(4), "validation_step returned a tensor of shape (4,)"),
    "labels": (torch.ones((), dtype=torch.long), "validation_step returned a tensor of shape ()"),
}  # fmt: skip


@pytest.mark.parametrize(("output", "said"), NO_LOSSES.values(), ids=list(NO_LOSSES))
def test_what_is_no_loss_is_said_once(output: object, said: str, tmp_path: Path) -> None:
    """It says what it saw and what to write, keeps the train loss, and training goes on."""

    class Odd(Bare):
        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            self.log("train_reward", 3.0)
            return self.losses(batch).mean()

        def validation_step(self, batch: list[Tensor], _: int) -> Any:  # noqa: ANN401
            self.losses(batch)
            self.log("val_reward", 1.0)
            return output

    module, marks = Odd(), Marks()
    with _warned() as warned:
        monitor = fit(module, tmp_path, marks)

    assert warned == [
        (
            "GapMonitor found no validation loss: the module logged "
            f"['train_reward', 'val_reward']; {said}. Expected a validation loss, "
            "logged or returned by validation_step. "
            'Write self.log("val_loss", loss) there and in training_step self.log("train_loss", '
            'loss), name yours with GapMonitor(train="...", val="..."), or use GapMonitorMixin. '
            "Training goes on; nothing is stopped, judged or saved as best without it."
        )
    ]
    assert list(monitor.history.train) == pytest.approx(
        marks.means(module.heard, "train"), rel=1e-6
    )
    assert all(map(math.isnan, monitor.history.val))
    assert monitor.stop_reason is None
    assert monitor.diagnosis.message == "no validation loss was measured"


def test_a_wrong_name_is_said(tmp_path: Path) -> None:
    """The warning names what was asked for and what was logged; nothing else is taken."""
    with _warned() as warned:
        monitor = fit(Logging(), tmp_path, GapMonitor(val="valloss", summary=False))

    assert len(warned) == 1
    assert "found no validation loss named 'valloss'" in warned[0]
    assert " Did you mean val_loss? " in warned[0]
    assert "the module logged ['train_loss', 'val_loss']" in warned[0]
    assert all(map(math.isnan, monitor.history.val))


def test_a_wrong_train_name_is_said(tmp_path: Path) -> None:
    """The validation loss is then watched alone."""
    with _warned() as warned:
        monitor = fit(
            Logging(), tmp_path, GapMonitor(train="loss_t", val="val_loss", summary=False)
        )

    assert len(warned) == 1
    assert "found a validation loss but no train loss named 'loss_t'" in warned[0]
    assert "Did you mean" not in warned[0]
    assert not any(map(math.isnan, monitor.history.val))


def test_a_train_name_with_a_slip_is_asked_about(tmp_path: Path) -> None:
    """The nearest of the names that were logged is offered, whatever else is missing."""
    for val in ("val_loss", None):
        with _warned() as warned:
            fit(Logging(), tmp_path, GapMonitor(train="train_los", val=val, summary=False))

        assert " Did you mean train_loss? " in warned[0]


def test_a_lone_train_name_that_nothing_goes_with_is_said(tmp_path: Path) -> None:
    """The name that was given is in the warning, for nothing is guessed to belong to it."""
    with _warned() as warned:
        fit(Logging(), tmp_path, GapMonitor(train="g_loss", summary=False))

    assert len(warned) == 1
    assert "found no validation loss that goes with train='g_loss'" in warned[0]
    assert "the module logged ['train_loss', 'val_loss']" in warned[0]


class Silent(Bare):
    """Optimises by hand, and neither returns nor logs a training loss."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch: list[Tensor], _: int) -> None:
        """Compute the loss, and keep it."""
        self.losses(batch)

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        """Do the same."""
        self.losses(batch)


def test_a_manual_step_that_returns_nothing_is_called_so(tmp_path: Path) -> None:
    """Lightning hands None over as an empty dict, which the user has never written."""
    with _warned() as warned:
        fit(Silent(), tmp_path)

    assert "training_step returned None; validation_step returned None" in warned[0]


def test_a_train_step_without_a_loss_is_said(tmp_path: Path) -> None:
    """Manual optimisation that returns and logs nothing leaves the train side empty."""

    class Validated(Silent):
        def validation_step(self, batch: list[Tensor], _: int) -> None:
            self.log("val_loss", self.losses(batch).mean())

    with _warned() as warned:
        monitor = fit(Validated(), tmp_path)

    assert warned == [
        (
            "GapMonitor found a validation loss but no train loss: the module logged "
            "['val_loss']. Return the loss from training_step, log it as \"train_loss\", name "
            'yours with GapMonitor(train="..."), or use GapMonitorMixin. The validation loss is '
            "watched alone."
        )
    ]
    assert not any(map(math.isnan, monitor.history.val))
    assert monitor.best is not None


def test_a_metric_without_a_value_for_the_batch_is_said(tmp_path: Path) -> None:
    """One that is only updated and stays on its rank tells no loss that all would share."""

    class Updating(Bare):
        def __init__(self) -> None:
            super().__init__()
            self.metric = MeanSquaredError(sync_on_compute=False)

        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            return self.losses(batch).mean()

        def validation_step(self, batch: list[Tensor], _: int) -> None:
            self.metric.update(self.losses(batch), 0 * batch[0])
            self.log("val_loss", self.metric)

    with _warned() as warned:
        fit(Updating(), tmp_path)

    assert len(warned) == 1
    assert "val_loss was logged as a MeanSquaredError with no value for the batch" in warned[0]


def test_a_side_with_one_loss_more(tmp_path: Path) -> None:
    """Names of two different losses are not set against each other."""
    with _warned() as warned:
        fit(Logging("train_loss", "val_elbo"), tmp_path)

    assert len(warned) == 1
    assert "the module logged ['train_loss', 'val_elbo']" in warned[0]


def test_new_names_bring_no_second_warning(tmp_path: Path) -> None:
    """What is logged or returned later changes what could be said, but it has been said."""

    class Growing(Bare):
        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            return self.losses(batch).mean()

        def validation_step(self, batch: list[Tensor], _: int) -> Tensor:
            return torch.ones(3 + self.current_epoch)

        def on_train_epoch_end(self) -> None:
            self.log(f"late_{self.current_epoch}", 1.0)

    with _warned() as warned:
        fit(Growing(), tmp_path, max_epochs=4)

    assert len(warned) == 1


def test_a_few_sightings_are_enough(tmp_path: Path) -> None:
    """Predictions of many shapes are not all listed."""

    class Shapes(Bare):
        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            return self.losses(batch).mean()

        def validation_step(self, batch: list[Tensor], index: int) -> Tensor:
            return torch.ones(index + 2)

    with _warned() as warned:
        fit(Shapes(), tmp_path, val=80)

    assert len(warned) == 1
    assert warned[0].count("validation_step returned") == 5


def test_a_part_of_the_loss_is_not_set_against_the_whole(tmp_path: Path) -> None:
    """Where both sides log losses that do not belong together, none is taken."""
    with _warned() as warned:
        monitor = fit(Logging("train_kl_loss", "val_loss"), tmp_path)

    assert len(warned) == 1
    assert "the module logged ['train_kl_loss', 'val_loss']" in warned[0]
    assert all(map(math.isnan, monitor.history.val))
