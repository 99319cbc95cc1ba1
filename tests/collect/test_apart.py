"""Data are read in a process of their own, and what they are here stays as it was."""

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import ConcatDataset, DataLoader, Subset, TensorDataset

from lightning_gapmon.collect import apart
from lightning_gapmon.collect.apart import Served, answers, is_plain, opened
from lightning_gapmon.errors import DataError


class Opening:
    """Opens its file at the first sample."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: Any = None

    def __getitem__(self, index: int) -> bytes:
        """Read a byte."""
        if self.file is None:
            self.file = self.path.open("rb", buffering=0)
        self.file.seek(index)
        found: bytes = self.file.read(1)
        return found

    def close(self) -> None:
        """Close it."""
        if self.file is not None:
            self.file.close()

    __del__ = close


class Refusing:
    """Raises what nothing can pickle, or lets its process die."""

    def __getitem__(self, index: int) -> int:
        """Fail."""
        if index:
            os._exit(3)
        raise _OddError(1, 2)


class _OddError(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def _item(data: Any, index: int) -> object:  # noqa: ANN401 - whatever is read
    return data[index]


def _read(data: object, *indices: int, like: Any = None) -> list[Any]:  # noqa: ANN401
    return [opened(answer) for answer in answers(Served(data, like), _item, indices)]


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Opening]:
    """Serve the bytes of a file."""
    path = tmp_path / "file"
    path.write_bytes(bytes(range(10)))
    opening = Opening(path)
    yield opening
    opening.close()


@pytest.fixture
def _cannot_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")


def test_nothing_is_opened_here(data: Opening) -> None:
    """The process opens what it needs, and is gone with the last answer."""
    assert _read(data, 3, 1) == [b"\x03", b"\x01"]
    assert data.file is None
    assert multiprocessing.active_children() == []


def test_what_is_open_here_keeps_its_place(data: Opening) -> None:
    """A process that inherits a file reads it at a place of its own."""
    assert data[4] == b"\x04"
    assert _read(data, 8) == [b"\x08"]
    assert data.file.tell() == 5


def test_a_process_ends_with_a_reading_that_is_given_up(data: Opening) -> None:
    """Whoever stops asking leaves nobody behind."""
    reading = answers(Served(data), _item, range(9))
    next(reading)
    del reading

    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("_cannot_fork")
def test_a_copy_is_read_where_nothing_can_be_forked(data: Opening) -> None:
    """As a worker that is spawned would have it."""
    assert _read(data, 3) == [b"\x03"]
    assert data.file is None


@pytest.mark.usefixtures("_cannot_fork")
def test_what_cannot_be_copied_is_refused(data: Opening) -> None:
    """The message says what would work."""
    data[0]
    with pytest.raises(DataError, match=r"Found a Opening that cannot be pickled .*num_workers"):
        _read(data, 3)


def test_a_spawned_worker_reads_as_the_users_would(data: Opening) -> None:
    """The start method is that of the user's loader."""
    numbers: Any = [0]
    like = DataLoader[int](numbers, num_workers=1, multiprocessing_context="spawn")

    assert _read(data, 3, like=like) == [b"\x03"]


def test_random_numbers_are_the_same_at_each_reading() -> None:
    """Augmentation is drawn alike, and nothing is drawn here."""

    class Noisy:
        def __getitem__(self, index: int) -> float:
            return index + float(torch.rand(()))

    before = torch.get_rng_state()
    first, second = _read(Noisy(), 1, 2), _read(Noisy(), 1, 2)

    assert first == second
    assert torch.equal(before, torch.get_rng_state())


def test_an_error_is_the_one_that_was_raised() -> None:
    """With where it was raised as its cause; its words alone where it cannot be pickled."""
    with pytest.raises(IndexError, match="list index out of range") as raised:
        _read([1], 4)
    assert "_item" in str(raised.value.__cause__)
    with pytest.raises(RuntimeError, match="_OddError: 1 and 2"):
        _read(Refusing(), 0)


def test_a_process_that_dies_is_said() -> None:
    """It does not hang, and says what to do."""
    with pytest.raises(DataError, match=r"a process that was to read data and failed: .*exited"):
        _read(Refusing(), 1)


def test_a_process_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time."""

    class Hanging:
        def __getitem__(self, _: int) -> None:
            time.sleep(60)

    monkeypatch.setattr(apart, "SECONDS", 0.2)
    with pytest.raises(DataError, match="timed out"):
        _read(Hanging(), 1)


def test_memory_is_plain_and_all_else_is_not() -> None:
    """Only what is known to change nothing is read here."""
    base = TensorDataset(torch.zeros(3))

    class Own(TensorDataset):
        pass

    assert all(
        map(is_plain, (base, Subset(base, [0]), ConcatDataset([base, base]), [1], range(2)))
    )
    assert not any(map(is_plain, (Own(torch.zeros(3)), Subset(Own(torch.zeros(3)), [0]), "text")))
