"""Logs are found by what they are, each is read in a fence, and the rest is there."""

import json
import os
from pathlib import Path

import fsspec
import pytest
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from tests.logs.event_files.written import simple, write
from tests.logs.readings import read_all, read_one, refusal

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.rules.rule import StopReason
from lightning_gapmon.analysis.study import Run
from lightning_gapmon.analysis.verdicts.diagnose import diagnose
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs import formats, gapmon_json
from lightning_gapmon.logs.formats import Log, find_logs, find_runs, read_log
from lightning_gapmon.logs.places import Place

TRAIN, VAL = [1.0, 0.5, 0.25], [1.5, 1.0, 1.25]


def _log_with(logger: CSVLogger | TensorBoardLogger) -> None:
    for epoch, (train, val) in enumerate(zip(TRAIN, VAL, strict=True)):
        step = 10 * (epoch + 1)
        logger.log_metrics({"lr-SGD": 0.1}, step=step - 5)
        logger.log_metrics({"val_loss": val, "epoch": epoch}, step=step)
        logger.log_metrics({"train_loss_epoch": train, "epoch": epoch}, step=step)
    logger.save()
    logger.finalize("success")


def _events(folder: Path, *, start: float = 2.0) -> Path:
    losses = {"loss/train": start, "loss/val": start + 1, "epoch": 0.0}
    return write(folder, [simple(tag, 1, value) for tag, value in losses.items()])


def _report(path: Path, *, stopped: bool = False) -> None:
    history = History.from_curves(train=TRAIN, val=VAL, planned=9)
    reason = StopReason(rule="Patience(1)", message="no better", check=3) if stopped else None
    outcome = Outcome(history=history, diagnosis=diagnose(history), stop_reason=reason)
    gapmon_json.write(outcome, path)


@pytest.mark.parametrize("kind", [CSVLogger, TensorBoardLogger])
def test_reads_lightnings_loggers(
    tmp_path: Path, kind: type[CSVLogger] | type[TensorBoardLogger]
) -> None:
    """Both losses, the rate and the steps come back as they were logged."""
    _log_with(kind(str(tmp_path), name="run", version=0))
    run = read_one(tmp_path)

    assert run.history.train == TRAIN
    assert run.history.val == VAL
    assert run.history.step == [10, 20, 30]
    assert run.history.epoch == [0, 1, 2]
    assert run.history.lr == [pytest.approx(0.1)] * 3
    assert "run" in run.name


def test_a_run_behind_a_url_is_the_run_itself(tmp_path: Path) -> None:
    """Every format, in a folder that fsspec knows, is named by its URL."""
    _events(tmp_path / "events")
    _report(tmp_path / "report" / "gapmon.json")
    (tmp_path / "log.csv").write_text("loss,val_loss\n1,2\n")
    url = f"memory://{tmp_path.name}"
    fsspec.filesystem("memory").put(str(tmp_path), f"/{tmp_path.name}", recursive=True)

    local, remote = read_all(tmp_path), read_all(url)
    assert len(local) == 3
    assert [run.history for run in remote] == [run.history for run in local]
    assert [run.name for run in remote] == [run.name.replace(str(tmp_path), url) for run in local]


def test_event_file_can_be_named_itself(tmp_path: Path) -> None:
    """Then it alone is read."""
    file = _events(tmp_path)

    assert read_one(file).history.val == [3.0]


def test_gapmons_own_report_goes_first(tmp_path: Path) -> None:
    """It has all that was measured, and says whether the run was stopped."""
    _events(tmp_path)
    _report(tmp_path / "gapmon.json", stopped=True)
    run = read_one(tmp_path)

    assert (run.name, run.cut) == (str(tmp_path), True)
    assert run.history.val == VAL
    assert run.history.planned == 9


def test_a_report_that_cannot_be_read_gives_way_to_the_events_beside_it(tmp_path: Path) -> None:
    """A damaged report is said, and its run is read from what TensorBoard has."""
    _events(tmp_path)
    _report(tmp_path / "gapmon.json")
    (tmp_path / "gapmon.json").write_text('{"format": "gapmon"', encoding="utf-8")
    found = find_runs([tmp_path])

    assert [run.history.val[0] for run in found.runs] == [3.0]
    assert [skipped.path for skipped in found.skipped] == [str(tmp_path / "gapmon.json")]


