"""`gapmon.json` while a fit goes on."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lightning_utilities.core.rank_zero import rank_zero_only

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.rules.rule import StopReason
from lightning_gapmon.analysis.verdicts.diagnose import diagnose
from lightning_gapmon.logs import gapmon_json
from lightning_gapmon.monitor.output import ending
from lightning_gapmon.monitor.output.running_report import RunningReport

HISTORY = History.from_curves(train=[1.0, 0.9], val=[1.1, 1.0])
GOING = Outcome(history=HISTORY, diagnosis=diagnose(HISTORY, live=True), ended=False)
STOPPED = replace(GOING, stop_reason=StopReason(rule="Patience(1)", message="no better", check=2))


@pytest.fixture(autouse=True)
def _rank_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be the rank that writes, as Lightning says once it is there."""
    monkeypatch.setattr(rank_zero_only, "rank", 0, raising=False)


def _trainer(folder: Path, *, rank: int = 0) -> Any:  # noqa: ANN401 - what the report reads of one
    logger = SimpleNamespace(log_dir=str(folder))
    return SimpleNamespace(is_global_zero=rank == 0, loggers=[logger])


@dataclass
class Desk:
    """A clock that stands, and a writer that takes ten seconds."""

    now: float = 0.0
    wrote: list[float] = field(default_factory=list)
    fails: bool = False

    def leave(self, outcome: Outcome, folder: str) -> bool:
        """Write."""
        assert outcome.history
        assert folder
        self.wrote.append(self.now)
        self.now += 10.0
        return not self.fails


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The desk at which reports are written in a test."""
    found = Desk()
    monkeypatch.setattr(ending, "leave_report", found.leave)
    monkeypatch.setattr(time, "monotonic", lambda: found.now)
    return found


def test_it_is_written_when_it_costs_less_than_a_hundredth(desk: Desk, tmp_path: Path) -> None:
    """At the first check, and 1,000 seconds after the end of a writing that took ten."""
    report = RunningReport()
    for now in (0.0, 500.0, 1009.0, 1011.0, 1500.0):
        desk.now = now
        report.check(_trainer(tmp_path), GOING)

    assert desk.wrote == [0.0, 1011.0]


def test_a_stop_is_written_at_once_and_once(desk: Desk, tmp_path: Path) -> None:
    """The check that stops the run is in the report, however short ago the last was."""
    report = RunningReport()
    for now, outcome in ((0.0, GOING), (20.0, STOPPED), (40.0, STOPPED), (60.0, GOING)):
        desk.now = now
        report.check(_trainer(tmp_path), outcome)

    assert desk.wrote == [0.0, 20.0]


def test_one_that_cannot_be_written_is_not_tried_at_each_check(desk: Desk, tmp_path: Path) -> None:
    """A full disk is met once, and again at the end of the fit."""
    desk.fails = True
    report = RunningReport()
    for now in (0.0, 1e6, 1e7):
        desk.now = now
        report.check(_trainer(tmp_path), GOING)

    assert desk.wrote == [0.0]


def test_only_rank_zero_writes(desk: Desk, tmp_path: Path) -> None:
    """Other ranks have nothing to do with files."""
    RunningReport().check(_trainer(tmp_path, rank=1), GOING)

    assert desk.wrote == []


def test_what_is_written_says_that_the_run_goes_on(tmp_path: Path) -> None:
    """A run that is killed now has left what it knew."""
    RunningReport().check(_trainer(tmp_path), GOING)
    left = gapmon_json.read(tmp_path / gapmon_json.NAME)

    assert not left.ended
    assert left.history == HISTORY
