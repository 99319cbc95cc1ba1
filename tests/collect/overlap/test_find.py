"""Overlap: found with its indices, within its budget, and without leaving a trace."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from torch.utils.data import Dataset, IterableDataset, Subset, TensorDataset

from lightning_gapmon.analysis.overlap import Overlap
from lightning_gapmon.collect.apart import Served
from lightning_gapmon.collect.overlap import partition
from lightning_gapmon.collect.overlap.find import compare, find_overlap
from lightning_gapmon.collect.overlap.partition import About
from lightning_gapmon.errors import ConfigurationError

T = TypeVar("T")


class Noisy(Dataset[tuple[torch.Tensor, int]]):
    """Samples with random noise from all three sources, as under augmentation."""

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        noise = torch.rand(2) + random.random() + np.random.rand()  # noqa: NPY002, S311
        return index + noise, 0


class Stream(IterableDataset[int]):
    """A dataset without an index."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(3))


def test_finds_planted_samples() -> None:
    """Copies of training samples in validation are found with both indices, whatever the label."""
    dice = torch.Generator().manual_seed(0)
    train = torch.rand(50, 3, 4, generator=dice)
    val = torch.rand(20, 3, 4, generator=dice)
    val[3], val[11], val[12] = train[7], train[49], val[0]
    found = find_overlap(TensorDataset(train, torch.zeros(50)), TensorDataset(val, torch.ones(20)))

    assert found.shared == ((7, 3), (49, 11))
    assert found.repeated == ((0, 12),)
    assert (found.train_seen, found.val_seen, found.share) == (50, 20, 0.1)
    assert (found.train_size, found.val_size, found.notes) == (50, 20, ())
    assert 0 < found.seconds < 60


