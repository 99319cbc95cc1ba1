"""Finished runs out of the logs that trainers write, each written by its own library or shape."""

import json
import math
from pathlib import Path

import pytest
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.rules.rule import StopReason
from lightning_gapmon.analysis.verdicts.diagnose import diagnose
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs import gapmon_json
from lightning_gapmon.logs.formats import find_logs, read_runs

TRAIN, VAL = [1.0, 0.5, 0.25], [1.5, 1.0, 1.25]


def _log_with(logger: CSVLogger | TensorBoardLogger) -> None:
    for epoch, (train, val) in enumerate(zip(TRAIN, VAL, strict=True)):
        step = 10 * (epoch + 1)
        logger.log_metrics({"lr-SGD": 0.1}, step=step - 5)
        logger.log_metrics({"val_loss": val, "epoch": epoch}, step=step)
        logger.log_metrics({"train_loss_epoch": train, "epoch": epoch}, step=step)
    logger.save()
    logger.finalize("success")


@pytest.mark.parametrize("kind", [CSVLogger, TensorBoardLogger])
def test_reads_lightnings_loggers(
    tmp_path: Path, kind: type[CSVLogger] | type[TensorBoardLogger]
) -> None:
    """Both losses, the rate and the steps come back as they were logged."""
    _log_with(kind(str(tmp_path), name="run", version=0))
    (log,) = find_logs([tmp_path])
    (run,) = read_runs(log)

    assert run.history.train == TRAIN
    assert run.history.val == VAL
    assert run.history.step == [10, 20, 30]
    assert run.history.epoch == [0, 1, 2]
    assert run.history.lr == [pytest.approx(0.1)] * 3
    assert "run" in run.name


def test_event_file_can_be_named_itself(tmp_path: Path) -> None:
    """An event file stands for its folder."""
    _log_with(TensorBoardLogger(str(tmp_path), name="", version=""))
    (file,) = tmp_path.glob("*tfevents*")

    assert read_runs(file)[0].history.val == VAL


def test_reads_keras(tmp_path: Path) -> None:
    """A CSV log of Keras pairs loss with val_loss; a bad cell is not known."""
    path = tmp_path / "training.csv"
    path.write_text(
        "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,1.0,0.4,1.5\n1,0.6,oops,0.5,1.0\n"
    )
    (run,) = read_runs(path)

    assert run.history.val == [1.5, 1.0]
    assert run.history.train[0] == 1.0
    assert math.isnan(run.history.train[1])


def test_reads_csv_without_steps(tmp_path: Path) -> None:
    """Where neither step nor epoch is given, rows are counted."""
    path = tmp_path / "log.csv"
    path.write_text("train_loss,val_loss\n1,2\n0.5,1\n")
    (run,) = read_runs(path)

    assert run.history.train == [1.0, 0.5]


def test_reads_hugging_face(tmp_path: Path) -> None:
    """The log history gives the curves, and the steps give the plan."""
    rows = [
        row
        for i, (train, val) in enumerate(zip(TRAIN, VAL, strict=True), start=1)
        for row in (
            {"epoch": i, "loss": train, "learning_rate": 1e-4, "step": 50 * i},
            {"epoch": i, "eval_loss": val, "eval_runtime": 1.0, "step": 50 * i},
        )
    ]
    state = {"log_history": rows, "max_steps": 500, "eval_steps": 50}
    (tmp_path / "trainer_state.json").write_text(json.dumps(state))
    (log,) = find_logs([tmp_path])
    (run,) = read_runs(log)

    assert [list(run.history.train), list(run.history.val)] == [TRAIN, VAL]
    assert run.history.planned == 10


def test_hugging_face_without_a_plan(tmp_path: Path) -> None:
    """Where the steps between evaluations are not given, there is no plan."""
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"log_history": [{"loss": 1, "eval_loss": 2, "step": 1}]}))

    assert read_runs(path)[0].history.planned is None


