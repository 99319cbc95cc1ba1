"""Where the losses come from: what modules in the wild track, log and return."""

import logging
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.fits import Bare, Logging, Marks, Net, fit, mean, watched
from torch import Tensor
from torchmetrics import MeanMetric, MetricCollection

from lightning_gapmon import GapMonitor

# Pairs of names that modules and libraries log their losses under.
SPELLINGS = [
    ("train_loss", "val_loss"),
    ("train_loss", "valid_loss"),
    ("train_loss", "validation_loss"),
    ("train/loss", "val/loss"),
    ("Loss_train", "Loss_val"),
    ("ptl/train_loss", "ptl/val_loss"),
    ("elbo_train", "elbo_validation"),
    ("training_loss", "eval_loss"),
    ("loss", "val_loss"),
    ("loss/train", "loss/val"),
    ("Train Loss", "Validation Loss"),
    ("train.nll", "val.nll"),
    ("trainLoss", "valLoss"),
]


@pytest.mark.parametrize(("train", "val"), SPELLINGS)
def test_the_usual_names_are_found(train: str, val: str, tmp_path: Path) -> None:
    """They are found by themselves, said, and each batch weighs as its samples."""
    monitor = watched(Logging(train, val), tmp_path)

    assert monitor.outcome is not None
    assert monitor.outcome.source == (
        f"train and validation loss logged by the module as {train!r} and {val!r}"
    )


@pytest.mark.parametrize("log", [{"on_epoch": True}, {"on_step": True, "on_epoch": True}])
def test_how_it_is_logged_does_not_matter(log: dict[str, Any], tmp_path: Path) -> None:
    """Per step, per epoch, or both: each call is heard once."""
    watched(Logging(**log), tmp_path)


def test_what_is_found_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One line tells where the losses come from, at the first check."""
    with caplog.at_level(logging.INFO):
        fit(Logging(), tmp_path)

    said = [line for line in caplog.messages if "watching" in line]
    assert said == [
        (
            "GapMonitor: watching train and validation loss logged by the module as "
            "'train_loss' and 'val_loss'"
        )
    ]


def test_given_names_are_taken(tmp_path: Path) -> None:
    """Names that nobody would guess."""
    watched(Logging("a", "b"), tmp_path, GapMonitor(train="a", val="b", summary=False))


def test_one_given_name_finds_the_other(tmp_path: Path) -> None:
    """The train name with the same stem belongs to a validation name that was given."""

    class Two(Logging):
        def training_step(self, batch: list[Tensor], index: int) -> Tensor:
            self.log("train_kl", -1.0)
            return super().training_step(batch, index)

        def validation_step(self, batch: list[Tensor], *_: int) -> None:
            self.log("val_kl", -1.0)
            super().validation_step(batch)

    watched(Two("train_err", "val_err"), tmp_path, GapMonitor(val="val_err", summary=False))


def test_given_names_go_before_the_mixin(tmp_path: Path) -> None:
    """Who names a loss wants that one."""

    class Both(Net):
        def training_step(self, batch: list[Tensor], *_: int) -> Tensor:
            self.log("train_x", 1.0)
            return super().training_step(batch)

        def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
            self.log("val_x", 2.0)
            return super().validation_step(batch)

    monitor = fit(Both(), tmp_path, GapMonitor(train="train_x", val="val_x", summary=False))

    assert list(monitor.history.train) == [1.0] * 3
    assert list(monitor.history.val) == [2.0] * 3


def test_the_mixin_goes_before_names(tmp_path: Path) -> None:
    """A module that tracks its loss and logs a rounded one is watched by the former."""

    class Both(Net):
        def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
            self.log("val_loss", 2.0)
            self.log("train_loss", 2.0)
            return super().validation_step(batch)

    monitor = watched(Both(), tmp_path)

    assert monitor.outcome is not None
    assert monitor.outcome.source == "train and validation loss given to the mixin"


class Weighted(Bare):
    """Says itself how much a batch weighs, and that is not its number of samples."""

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Log with the weight."""
        loss = self.losses(batch).mean()
        self.log_dict({"train_loss": loss, "train_acc": 0.5}, batch_size=len(batch[0]) ** 2)
        return loss

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        """Log with the weight."""
        loss = self.losses(batch).mean()
        self.log_dict({"val_loss": loss, "val_acc": 0.5}, batch_size=len(batch[0]) ** 2)


