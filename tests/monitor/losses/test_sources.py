"""Losses that are scores, that go and come back, that are sparse, or another's to say."""

import logging
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.fits import Bare, Logging, Marks, Net, fit, loader, mean, watched
from torch import Tensor
from torchmetrics import MeanMetric

from lightning_gapmon import GapMonitor, Patience
from lightning_gapmon.errors import ConfigurationError

SCORES = ["val_acc", "val/f1", "valAccuracy", "val/reward", "eval_auroc", "return", "val_dice"]


@pytest.mark.parametrize("name", SCORES)
def test_the_name_of_a_score_is_refused(name: str) -> None:
    """On either side, before anything is trained, unless it is said to be a loss."""
    for side in ("train", "val"):
        given: dict[str, Any] = {side: name}
        with pytest.raises(ConfigurationError, match="expected a loss, which falls"):
            GapMonitor(**given)

        assert getattr(GapMonitor(**given, is_loss=True), side) == name


@pytest.mark.parametrize("name", ["val_dice_loss", "val_neg_reward", "val_x", "val_nll"])
def test_other_names_are_not_refused(name: str) -> None:
    """A loss that is named after a score, one turned round, and one that says nothing."""
    assert GapMonitor(val=name).val == name


class Score(MeanMetric):
    """A mean that says that more of it is better."""

    higher_is_better = True  # type: ignore[assignment]


class Scoring(Logging):
    """Logs a score under the name of a loss."""

    def __init__(self) -> None:
        super().__init__()
        self.score = Score()

    def validation_step(self, batch: list[Tensor], *_: int) -> None:
        """Log it."""
        self.score(self.losses(batch).mean())
        self.log("val_loss", self.score)


def test_a_metric_that_grows_is_no_loss(tmp_path: Path) -> None:
    """Whatever it is called: it is said once, and nothing is minimised."""
    with pytest.warns(UserWarning, match="GapMonitor") as said:
        monitor = fit(Scoring(), tmp_path)

    lines = [str(one.message) for one in said]
    assert monitor.best is None
    assert sum("does not take this for a loss: val_loss was logged" in line for line in lines) == 1


def test_a_metric_that_grows_is_a_loss_if_it_is_said_to_be(tmp_path: Path) -> None:
    """The user knows better."""
    module = Scoring()
    monitor = fit(module, tmp_path, GapMonitor(is_loss=True, summary=False), max_epochs=1)

    means = [sum(batch) / len(batch) for batch in module.heard["val"]]
    assert list(monitor.history.val) == pytest.approx([sum(means) / len(means)])


def test_a_sum_is_said_to_be_a_mean_here(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """`reduce_fx` is Lightning's to follow; what is shown here is a mean over samples."""
    with caplog.at_level(logging.INFO):
        watched(Logging(on_epoch=True, reduce_fx="sum"), tmp_path)

    said = [line for line in caplog.messages if "reduce_fx" in line]
    assert said == [
        f"GapMonitor: {name} is logged with reduce_fx='sum'; here it is a mean over samples."
        for name in ("train_loss", "val_loss")
    ]


TWO = torch.tensor([1.0, 3]), torch.tensor([10.0, 20, 30])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (1 + 3 + 10 + 20 + 30) / 5),
        ({"loader": 0}, 2.0),
        ({"loader": 1}, 20.0),
        ({"val": "val_loss/dataloader_idx_1"}, 20.0),
    ],
)
@pytest.mark.parametrize("kind", [Logging, Net])
def test_a_loader_is_chosen(
    kind: type[Bare], given: dict[str, Any], expected: float, tmp_path: Path
) -> None:
    """By number or in the name; by default it is the mean over the samples of all."""
    if kind is Net and "val" in given:
        given = {"loader": 1}
    monitor = GapMonitor(**given, summary=False)
    module = kind()
    module.lr = 0.0
    fit(module, tmp_path, monitor, val=[loader(part) for part in TWO], max_epochs=1)

    assert list(monitor.history.val) == [expected]
    assert monitor.history[0].loaders == (2.0, 20.0)
    assert monitor.outcome is not None
    assert monitor.outcome.source.endswith(
        "; the validation loss is the mean over the samples of all 2 validation loaders (watch "
        "one with GapMonitor(loader=0))"
        if not given
        else f", of validation loader {'01'[expected == 20.0]} of 2 (counted from 0)"
    )


