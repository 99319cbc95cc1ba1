"""Reading a user's data in a process of its own, so that their object here stays as it is.

A dataset that opens its file at the first sample must not do so here: workers that are forked
later would share the file's position, and get each other's samples. Nor may its own generator be
drawn from, its cache be filled or its counters be moved by anyone but training.
"""

import multiprocessing
import os
import pickle
import stat
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    Subset,
    TensorDataset,
    get_worker_info,
)

from lightning_gapmon.errors import DataError

SEED = 0
SECONDS = 300.0  # without an answer: a process that was forked from a busy one may hang

Read = Callable[[Any, Any], object]


def is_plain(data: object) -> bool:
    """Tell whether reading changes nothing, for the values lie in memory and that is all.

    Example:
        >>> is_plain(Subset(TensorDataset(torch.zeros(3)), [0])), is_plain(["a", "b"])
        (True, True)
    """
    if type(data) is Subset:
        return is_plain(data.dataset)
    if type(data) is ConcatDataset:
        return all(map(is_plain, data.datasets))
    return type(data) in (TensorDataset, list, tuple, range)


class Served(NamedTuple):
    """Data to be read.

    Attributes:
        data: Whatever gives a sample for an index.
        loader: The user's loader of them; a process that reads them gets its settings.
    """

    data: Any
    loader: "DataLoader[Any] | None" = None


def answers(served: Served, read: Read, requests: Sequence[Any]) -> Iterator[bytes]:
    """Read data once for each request, in a process of its own, which ends with the iterator.

    The process is started as the user's own workers are, by the settings of their loader; a
    loader without workers, or none, has one forked. Where nothing can be forked (Windows, macOS)
    a pickled copy of the data is read here. Random numbers are the same at each reading.

    Args:
        served: What is read.
        read: Gives what is wanted of the data, for a request; it runs in the process.
        requests: What to ask for, in this order.

    Returns:
        The answers, pickled: `opened` gives them, or raises what was raised.

    Raises:
        DataError: The data cannot be copied, or the process does not answer.

    Example:
        >>> squares = answers(Served([1, 2, 3]), lambda data, index: data[index] ** 2, [0, 2])
        >>> [opened(answer) for answer in squares]
        [1, 9]
    """
    if not _may_start(served.loader):
        own = _Asked(_copied(served.data), read)
        return (own[request] for request in requests)
    return _from_process(_loader(served, read, requests))


def opened(answer: bytes) -> Any:  # noqa: ANN401 - whatever was read
    """Give an answer, a new object each time, or raise what was raised in its place."""
    held = pickle.loads(answer)  # noqa: S301 - written by a process of our own
    if isinstance(held, _Failure):
        raise held.error from DataError(f"in the process that read the data:\n{held.told}")
    return held


class _Failure(NamedTuple):
    error: Exception
    told: str


class _Asked(Dataset[bytes]):
    """Data as something whose index is a request."""

    def __init__(self, data: object, read: Read) -> None:
        self.data, self.read = data, read

    def __getitem__(self, request: object) -> bytes:
        """Answer it, in bytes: these need no memory that is shared, of which there may be none."""
        try:
            return pickle.dumps(self.read(self.data, request))
        except Exception as error:  # noqa: BLE001 - a user's dataset may raise anything
            return pickle.dumps(_Failure(_portable(error), traceback.format_exc()))


def _portable(error: Exception) -> Exception:
    """Give an error, or its words where it cannot be pickled and read again."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - whatever its constructor takes
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _may_start(like: "DataLoader[Any] | None") -> bool:
    """Tell whether a process can be started: as the user's loader does, or by a fork."""
    if multiprocessing.current_process().daemon:
        return False  # it may have no children
    return _has_workers(like) or sys.platform.startswith("linux")


def _has_workers(like: "DataLoader[Any] | None") -> bool:
    return like is not None and like.num_workers > 0


def _loader(served: Served, read: Read, requests: Sequence[Any]) -> "DataLoader[bytes]":
    theirs = served.loader if _has_workers(served.loader) else None
    return DataLoader(
        _Asked(served.data, read),
        batch_size=None,
        sampler=requests,
        num_workers=1,
        prefetch_factor=1,
        collate_fn=_as_it_is,
        worker_init_fn=_Start(theirs),
        multiprocessing_context=theirs.multiprocessing_context if theirs else "fork",
        timeout=max(SECONDS, theirs.timeout if theirs else 0),
        generator=torch.Generator().manual_seed(SEED),
    )


def _as_it_is(answer: Any) -> Any:  # noqa: ANN401 - bytes, which torch takes for samples
    return answer


def _from_process(loader: "DataLoader[bytes]") -> Iterator[bytes]:
    with warnings.catch_warnings():  # Python 3.12: a process with threads is forked
        warnings.filterwarnings("ignore", ".*fork.*", DeprecationWarning)
        waiting = iter(loader)
    try:
        yield from waiting
    except RuntimeError as error:  # torch's: it was killed, or has not answered in time
        msg = (
            f"Found a process that was to read data and failed: {error}. Expected a dataset that "
            "can be read in a worker of a DataLoader. Give data that can, such as a TensorDataset."
        )
        raise DataError(msg) from error


class _Start:
    """What a process does first: get files of its own, then what the user's workers do."""

    def __init__(self, theirs: "DataLoader[Any] | None") -> None:
        self.dataset = theirs.dataset if theirs else None
        self.initialise = theirs.worker_init_fn if theirs else None

    def __call__(self, worker: int) -> None:
        _open_files_anew()
        if self.initialise is not None:
            # There it asks for the dataset, to open its files; plain setting is refused.
            object.__setattr__(get_worker_info(), "dataset", self.dataset)
            self.initialise(worker)


def _open_files_anew() -> None:
    """Give each file that was inherited open for reading a position of its own.

    A fork shares the positions of the files that are open already, with everyone.
    """
    try:
        numbers = [int(held.name) for held in Path("/proc/self/fd").iterdir()]
    except OSError:  # not Linux, where nothing is forked unless the user says so
        return
    for number in numbers:
        _open_anew(number)


def _open_anew(number: int) -> None:
    import fcntl  # noqa: PLC0415 - not on Windows

    try:
        reads_only = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
        if reads_only and stat.S_ISREG(os.fstat(number).st_mode):
            own = os.open(f"/proc/self/fd/{number}", os.O_RDONLY)
            os.lseek(own, os.lseek(number, 0, os.SEEK_CUR), os.SEEK_SET)
            os.dup2(own, number)
            os.close(own)
    except OSError:  # closed meanwhile, as the listing's own, or not to be opened again
        return


def _copied(data: Any) -> Any:  # noqa: ANN401 - whatever is read
    try:
        return pickle.loads(pickle.dumps(data))  # noqa: S301 - our own
    except Exception as error:
        msg = (
            f"Found a {type(data).__name__} that cannot be pickled ({error}); expected data that "
            "can be copied, for this system forks no process to read them apart. Use a DataLoader "
            "with num_workers, or give data that can be pickled."
        )
        raise DataError(msg) from error
