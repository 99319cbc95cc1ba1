"""What the parent knows after `ddp_spawn` and `ddp_fork`, whose processes take all with them."""

import copy
import pickle
from pathlib import Path

import pytest
from tests.strategies.launch import command, results, run_ranks_of

from lightning_gapmon import GapMonitor, History
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.verdicts.diagnose import diagnose
from lightning_gapmon.monitor.output.handover import Mailbox

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


def _post(mailbox: Mailbox, rank: int) -> None:
    mailbox.post(OUTCOME, local_rank=rank)


def _post_elsewhere(mailbox: Mailbox, folder: Path, rank: int = 0) -> None:
    assert run_ranks_of(_post, mailbox, rank, ranks=1, folder=folder) == [0]


def test_mail_is_taken_once(tmp_path: Path) -> None:
    """What a child leaves is taken by its parent, and then gone."""
    mailbox = Mailbox()
    _post_elsewhere(mailbox, tmp_path)

    assert mailbox.take() == OUTCOME
    assert mailbox.take() is None


def test_only_children_of_the_first_local_rank_post(tmp_path: Path) -> None:
    """Other ranks leave nothing, nor does a fit in the process itself."""
    mailbox = Mailbox()
    _post_elsewhere(mailbox, tmp_path, rank=1)
    _post(mailbox, rank=0)

    assert mailbox.take() is None


def test_a_pickle_has_the_same_mailbox_and_a_copy_its_own(tmp_path: Path) -> None:
    """What is sent to a process posts to its parent; a deep copy that fits does not overwrite."""
    mailbox = Mailbox()
    copied = copy.deepcopy(mailbox)
    _post_elsewhere(pickle.loads(pickle.dumps(mailbox)), tmp_path)  # noqa: S301

    assert copied.take() is None
    assert mailbox.take() == OUTCOME


def test_mail_that_is_never_taken_goes_with_its_owner(tmp_path: Path) -> None:
    """Nothing is left in the temporary folder."""
    mailbox = Mailbox()
    _post_elsewhere(mailbox, tmp_path)
    path = mailbox._path
    there = path.exists()
    del mailbox

    assert there
    assert not path.exists()


def test_a_monitor_forgets_its_last_fit_for_the_mail(tmp_path: Path) -> None:
    """All that is asked of the monitor comes from the fit that ended last, in whatever process."""
    monitor = GapMonitor()
    _post_elsewhere(monitor._mailbox, tmp_path)

    assert monitor.history == OUTCOME.history
    assert monitor.best == OUTCOME.history[1]
    assert monitor.outcome == OUTCOME
    assert monitor.stop_reason is None
    assert monitor.diagnosis == OUTCOME.diagnosis


def test_mail_that_cannot_be_left_is_said(tmp_path: Path) -> None:
    """A temporary folder without space costs the parent its news, not the fit its end."""
    mailbox = Mailbox()
    mailbox._owner = 0  # as in a process that another one started
    (tmp_path / "file").touch()
    mailbox._path = tmp_path / "file" / "outcome.json"

    with pytest.warns(UserWarning, match="could not be written"):
        _post(mailbox, rank=0)