def test_a_loader_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Before anything is trained."""
    module = Net()
    with pytest.raises(ConfigurationError) as raised:
        fit(module, tmp_path, GapMonitor(loader=2), num_sanity_val_steps=0)

    assert str(raised.value) == (
        "Found GapMonitor(loader=2); the validation loader 0 is the only one. Choose one of them."
    )
    assert module.weight.item() == 1


@pytest.mark.parametrize(("number", "checks"), [(0, 1), (2, None)])
def test_loaders_that_come_with_a_later_epoch_are_waited_for(
    number: int, checks: int | None, tmp_path: Path
) -> None:
    """What the first epoch does not validate with is looked for when it is there."""
    settings: dict[str, Any] = {"num_sanity_val_steps": 0, "check_val_every_n_epoch": 2}
    monitor = GapMonitor(loader=number, summary=False)
    if checks is None:
        with pytest.raises(ConfigurationError, match="loader 0 is the only one"):
            fit(Net(), tmp_path, monitor, max_epochs=2, **settings)
        return
    fit(Net(), tmp_path, monitor, max_epochs=2, **settings)

    assert len(monitor.history) == checks


@pytest.mark.parametrize(
    ("train", "val"),
    [
        ("train_loss_step", "val_loss_epoch"),
        ("train_loss_epoch", "val_loss/dataloader_idx_0"),
        ("train_loss", "val_loss"),
    ],
)
def test_names_as_a_logger_shows_them(train: str, val: str, tmp_path: Path) -> None:
    """Lightning adds to a name what a module did not write."""
    module = Logging(on_step=True, on_epoch=True)
    monitor = watched(module, tmp_path, GapMonitor(train=train, val=val, summary=False))

    assert monitor.outcome is not None
    assert monitor.outcome.source == (
        "train and validation loss logged by the module as 'train_loss' and 'val_loss'"
    )


class Renaming(Logging):
    """Logs its validation loss under the names of a script, one a validation; none for ""."""

    def __init__(self, *script: str) -> None:
        super().__init__()
        self.script, self.at = script, 0

    def validation_step(self, batch: list[Tensor], *_: int) -> None:
        """Log it under the name of the day."""
        losses = self.losses(batch)
        if name := self.script[self.at % len(self.script)]:
            self.log(name, losses.mean())

    def on_validation_epoch_end(self) -> None:
        """Turn the page."""
        self.at += not self.trainer.sanity_checking


def _windows(module: Bare, batches: int) -> list[float]:
    heard = module.heard["val"]
    return [mean(heard[i : i + batches]) for i in range(0, len(heard), batches)]


def test_validations_without_a_loss_are_no_checks(tmp_path: Path) -> None:
    """One that is logged at every other validation uses up no patience; the rest is exact."""
    module = Renaming("val_loss", "")
    monitor = GapMonitor(stop=Patience(2), summary=False)
    with pytest.warns(UserWarning, match="has lost the validation loss, logged by") as said:
        fit(module, tmp_path, monitor, max_epochs=8)

    assert list(monitor.history.val) == pytest.approx(_windows(module, 2)[::2], rel=1e-6)
    trained = [mean(module.heard["train"][a:b]) for a, b in [(0, 3), (3, 9), (9, 15), (15, 21)]]
    assert list(monitor.history.train) == pytest.approx(trained, rel=1e-6)
    assert monitor.history.epoch == [0, 2, 4, 6]
    assert monitor.stop_reason is None
    assert monitor.history.planned == 8 - 3
    assert monitor.diagnosis.verdict != "non_finite"
    assert len([one for one in said if "has lost" in str(one.message)]) == 1


def test_a_loss_is_found_again_under_its_new_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One validation goes by, and from then on it is watched under that name."""
    module = Renaming("val_loss", "val_loss", *["valid/loss"] * 4)
    with (
        pytest.warns(UserWarning, match=r"has logged \['train_loss', 'val_loss', 'valid/loss'\]"),
        caplog.at_level(logging.INFO),
    ):
        monitor = fit(module, tmp_path, max_epochs=6)

    expected = _windows(module, 2)
    assert list(monitor.history.val) == pytest.approx(expected[:2] + expected[3:], rel=1e-6)
    assert monitor.outcome is not None
    assert monitor.outcome.source.endswith("as 'train_loss' and 'valid/loss'")
    assert sum("watching" in line for line in caplog.messages) == 2


