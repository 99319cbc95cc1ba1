"""Run one function on several ranks and hand back what each of them returned.

No port is chosen: the ranks meet through a file. A rank that fails, dies of a signal, leaves
without a result or does not finish in time fails the calling test.
"""

import contextlib
import pickle
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch.distributed as dist
from torch.multiprocessing.spawn import ProcessContext, ProcessRaisedException, spawn


class RankError(Exception):
    """A rank raised: the message is the traceback of the first one that did."""


def run_ranks(
    body: Callable[..., Any],  # any arguments, any picklable result
    *args: object,
    world_size: int,
    folder: Path,
    seconds: float = 60,
) -> list[Any]:
    """Call `body(rank, *args)` in a gloo group of `world_size` fresh processes.

    Args:
        body: A function at the top level of its module: the processes import it.
        *args: Picklable arguments after the rank.
        world_size: How many processes.
        folder: An empty folder in which they meet and leave their results.
        seconds: How long all of them together may take, their start included.

    Returns:
        What each rank returned, in rank order.

    Raises:
        RankError: A rank raised.
        ProcessExitedException: A rank died of a signal.
        TimeoutError: A rank was still running after `seconds`; all are killed.
    """
    context = spawn(_rank, (world_size, folder, body, args), world_size, join=False)
    try:
        _join(context, body.__name__, seconds)
    except ProcessRaisedException as error:
        first = folder / "first_error"
        raise RankError(first.read_text("utf-8") if first.exists() else str(error)) from error
    return [pickle.loads((folder / f"{rank}.pkl").read_bytes()) for rank in range(world_size)]  # noqa: S301


def _join(context: ProcessContext, name: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    # join() returns False after each rank that ends well, so it is asked until all have.
    while not context.join(timeout=max(0.0, deadline - time.monotonic())):
        if time.monotonic() >= deadline:
            for process in context.processes:
                process.kill()
                process.join()
            msg = f"{name} still ran after {seconds} s"
            raise TimeoutError(msg)


def _rank(
    rank: int, world_size: int, folder: Path, body: Callable[..., Any], args: tuple[object, ...]
) -> None:
    dist.init_process_group(
        "gloo",
        init_method=(folder / "rendezvous").as_uri(),
        rank=rank,
        world_size=world_size,
        timeout=timedelta(seconds=30),
    )
    try:
        dist.barrier()  # all are connected before any of them may fail
        (folder / f"{rank}.pkl").write_bytes(pickle.dumps(body(rank, *args)))
    except BaseException:
        # Before the group is left: that makes the others fail as well, of a lost connection.
        with contextlib.suppress(FileExistsError), (folder / "first_error").open("x") as file:
            file.write(traceback.format_exc())
        raise
    finally:
        dist.destroy_process_group()
