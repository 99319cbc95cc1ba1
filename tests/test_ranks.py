"""The rank runner: whatever goes wrong on a rank fails the test that started it."""

import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from tests.ranks import RankError, run_ranks
from torch.multiprocessing.spawn import ProcessExitedException


def _sum_of_ranks(rank: int, factor: float) -> tuple[int, float]:
    time.sleep(0.3 * (1 - rank))  # the last rank is done first
    total = torch.tensor(rank * factor)
    dist.reduce(total, dst=0)
    return rank, total.item()


def _raise_on_one(rank: int) -> None:
    if rank == 1:
        msg = "rank 1 gives up"
        raise ArithmeticError(msg)
    dist.barrier()


def _die_on_one(rank: int) -> None:
    if rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(600)


def _leave_without_result(_rank: int) -> None:
    os._exit(0)


def _hang(_rank: int) -> None:
    time.sleep(600)


def test_results_come_in_rank_order(tmp_path: Path) -> None:
    """Ranks reduce together and their results are listed by rank, whoever is done first."""
    results = run_ranks(_sum_of_ranks, 3.0, world_size=2, folder=tmp_path)

    assert [rank for rank, _ in results] == [0, 1]
    assert results[0] == (0, 3.0)


def test_a_rank_that_raises_fails_the_test(tmp_path: Path) -> None:
    """The first error reaches the caller, though the others then fail of a lost connection."""
    with pytest.raises(RankError, match="ArithmeticError: rank 1 gives up"):
        run_ranks(_raise_on_one, world_size=2, folder=tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals that kill")
def test_a_rank_that_dies_of_a_signal_fails_the_test(tmp_path: Path) -> None:
    """A killed rank is no rank that ended well."""
    with pytest.raises(ProcessExitedException, match="process 1 terminated with signal SIGKILL"):
        run_ranks(_die_on_one, world_size=2, folder=tmp_path)


def test_a_rank_that_leaves_without_a_result_fails_the_test(tmp_path: Path) -> None:
    """A rank that exits with 0 before it returned is missed."""
    with pytest.raises(FileNotFoundError, match=r"0\.pkl"):
        run_ranks(_leave_without_result, world_size=1, folder=tmp_path)


def test_a_rank_that_hangs_fails_the_test(tmp_path: Path) -> None:
    """After the deadline the caller gets an error and no process is left."""
    with pytest.raises(TimeoutError, match=r"_hang still ran after 0\.5 s"):
        run_ranks(_hang, world_size=2, folder=tmp_path, seconds=0.5)

    assert multiprocessing.active_children() == []