def test_the_modules_own_weights_count(tmp_path: Path) -> None:
    """`batch_size=` is what weighs, through `log_dict` too, as in Lightning's own mean."""
    module = Weighted(lr=0.0)

    monitor = fit(module, tmp_path, max_epochs=1, num_sanity_val_steps=0)

    for side in ("train", "val"):
        weights = [len(batch) ** 2 for batch in module.heard[side]]
        means = [sum(batch) / len(batch) for batch in module.heard[side]]
        expected = sum(map(math.prod, zip(weights, means, strict=True))) / sum(weights)
        assert list(getattr(monitor.history, side)) == pytest.approx([expected], rel=1e-6)


class Template(Bare):
    """Logs torchmetrics objects, as a widespread template does."""

    def __init__(self) -> None:
        super().__init__()
        self.train_loss, self.val_loss = MeanMetric(), MeanMetric()

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Update the metric and log it."""
        loss = self.losses(batch).mean()
        self.train_loss(loss)
        self.log("train/loss", self.train_loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        """Update the metric and log it."""
        self.val_loss(self.losses(batch).mean())
        self.log("val/loss", self.val_loss, on_step=False, on_epoch=True)


def test_a_logged_mean_is_what_it_computes(tmp_path: Path) -> None:
    """It weighs each batch as it does itself: here all alike, whatever their samples."""
    module = Template()
    monitor = fit(module, tmp_path, max_epochs=1, num_sanity_val_steps=0)

    for side in ("train", "val"):
        means = [sum(batch) / len(batch) for batch in module.heard[side]]
        assert list(getattr(monitor.history, side)) == pytest.approx([sum(means) / len(means)])


class Late(Bare):
    """Knows its validation loss only when all batches have been seen."""

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Log the mean."""
        loss = self.losses(batch).mean()
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        """Keep the losses."""
        self.losses(batch)

    def on_validation_epoch_end(self) -> None:
        """Log the mean over all samples."""
        if self.heard["val"]:
            self.log("val_loss", mean(self.heard["val"][-2:]))


def test_a_loss_that_comes_at_the_end_of_validation(tmp_path: Path) -> None:
    """A loss logged in the module's own `on_validation_epoch_end` is heard as well."""
    watched(Late(), tmp_path)


def test_a_metric_object_that_comes_at_the_end_of_validation(tmp_path: Path) -> None:
    """There it stands for the whole validation, not for its last batch."""

    class Collected(Late):
        def __init__(self) -> None:
            super().__init__()
            self.metric = MeanMetric()

        def validation_step(self, batch: list[Tensor], _: int) -> None:
            losses = self.losses(batch)
            self.metric(losses.mean(), len(losses))

        def on_validation_epoch_end(self) -> None:
            self.log("val_loss", self.metric)

    watched(Collected(), tmp_path)


@pytest.mark.parametrize("container", ["tensor", "dict", "more"])
def test_step_outputs(container: str, tmp_path: Path) -> None:
    """A tensor, or the entry `loss` of a dict, is the loss where nothing is logged."""

    class Returning(Bare):
        def step(self, batch: list[Tensor]) -> Any:  # noqa: ANN401
            loss = self.losses(batch).mean()
            return {
                "tensor": loss,
                "dict": {"loss": loss},
                "more": {"loss": loss, "pred": batch[0] * self.weight, "name": "x"},
            }[container]

        def training_step(self, batch: list[Tensor], _: int) -> Any:  # noqa: ANN401
            return self.step(batch)

        def validation_step(self, batch: list[Tensor], _: int) -> Any:  # noqa: ANN401
            return self.step(batch)

    monitor = watched(Returning(), tmp_path)

    assert monitor.outcome is not None
    assert monitor.outcome.source == "train and validation loss returned by the steps"


class Keyed(Bare):
    """Returns its validation loss under a key of its own."""

    def training_step(self, batch: list[Tensor], _: int) -> dict[str, Tensor]:
        """Return the loss, and once more under the key."""
        loss = self.losses(batch).mean()
        return {"loss": loss, "x": loss.detach()}

    def validation_step(self, batch: list[Tensor], _: int) -> dict[str, Tensor]:
        """Return it under the key alone."""
        return {"x": self.losses(batch).mean()}


def test_a_named_key_of_the_outputs(tmp_path: Path) -> None:
    """A name that was given may be a key of what the steps return."""
    watched(Keyed(), tmp_path, GapMonitor(val="x", summary=False))


