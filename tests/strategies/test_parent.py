"""What the parent knows after `ddp_spawn` and `ddp_fork`, whose processes take all with them."""

import copy
import pickle
from pathlib import Path

import pytest
from tests.strategies.launch import command, results, run_ranks_of

from lightning_gapmon import GapMonitor, History
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.verdicts.diagnose import diagnose
from lightning_gapmon.monitor.output.handover import HandOver

SOURCES = ("history", "best", "stop_reason", "restored", "best_path", "notes")
OUTCOME = Outcome(
    history=History.from_curves(train=[2.0, 1.0], val=[2.5, 1.5]),
    diagnosis=diagnose(History()),
    best_path="best.ckpt",
)


def test_the_parent_knows_what_its_processes_knew(tmp_path: Path) -> None:
    """History, reason, best check and path are in the monitor of the process that called fit."""
    options = ("--strategy", "ddp_spawn", "--devices", 2, "--only-whole", "--out", tmp_path)
    code, output = command("-m", "tests.strategies.fit_script", *options, folder=tmp_path)

    assert code == 0, output
    (parent,) = results(tmp_path, what="process")
    ranks = results(tmp_path)
    assert len(ranks) == 2
    for rank in ranks:
        for name in SOURCES:
            assert str(parent[name]) == str(rank[name])  # as text: NaN is NaN
    assert "no improvement for 2 checks" in parent["stop_reason"]
    assert Path(parent["best_path"]).exists()


def _leave(handover: HandOver, rank: int) -> None:
    handover.leave(OUTCOME, local_rank=rank)


def _leave_elsewhere(handover: HandOver, folder: Path, rank: int = 0) -> None:
    assert run_ranks_of(_leave, handover, rank, ranks=1, folder=folder) == [0]


def test_an_outcome_is_fetched_once(tmp_path: Path) -> None:
    """What a child leaves is fetched by its parent, and then gone."""
    handover = HandOver()
    _leave_elsewhere(handover, tmp_path)

    assert handover.fetch() == OUTCOME
    assert handover.fetch() is None


def test_only_children_of_the_first_local_rank_leave(tmp_path: Path) -> None:
    """Other ranks leave nothing, nor does a fit in the process itself."""
    handover = HandOver()
    _leave_elsewhere(handover, tmp_path, rank=1)
    _leave(handover, rank=0)

    assert handover.fetch() is None


def test_a_pickle_is_the_same_handover_and_a_copy_has_its_own(tmp_path: Path) -> None:
    """What is sent to a process leaves its outcome to its parent; a copy overwrites nothing."""
    handover = HandOver()
    copied = copy.deepcopy(handover)
    _leave_elsewhere(pickle.loads(pickle.dumps(handover)), tmp_path)  # noqa: S301

    assert copied.fetch() is None
    assert handover.fetch() == OUTCOME


def test_an_outcome_that_is_never_fetched_goes_with_its_owner(tmp_path: Path) -> None:
    """Nothing is left in the temporary folder."""
    handover = HandOver()
    _leave_elsewhere(handover, tmp_path)
    path = handover._path
    there = path.exists()
    del handover

    assert there
    assert not path.exists()


def test_a_monitor_forgets_its_last_fit_for_what_is_handed_over(tmp_path: Path) -> None:
    """All that is asked of the monitor comes from the fit that ended last, in whatever process."""
    monitor = GapMonitor()
    _leave_elsewhere(monitor._results._handover, tmp_path)

    assert monitor.history == OUTCOME.history
    assert monitor.best == OUTCOME.history[1]
    assert monitor.outcome == OUTCOME
    assert monitor.stop_reason is None
    assert monitor.diagnosis == OUTCOME.diagnosis


def test_an_outcome_that_cannot_be_left_is_said(tmp_path: Path) -> None:
    """A temporary folder without space costs the parent its news, not the fit its end."""
    handover = HandOver()
    handover._owner = 0  # as in a process that another one started
    (tmp_path / "file").touch()
    handover._path = tmp_path / "file" / "outcome.json"

    with pytest.warns(UserWarning, match="could not be written"):
        _leave(handover, rank=0)