def test_fast_reading_leaves_the_items_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors are read as a whole: no sample of a TensorDataset is fetched by itself."""
    monkeypatch.setattr(TensorDataset, "__getitem__", None)
    base = TensorDataset(torch.arange(6.0).reshape(3, 2))

    assert find_overlap(base, Subset(base, [2])).shared == ((2, 0),)


def test_key_says_what_is_compared() -> None:
    """With a key, what it gives is compared and nothing else."""
    train, val = [("x", 1), ("y", 2)], [("z", 2)]

    assert find_overlap(train, val).shared == ()
    assert find_overlap(train, val, key=lambda sample: sample[1]).shared == ((1, 0),)


def test_reading_leaves_the_random_state() -> None:
    """Datasets that draw random numbers draw them without a trace."""
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # type: ignore[index] # noqa: NPY002
    find_overlap(Noisy(), Noisy())
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # type: ignore[index] # noqa: NPY002

    assert before[:2] == after[:2]
    assert torch.equal(before[2], after[2])


def test_random_state_is_given_back_after_an_error() -> None:
    """An error in a dataset is raised as it is, and the random state is given back."""
    before = torch.get_rng_state()

    class Broken(Noisy):
        def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
            super().__getitem__(index)
            raise KeyError(index)

    with pytest.raises(KeyError):
        find_overlap(Broken(), Noisy())
    assert torch.equal(before, torch.get_rng_state())


def test_says_when_samples_change() -> None:
    """A side whose samples differ from reading to reading is named."""
    note = (
        "training samples differ from one reading to the next, as under random augmentation: "
        "give the data before it"
    )

    assert find_overlap(Noisy(), list(range(20))).notes == (note,)


@pytest.mark.parametrize("stream", [Stream(), iter([1])])
def test_says_that_a_stream_is_not_read(stream: object) -> None:
    """A dataset without a length or an index is left alone, with a note."""
    note = (
        "the {} data are a stream, which is not read for this; give a dataset with a length and "
        "an index to find_overlap"
    )

    assert find_overlap(stream, [1]) == Overlap(notes=(note.format("training"),))
    assert find_overlap([1], stream) == Overlap(notes=(note.format("validation"),))
    assert find_overlap([1], stream).share == 0.0


def test_nothing_is_read_where_nothing_can_be_compared() -> None:
    """Beside a stream the other side is left alone."""

    class Unread(Noisy):
        def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
            raise AssertionError(index)

    assert len(find_overlap(Unread(), Stream()).notes) == 1
    assert len(find_overlap(Stream(), Unread()).notes) == 1


def test_limit_spreads_over_the_dataset() -> None:
    """A limit takes samples at equal distances, with their own indices, and says so."""
    found = find_overlap(list(range(100)), list(range(50, 60)), limit=10)

    assert found.shared == ((50, 0),)
    assert (found.train_seen, found.train_size) == (10, 100)
    assert found.notes == ("10 of 100 training samples were looked at",)


def test_time_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is over, what was read until then is compared, and it is said."""
    clock = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(partition, "CHUNK", 10)
    found = find_overlap(list(range(100)), list(range(100)), seconds=1.5)

    assert (found.train_seen, found.val_seen, len(found.shared)) == (20, 20, 20)
    assert found.notes == (
        "time ran out after 20 training samples of 100",
        "time ran out after 20 validation samples of 100",
    )


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function given as progress hears of each chunk, up to the end."""
    monkeypatch.setattr(partition, "CHUNK", 4)
    heard: list[tuple[int, int]] = []
    find_overlap([1] * 6, [2] * 3, progress=lambda done, total: heard.append((done, total)))

    assert heard == [(4, 9), (7, 9), (9, 9), (9, 9)]


def test_progress_bar_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """A progress bar names what is done; without one nothing is printed."""
    find_overlap([1], [2])
    silent = capsys.readouterr().out
    find_overlap([1], [2], progress=True)

    assert silent == ""
    assert "Comparing training and validation samples" in capsys.readouterr().out


@pytest.mark.parametrize("given", [{"limit": 0}, {"limit": 2.0}, {"seconds": 0}])
def test_nothing_to_do_is_refused(given: dict[str, float]) -> None:
    """A limit or a time that allows nothing is refused."""
    with pytest.raises(ConfigurationError, match="expected at least one sample and some time"):
        find_overlap([1], [1], **given)  # type: ignore[arg-type]


class Seat:
    """One of several threads that stand in for ranks."""

    def __init__(self, rank: int, table: list[Any], meeting: threading.Barrier) -> None:
        self.rank, self.table, self.meeting = rank, table, meeting

    def gather(self, make: Callable[[], T]) -> list[T]:
        """Lay it on the table, and take what all have laid there."""
        self.table[self.rank] = make()
        self.meeting.wait(10)
        everyone = list(self.table)
        self.meeting.wait(10)
        return everyone


def _together(sides: list[list[list[int]]], limit: int) -> list[list[Overlap]]:
    """Compare on one thread for each entry, which holds a training and a validation side."""
    meeting, table = threading.Barrier(len(sides)), [None] * len(sides)
    found: list[list[Overlap]] = [[] for _ in sides]

    def sit(rank: int) -> None:
        seat = Seat(rank, table, meeting)
        found[rank] = compare(lambda: list(map(Served, sides[rank])), limit=limit, group=seat)

    threads = [threading.Thread(target=sit, args=(rank,)) for rank in range(len(sides))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


few = st.lists(st.integers(0, 40), max_size=30)


def _findings(found: Overlap) -> Overlap:
    return replace(found, seconds=0.0)


@given(few, few, st.integers(1, 40), st.integers(1, 5))
def test_ranks_find_what_one_process_finds(
    train: list[int], val: list[int], limit: int, ranks: int
) -> None:
    """However many share the reading, the findings are those of one, and the same on each."""
    first, *others = _together([[train, val]] * ranks, limit)

    assert _findings(first[0]) == _findings(find_overlap(train, val, limit=limit))
    assert all(other == first for other in others)


@given(st.lists(st.tuples(few, few), min_size=2, max_size=4))
def test_ranks_with_parts_of_their_own_find_what_the_whole_has(
    parts: list[tuple[list[int], list[int]]],
) -> None:
    """Where each holds a part, indices are those of the parts one after the other."""
    sides = [[[100 + rank, *train], [-1 - rank, *val]] for rank, (train, val) in enumerate(parts)]
    (found,), *others = _together(sides, 999)
    whole = [[sample for rank in sides for sample in rank[side]] for side in (0, 1)]
    expected = find_overlap(*whole, limit=999)

    assert _findings(replace(found, notes=())) == _findings(expected)
    for note, side, name in zip(found.notes, (0, 1), ("training", "validation"), strict=True):
        sizes = ", ".join(f"{len(one[side])} samples on rank {i}" for i, one in enumerate(sides))

        assert note == (
            f"the {name} data are not the same on all ranks ({sizes}): indices count through "
            "those of one rank after the other"
        )
    assert all(other == [found] for other in others)


def test_several_validation_sides_are_read_with_one_training_side(tmp_path: Path) -> None:
    """Each is compared as if alone, a stream among them is said, and nothing is read again."""
    noted = tmp_path / "reads"

    class Counted(list[int]):
        def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - as a list has it
            with noted.open("a") as file:  # it is read in another process
                file.write(".")
            return super().__getitem__(index)

    sides = train, first, _, second = Counted(range(9)), [3, 20], Stream(), [8, 8, 30]
    found = compare(lambda: list(map(Served, sides)), limit=100)

    assert _findings(found[0]) == _findings(find_overlap(list(train), first))
    assert "the validation data are a stream" in found[1].notes[0]
    assert _findings(found[2]) == _findings(find_overlap(list(train), second))
    assert len(noted.read_text()) == 9 + 2 * 4


def test_ranks_that_differ_in_their_sides_are_refused() -> None:
    """Another number of validation loaders on one rank leaves nothing to compare."""
    seats = [[About()] * 2, [About()] * 3]

    class Told:
        rank = 0

        def gather(self, _make: object) -> Any:  # noqa: ANN401 - what the ranks say
            return seats

    with pytest.raises(ConfigurationError, match=r"Found \[1, 2\] validation loaders"):
        compare(lambda: [Served([1]), Served([1])], limit=9, group=Told())