@pytest.mark.filterwarnings("ignore:Checkpoint directory:UserWarning")
def test_a_loss_that_comes_from_elsewhere_after_a_resume(tmp_path: Path) -> None:
    """A module that logs what it gave to the mixin before is watched by what it logs."""
    settings: dict[str, Any] = {"enable_checkpointing": True, "num_sanity_val_steps": 0}
    fit(Net(), tmp_path, max_epochs=2, **settings)
    last = next(tmp_path.rglob("last.ckpt"))
    module = Logging()
    with pytest.warns(UserWarning, match="has lost the validation loss, given to the mixin"):
        monitor = fit(module, tmp_path, ckpt_path=str(last), max_epochs=5, **settings)

    assert monitor.history.epoch == [0, 1, 3, 4]
    assert list(monitor.history.val)[2:] == pytest.approx(_windows(module, 2)[1:], rel=1e-6)


class Sparse(Logging):
    """Returns its losses, and logs that of training only now and then."""

    def __init__(self, **now: int) -> None:
        super().__init__()
        self.now = now

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        """Log the mean now and then, and return it."""
        loss = self.losses(batch).mean()
        early = self.current_epoch < self.now.get("until", 99)
        if early and index % self.now.get("every", 1) == 0:
            self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:  # type: ignore[override]
        """Log the mean and return it."""
        loss = self.losses(batch).mean()
        self.log("val_loss", loss)
        return loss


def test_what_is_logged_now_and_then_gives_way(tmp_path: Path) -> None:
    """The steps return every loss, so that both sides are complete."""
    monitor = watched(Sparse(every=2), tmp_path)

    assert monitor.outcome is not None
    assert monitor.outcome.source == "train and validation loss returned by the steps"


def test_what_was_logged_in_the_first_epoch_only(tmp_path: Path) -> None:
    """It is said, and from the window after that the steps' own losses are taken."""
    module, marks = Sparse(until=1), Marks()
    with pytest.warns(UserWarning, match="has lost the train loss, logged by the module as"):
        monitor = fit(module, tmp_path, marks, max_epochs=4)

    means = marks.means(module.heard, "train")
    assert math.isnan(monitor.history.train[1])
    assert [*monitor.history.train[:1], *monitor.history.train[2:]] == pytest.approx(
        [means[0], *means[2:]], rel=1e-6
    )
    assert list(monitor.history.val) == pytest.approx(marks.means(module.heard, "val"), rel=1e-6)


def test_a_sparse_loss_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where there is no other, it is the mean over the steps that had one."""

    class Manual(Sparse):
        def training_step(self, batch: list[Tensor], index: int) -> None:  # type: ignore[override]
            super().training_step(batch, index)

        def __init__(self) -> None:
            super().__init__(every=2)
            self.automatic_optimization = False

    module = Manual()
    with caplog.at_level(logging.INFO):
        monitor = fit(module, tmp_path, max_epochs=1)

    assert list(monitor.history.train) == pytest.approx([mean(module.heard["train"][::2])])
    assert any("was there at 66.7 % of the training steps" in line for line in caplog.messages)


@pytest.mark.parametrize(("summed", "size"), [(True, 8), (False, 8), (True, 2)])
def test_losses_that_go_by_the_size_of_a_batch_are_said(
    summed: bool,  # noqa: FBT001
    size: int,
    tmp_path: Path,
) -> None:
    """Sums over batches of 2 and of 8 are four times apart; means and equal batches are not."""

    class Summing(Bare):
        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            losses = self.losses(batch)
            return losses.sum() if summed else losses.mean()

        def validation_step(self, batch: list[Tensor], _: int) -> Tensor:
            return self.training_step(batch, 0)

    ones = torch.ones(16)
    sides: dict[str, Any] = {
        "train": loader(ones, batch_size=2),
        "val": loader(ones, batch_size=size),
    }
    monitor = fit(Summing(lr=0.0), tmp_path, max_epochs=2, **sides)

    assert monitor.outcome is not None
    said = [note for note in monitor.outcome.notes if "as far apart as the samples" in note]
    assert len(said) == (summed and size == 8)
    assert all("2.000 and 8.000 at the mean" in note for note in said)
