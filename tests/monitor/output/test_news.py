"""What leaves a fit for others, in fits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger
from tests.fits import Scripted, fit

from lightning_gapmon import GapMonitor, Patience
from lightning_gapmon.logs import gapmon_json

UP = [1.0, 0.6, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5]


class Reader(Callback):
    """Reads the report after each check, and ends the fit in the way it is told to."""

    def __init__(self, folder: Path, *, fails_at: int = 0) -> None:
        self.path, self.fails_at = folder / gapmon_json.NAME, fails_at
        self.seen: list[tuple[int, bool]] = []

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look at what is there."""
        if self.path.exists():
            left = gapmon_json.read(self.path)
            self.seen.append((len(left.history), left.ended))
        if self.fails_at and trainer.current_epoch == self.fails_at:
            msg = "killed"
            raise RuntimeError(msg)


def _log(folder: Path) -> tuple[CSVLogger, Path]:
    logger = CSVLogger(str(folder), name=None, version="run")
    return logger, folder / "run"


def test_verdict_stop_and_end_are_told_with_plain_data(tmp_path: Path) -> None:
    """The function hears of a fit that memorises, from its own check on, and of why it ended."""
    events: list[Mapping[str, Any]] = []
    monitor = GapMonitor(stop=Patience(4), summary=False, on_verdict=events.append)
    fit(Scripted(UP), tmp_path, monitor, max_epochs=8)
    kinds = [event["event"] for event in events]

    assert kinds[-2:] == ["stop", "end"]
    assert {*kinds[:-2]} <= {"verdict"}
    stop, end = events[-2:]
    assert (stop["check"], stop["best"]) == (7, {"check": 3, "val": pytest.approx(0.5)})
    assert stop["stopped_by"].startswith("no improvement for 4 checks")
    assert end["verdict"] == monitor.diagnosis.verdict
    assert end["text"].startswith("ended after 7 checks of 8: ")


def test_a_function_that_fails_ends_no_fit(tmp_path: Path) -> None:
    """What it raises is a warning, and the fit goes to its end."""

    def fail(_: Mapping[str, Any]) -> None:
        raise ZeroDivisionError

    with pytest.warns(UserWarning, match="fail, which raised ZeroDivisionError"):
        monitor = fit(
            Scripted(UP), tmp_path, GapMonitor(stop=None, summary=False, on_verdict=[fail])
        )

    assert len(monitor.history) == 3


def test_the_report_is_there_from_the_first_check_on(tmp_path: Path) -> None:
    """It says that the run goes on, and at the end that it has ended."""
    logger, folder = _log(tmp_path)
    reader = Reader(folder)
    fit(Scripted(UP), tmp_path, GapMonitor(summary=False), reader, logger=logger)

    assert reader.seen[0] == (1, False)
    assert not any(ended for _, ended in reader.seen)
    left = gapmon_json.read(folder / gapmon_json.NAME)
    assert (len(left.history), left.ended) == (3, True)


def test_a_run_that_fails_has_a_report(tmp_path: Path) -> None:
    """All checks until the exception are in it, and the exception's name."""
    logger, folder = _log(tmp_path)
    reader = Reader(folder, fails_at=2)
    events: list[Mapping[str, Any]] = []
    monitor = GapMonitor(summary=False, on_verdict=events.append)
    with pytest.raises(RuntimeError, match="killed"):
        fit(Scripted(UP), tmp_path, monitor, reader, logger=logger)
    left = gapmon_json.read(folder / gapmon_json.NAME)

    assert (len(left.history), left.interrupted_by) == (2, "RuntimeError")
    assert events[-1]["interrupted_by"] == "RuntimeError"


def test_without_a_logger_nothing_is_written(tmp_path: Path) -> None:
    """Nobody named a folder, so there is no report in one."""
    fit(Scripted(UP), tmp_path)

    assert [*tmp_path.rglob(gapmon_json.NAME)] == []