def test_several_fits_of_one_trainer_are_several_runs(tmp_path: Path) -> None:
    """Each has its report, with a number from the second on."""
    for name in ("gapmon.json", "gapmon-1.json", "gapmon-2.json", "gapmon-x.json"):
        _report(tmp_path / name)

    assert [Path(run.name).name for run in read_all(tmp_path)] == [
        "gapmon-1.json",
        "gapmon-2.json",
        tmp_path.name,
    ]


def test_folder_gives_each_log_once(tmp_path: Path) -> None:
    """Event files win over a CSV beside them, and other files are passed over."""
    _log_with(CSVLogger(str(tmp_path / "a"), name="", version=""))
    _log_with(TensorBoardLogger(str(tmp_path / "a"), name="", version=""))
    _log_with(CSVLogger(str(tmp_path / "b"), name="", version=""))
    (tmp_path / "data.csv").write_text("x,y\n1,2\n")
    (tmp_path / "settings.json").write_text("{}")
    (tmp_path / "a" / "link").symlink_to(tmp_path)

    assert [Path(str(log)).relative_to(tmp_path).parts for log in find_logs([tmp_path])] == [
        ("a",),
        ("b", "metrics.csv"),
    ]


def test_one_bad_log_does_not_end_the_rest(tmp_path: Path) -> None:
    """What was not read is listed with the reason, also within a run that was."""
    _events(tmp_path / "a good")
    os.mkfifo(tmp_path / "a good" / "tfevents.pipe")
    (tmp_path / "tfevents of all runs").mkdir()
    (tmp_path / "trainer_state.json").symlink_to(tmp_path / "gone")
    damaged = _events(tmp_path / "b damaged")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    (tmp_path / "c.jsonl").write_text("{")
    (tmp_path / "d.csv").write_text(f"val_loss\n{'9' * 200_000}\n")
    (tmp_path / "gapmon").mkdir()
    (tmp_path / "gapmon" / "gapmon.json").write_text("{}")
    write(tmp_path / "train only", [simple("train_loss", 1, 1.0)])
    found = find_runs([tmp_path])

    assert [Path(run.name).name for run in found.runs] == ["a good", "b damaged"]
    reasons = {Path(skipped.path).name: skipped.reason for skipped in found.skipped}
    assert list(reasons) == [
        "c.jsonl",
        "d.csv",
        "trainer_state.json",
        "tfevents.pipe",
        damaged.name,
        "gapmon.json",
        "train only",
    ]
    assert reasons["trainer_state.json"] == "a link that leads nowhere"
    assert reasons["tfevents.pipe"] == "byte 0: a pipe, no event file"
    assert "a record of which only" in reasons[damaged.name]
    assert "Found format None" in reasons["gapmon.json"]
    assert reasons["train only"] == "no validation loss beside train_loss"


def test_what_no_reader_foresees_is_fenced_too(tmp_path: Path) -> None:
    """Whatever goes wrong in one log, the others are read."""

    def fail(_: Place) -> list[Run]:
        raise errors.pop()

    (place,) = (log.place for log in find_logs([_events(tmp_path)]))
    errors = [ZeroDivisionError("by zero"), PermissionError(13, "Permission denied")]

    assert [str(*read_log(Log(place, fail)).skipped) for _ in [*errors]] == [
        f"{place.path}: cannot be read (Permission denied)",
        f"{place.path}: cannot be read (ZeroDivisionError: by zero)",
    ]


def test_a_folder_that_cannot_be_listed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its logs may have been the ones that mattered."""
    place = Place(str(tmp_path), "other", "a folder that cannot be listed")
    monkeypatch.setattr(formats, "walk", lambda _: [(place, [])])

    assert refusal(tmp_path) == "a folder that cannot be listed"


def test_too_many_checks_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A history of each step's validation loss would not fit into memory."""
    monkeypatch.setattr("lightning_gapmon.logs.readers.curves.MOST_CHECKS", 2)
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"val": VAL}))

    assert refusal(path) == "line 1: 3 validation losses; a run has up to 2 checks"


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    """A missing path, an empty folder and another file are named, with what could be there."""
    other = tmp_path / "a.txt"
    other.touch()

    with pytest.raises(LogFormatError, match=r"Found nothing there: .*gone\. Expected TensorB"):
        find_logs([tmp_path / "gone"])
    with pytest.raises(LogFormatError, match=r"Found no log in it: .*a JSON|Found no log in it: "):
        find_logs([tmp_path])
    with pytest.raises(LogFormatError, match=r"a\.txt, which is no log by its name\. Expected T"):
        find_logs([other])