def test_a_named_key_under_accumulation(tmp_path: Path) -> None:
    """Lightning divides the entry `loss` alone; an entry of another name is as it was."""
    module = Keyed()
    monitor = GapMonitor(train="x", val="x2", summary=False)
    with pytest.warns(UserWarning, match="found no validation loss named 'x2'"):
        fit(module, tmp_path, monitor, accumulate_grad_batches=3, max_epochs=1)

    assert list(monitor.history.train) == pytest.approx([mean(module.heard["train"])], rel=1e-6)


def test_both_sides_come_from_one_kind_of_source(tmp_path: Path) -> None:
    """A step's output with a term that its logged losses lack is not set against those."""

    class Extra(Logging):
        def training_step(self, batch: list[Tensor], index: int) -> Tensor:
            return super().training_step(batch, index) + 100 * self.weight

    watched(Extra(), tmp_path)


def test_mixed_sources_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where nothing else is left the two sides may differ in more than the data."""

    class Mixed(Logging):
        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            return self.losses(batch).mean()

    with caplog.at_level(logging.INFO):
        monitor = watched(Mixed(), tmp_path)

    assert monitor.outcome is not None
    assert monitor.outcome.source == (
        "train loss returned by the step, but validation loss logged by the module as 'val_loss': "
        "they may differ in more than the data. Log both under one name (train_loss, val_loss), "
        "or use GapMonitorMixin"
    )
    assert sum("they may differ" in line for line in caplog.messages) == 1


def test_an_ambiguous_pair_is_not_guessed(tmp_path: Path) -> None:
    """Of two pairs that may be the loss neither is taken; the outputs are."""

    class Parts(Bare):
        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            self.log_dict({"train_a_loss": 1.0, "train_b_loss": 2.0})
            return self.losses(batch).mean()

        def validation_step(self, batch: list[Tensor], _: int) -> Tensor:
            self.log_dict({"val_a_loss": 1.0, "val_b_loss": 2.0})
            return self.losses(batch).mean()

    monitor = watched(Parts(), tmp_path)

    assert monitor.outcome is not None
    assert monitor.outcome.source == "train and validation loss returned by the steps"


def test_a_validation_step_that_calls_the_training_step(tmp_path: Path) -> None:
    """What it logs as a train loss during validation is no train loss."""

    class Nested(Logging):
        def validation_step(self, batch: list[Tensor], *_: int) -> None:
            self.log("val_loss", self.training_step(batch, 0))

    watched(Nested(), tmp_path)


def test_collections_of_metrics_are_left_alone(tmp_path: Path) -> None:
    """What a module logs beside its loss is passed on as it is."""

    class Many(Logging):
        def __init__(self) -> None:
            super().__init__()
            self.metrics = MetricCollection({"val_m": MeanMetric()})

        def validation_step(self, batch: list[Tensor], *_: int) -> None:
            super().validation_step(batch)
            self.metrics(batch[0])
            self.log_dict(self.metrics)

    watched(Many(), tmp_path)


def test_unused_keys_hold_no_graph(tmp_path: Path) -> None:
    """Nothing of what a step returned stays alive but its loss, detached."""

    class Holding(Bare):
        def training_step(self, batch: list[Tensor], _: int) -> dict[str, Tensor]:
            return {"loss": self.losses(batch).mean(), "pred": batch[0] * self.weight}

        def validation_step(self, batch: list[Tensor], _: int) -> dict[str, Tensor]:
            return {"loss": self.losses(batch).mean()}

        def on_train_batch_start(self, *_: object) -> None:
            monitor = self.trainer.callbacks[0]  # type: ignore[attr-defined]
            for meter in monitor._fit.recorder._meters.values():
                buffer = meter._buffer
                assert not any(loss.requires_grad for loss in [*buffer._losses, *buffer._slots])

    watched(Holding(), tmp_path)


def test_a_loss_that_the_module_changes_afterwards(tmp_path: Path) -> None:
    """A tensor that is returned or logged and then written into was taken as it was."""

    class Reused(Net):
        def __init__(self) -> None:
            super().__init__()
            self.reused = torch.zeros(())

        def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
            self.reused.copy_(self.losses(batch).mean().detach())
            self.track_loss(self.reused)
            return self.reused.zero_()

    module, marks = Reused(), Marks()
    monitor = fit(module, tmp_path, marks)

    assert list(monitor.history.val) == pytest.approx(marks.means(module.heard, "val"), rel=1e-6)
