"""CSV logs: rows of train and validation apart or together, appended trainings, gaps."""

import math
from pathlib import Path

import pytest
from lightning.pytorch.loggers import CSVLogger
from tests.logs.readings import read_all, read_one, refusal

TRAIN, VAL = [1.0, 0.5, 0.25], [1.5, 1.0, 1.25]
NAN = math.nan


def _keras(path: Path, *trainings: list[tuple[int, float, float]]) -> Path:
    rows = [f"{epoch},0.5,{loss},{val}" for training in trainings for epoch, loss, val in training]
    path.write_text("\n".join(["epoch,accuracy,loss,val_loss", *rows]) + "\n")
    return path


def test_reads_lightnings_rows_of_train_and_val_apart(tmp_path: Path) -> None:
    """The mean of an epoch goes before the steps; rates, steps and epochs are found by step."""
    logger = CSVLogger(str(tmp_path), name="", version="")
    for epoch, (train, val) in enumerate(zip(TRAIN, VAL, strict=True)):
        step = 10 * epoch + 9
        logger.log_metrics({"lr-SGD": 0.1}, step=step - 5)
        logger.log_metrics({"train_loss_step": 9.0, "epoch": epoch}, step=step - 5)
        logger.log_metrics({"val_loss": val, "epoch": epoch}, step=step)
        logger.log_metrics({"train_loss_epoch": train, "epoch": epoch}, step=step)
    logger.finalize("success")
    history = read_one(tmp_path).history

    assert [history.train, history.val] == [TRAIN, VAL]
    assert [history.step, history.epoch] == [[9, 19, 29], [0, 1, 2]]
    assert history.lr == [0.1] * 3


def test_a_real_nan_of_rows_apart_stays(tmp_path: Path) -> None:
    """Where what was not measured is left empty, a NaN is a loss."""
    path = tmp_path / "metrics.csv"
    path.write_text("step,train_loss,val_loss\n1,3,\n2,,nan\n3,2,\n4,,1\n")

    assert repr(read_one(path).history.val) == "[nan, 1.0]"


def test_reads_keras(tmp_path: Path) -> None:
    """A CSV log of Keras pairs loss with val_loss; a bad cell is not known."""
    path = tmp_path / "training.csv"
    path.write_text(
        "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,1.0,0.4,1.5\n1,0.6,oops,0.5,1.0\n"
    )
    history = read_one(path).history

    assert history.val == [1.5, 1.0]
    assert repr(history.train) == "[1.0, nan]"


def test_trainings_that_were_appended_are_told_apart(tmp_path: Path) -> None:
    """`CSVLogger(append=True)`: where the epochs begin again, another training does."""
    first = [(0, 3.0, 3.5), (1, 2.0, 2.5), (2, 1.0, 1.5)]
    second = [(0, 9.0, 9.5), (1, 8.0, 8.5)]
    path = _keras(tmp_path / "log.csv", first, second)
    one, two = read_all(path)

    assert [one.history.val, two.history.val] == [[3.5, 2.5, 1.5], [9.5, 8.5]]
    assert [one.history.train, two.history.train] == [[3.0, 2.0, 1.0], [9.0, 8.0]]
    assert [one.name, two.name] == [str(path), f"{path} (training 2)"]


def test_a_header_written_again_begins_a_training(tmp_path: Path) -> None:
    """As when files are put behind each other; even where the epochs go on."""
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss,val_loss\n0,3,4\n1,2,3\nepoch,loss,val_loss\n2,9,9\n")

    assert [run.history.val for run in read_all(path)] == [[4.0, 3.0], [9.0]]


def test_a_resumed_training_is_one(tmp_path: Path) -> None:
    """It goes on, or goes back to a checkpoint: then what came after that is dropped."""
    whole = [(0, 3.0, 3.5), (1, 2.0, 2.5), (2, 1.0, 1.5)]
    resumed = [(2, 0.9, 1.4), (3, 0.8, 1.3)]

    history = read_one(_keras(tmp_path / "log.csv", whole, resumed)).history
    assert history.val == [3.5, 2.5, 1.4, 1.3]
    assert history.epoch == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("val", "kept"),
    [
        ([NAN, 2.0, NAN, 1.0, NAN], [2.0, 1.0]),  # validated at every second epoch
        ([2.0, NAN, NAN], [2.0, NAN, NAN]),  # diverged
        ([2.0, NAN, 1.0, NAN, NAN], [2.0, 1.0, NAN, NAN]),  # longer than any gap before
        ([NAN, NAN], [NAN, NAN]),  # not a number from the start
    ],
)
def test_rows_without_a_validation_are_no_checks(
    tmp_path: Path, val: list[float], kept: list[float]
) -> None:
    """A NaN that stands for "not validated" is told from a loss that has diverged."""
    rows = [(epoch, 1.0, value) for epoch, value in enumerate(val)]
    history = read_one(_keras(tmp_path / "log.csv", rows)).history

    assert repr(history.val) == repr(kept)


def test_steps_within_an_epoch_are_no_steps(tmp_path: Path) -> None:
    """A column `step` that begins again in each epoch does not put the rows in order."""
    path = tmp_path / "log.csv"
    rows = [f"{e},{s},{10 - 2 * e - s},{20 - 2 * e - s}" for e in range(3) for s in range(2)]
    path.write_text("\n".join(["epoch,step,train_loss,val_loss", *rows]))

    assert read_one(path).history.val == [20.0, 19.0, 18.0, 17.0, 16.0, 15.0]


def test_reads_csv_without_steps(tmp_path: Path) -> None:
    """Where neither step nor epoch is given, rows are counted; any usual separator will do."""
    path = tmp_path / "log.csv"
    path.write_text("\ufefftrain_loss;val_loss\n1;2\n\n0.5;1\n")
    history = read_one(path).history

    assert [history.train, history.val, history.step] == [[1.0, 0.5], [2.0, 1.0], [0, 1]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x,y\n1,2\n", "no validation loss; expected columns such as train_loss and val_loss"),
        ("epoch,train_loss\n1,2\n", "no validation loss beside train_loss"),
        ("val_a_loss,val_b_loss\n1,2\n", "several validation losses, of which none is the loss"),
        (f"val_loss\n1\n{'9' * 200_000},1\n", "no table: field larger than field limit (131072)"),
        ("", "no validation loss"),
    ],
)
def test_what_is_no_log_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    """The columns that there are, or what was expected."""
    path = tmp_path / "data.csv"
    path.write_text(text)

    assert reason in refusal(path)
