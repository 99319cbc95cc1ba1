"""Which columns are the losses, and how they meet at checks."""

import math

import pytest

from lightning_gapmon.analysis.history.from_columns import Pair, find_pair, to_history
from lightning_gapmon.analysis.history.series import Point, Series


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        (["train_loss", "val_loss"], Pair("val_loss", "train_loss")),
        (["train/loss", "val/loss", "lr-Adam"], Pair("val/loss", "train/loss", "lr-Adam")),
        (["loss/train", "loss/val", "gap/absolute"], Pair("loss/val", "loss/train")),
        (["loss", "val_loss", "lr"], Pair("val_loss", "loss", "lr")),
        (["loss", "eval_loss", "learning_rate"], Pair("eval_loss", "loss", "learning_rate")),
        (
            ["train_loss_step", "train_loss_epoch", "val_loss"],
            Pair("val_loss", "train_loss_epoch"),
        ),
        (["train_loss_step", "valid_loss"], Pair("valid_loss", "train_loss_step")),
        (["Train Loss", "Validation Loss"], Pair("Validation Loss", "Train Loss")),
        (["train/box_loss", "val/box_loss"], Pair("val/box_loss", "train/box_loss")),
        (
            ["val_aux_loss", "val_loss", "train_aux_loss", "train_loss"],
            Pair("val_loss", "train_loss"),
        ),
        (
            ["loss/train", "loss/train_probe", "loss/val"],
            Pair("loss/val", "loss/train", None, "loss/train_probe"),
        ),
        (["val_loss"], Pair("val_loss")),
        (["train_loss", "color"], None),
        (["train_accuracy", "val_accuracy"], None),
        ([], None),
    ],
)
def test_losses_are_found_by_their_names(names: list[str], pair: Pair | None) -> None:
    """Two columns that differ in train and val alone, and speak of a loss, belong together."""
    assert find_pair(names) == pair


def test_a_sum_over_the_run_is_not_the_train_loss() -> None:
    """Hugging Face logs `loss` all along, and one `train_loss` when the run has ended."""
    points = Series.of(Point(step, 1.0) for step in range(3))
    columns = {"loss": points, "eval_loss": points, "train_loss": points[-1:]}

    assert find_pair(columns) == Pair("eval_loss", "loss")
    assert find_pair({**columns, "loss": points[:1]}) == Pair("eval_loss", "train_loss")


def test_losses_of_which_none_is_the_loss_are_not_guessed() -> None:
    """Several losses and no total are no pair, as in the live monitor."""
    assert find_pair(["train_a_loss", "train_b_loss", "val_a_loss", "val_b_loss"]) is None


def test_train_loss_is_the_mean_of_the_window() -> None:
    """What was logged since the check before is its train loss; the last rate by then counts."""
    columns = {
        "train": [Point(s, float(s)) for s in range(1, 8)],
        "val": [Point(3, 1.0, 100.0), Point(6, 0.5, 160.0), Point(6, 0.4, 170.0)],
        "lr": [Point(1, 0.1), Point(5, 0.01)],
        "epoch": [Point(3, 0.0), Point(6, 1.0)],
    }
    columns["probe"] = [Point(6, 0.3)]
    series = {name: Series.of(points) for name, points in columns.items()}
    history = to_history(series, Pair("val", "train", "lr", "probe"), planned=5)

    assert history.train[:2] == [2.0, 5.0]
    assert math.isnan(history.train[2])
    assert history.lr == [0.1, 0.01, 0.01]
    assert history.epoch == [0, 1, 1]
    assert history.seconds == [0.0, 60.0, 70.0]
    assert history.probe[1:] == [0.3, 0.3]
    assert math.isnan(history.probe[0])
    assert history.planned == 5


def test_checks_without_train_or_rate() -> None:
    """What was not logged is not known, and epochs are counted where they are not logged."""
    history = to_history({"val": Series.of([Point(3, 1.0), Point(6, 0.5)])}, Pair("val"))

    assert history.epoch == [0, 1]
    assert all(math.isnan(seen.train) and math.isnan(seen.lr) for seen in history)