def test_reads_gapmons_own_report(tmp_path: Path) -> None:
    """The history beside the logs wins over them, with all that was measured."""
    _log_with(TensorBoardLogger(str(tmp_path), name="", version=""))
    columns = {
        "check": [1, 2],
        "epoch": [0, 1],
        "step": [5, 10],
        "val": [2.0, math.inf],
        "probe": [math.nan, 0.5],
        "loaders": [[1.0, math.nan], [2.0, 3.0]],
    }
    history = History.from_plain({"version": 1, "planned": 9, "columns": columns})
    stopped = StopReason("Target(2)", "reached", 1)
    outcome = Outcome(history=history, diagnosis=diagnose(history), stop_reason=stopped)
    gapmon_json.write(outcome, tmp_path / "gapmon.json")
    (log,) = find_logs([tmp_path])
    (run,) = read_runs(log)

    assert run.cut
    assert run.history == history
    assert run.history[1].loaders == (2.0, 3.0)


def test_a_report_that_was_changed_is_refused(tmp_path: Path) -> None:
    """There is one reader of the report, and it says what it has found."""
    (tmp_path / "gapmon.json").write_text('{"history": {"columns": {"val": [1.0]}}}')

    with pytest.raises(LogFormatError, match=r"cannot be read\. Found format None, version None"):
        read_runs(tmp_path / "gapmon.json")


def test_reads_json_lines(tmp_path: Path) -> None:
    """A line is a run, with its group and its marks; null is not known."""
    path = tmp_path / "runs.jsonl"
    lines = [
        {"id": "a", "repo": "one", "train": TRAIN, "val": VAL, "es_suspect": True},
        {"val": [1, None], "lr": [0.1, 0.1], "planned": 7},
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    first, second = read_runs(path)

    assert (first.name, first.group, first.cut) == ("a", "one", True)
    assert [list(first.history.train), list(first.history.val)] == [TRAIN, VAL]
    assert (second.name, second.group, second.cut) == ("runs.jsonl:2", "", False)
    assert math.isnan(second.history.val[1])
    assert second.history.planned == 7
    assert second.history.lr == [0.1, 0.1]


def test_folder_gives_each_log_once(tmp_path: Path) -> None:
    """Event files win over a CSV beside them, and other files are passed over."""
    _log_with(CSVLogger(str(tmp_path / "a"), name="", version=""))
    _log_with(TensorBoardLogger(str(tmp_path / "a"), name="", version=""))
    _log_with(CSVLogger(str(tmp_path / "b"), name="", version=""))
    (tmp_path / "data.csv").write_text("x,y\n1,2\n")
    (tmp_path / "settings.json").write_text("{}")

    assert [log.relative_to(tmp_path).parts for log in find_logs([tmp_path])] == [
        ("a",),
        ("b", "metrics.csv"),
    ]


def test_log_without_validation_has_no_run(tmp_path: Path) -> None:
    """A file that is named and has no validation loss gives nothing."""
    path = tmp_path / "data.csv"
    path.write_text("x,y\n1,2\n")

    assert read_runs(path) == []


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    """A missing path and an empty folder are named, with what could have been there."""
    with pytest.raises(LogFormatError, match=r"Found nothing there: .*gone\. Expected TensorB"):
        find_logs([tmp_path / "gone"])
    with pytest.raises(LogFormatError, match=r"Found no log in it: "):
        find_logs([tmp_path])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.jsonl", "{", r"cannot be read as \.jsonl: JSONDecodeError"),
        ("a.jsonl", '{"train": [1]}', r"cannot be read as \.jsonl: KeyError\('val'\)"),
        ("a.json", "[1]", r"cannot be read as \.json"),
        ("a.txt", "", r"expected a \.csv, \.json or \.jsonl file or TensorBoard event files"),
    ],
)
def test_broken_log_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    """A file that is not what its name says is refused, with the file and the reason."""
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(LogFormatError, match=message):
        read_runs(path)
