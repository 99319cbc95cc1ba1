"""Overlap: found with its indices, within its budget, and without leaving a trace."""

import random
import time
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from torch.utils.data import Dataset, IterableDataset, Subset, TensorDataset

from lightning_gapmon.analysis.overlap import Overlap
from lightning_gapmon.collect import fingerprint
from lightning_gapmon.collect.fingerprint import find_overlap, fingerprints, match, spread
from lightning_gapmon.errors import ConfigurationError

small = st.dictionaries(st.integers(0, 30), st.sampled_from([b"a", b"b", b"c", b"d"]))


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


@given(small, small)
def test_match_is_what_comparing_all_pairs_gives(
    train: dict[int, bytes], val: dict[int, bytes]
) -> None:
    """Shared and repeated samples are those that a comparison of all pairs finds."""
    shared, repeated = match(train, val)

    assert {v: t for t, v in shared} == {
        v: min(t for t in train if train[t] == val[v]) for v in val if val[v] in train.values()
    }
    assert {v: f for f, v in repeated} == {
        v: min(f for f in val if val[f] == val[v])
        for v in val
        if any(f < v and val[f] == val[v] for f in val)
    }
    assert [v for _, v in shared] == sorted(v for _, v in shared)


def test_subset_reads_the_samples_of_its_indices() -> None:
    """Subsets of subsets of tensors are read at once, with the digests of their samples."""
    base = TensorDataset(torch.arange(40.0).reshape(10, 4), torch.arange(10))
    inner = Subset(Subset(base, [9, 3, 5, 7]), [2, 0])

    assert fingerprints(inner, [0, 1]) == fingerprints(base, [5, 9])
    assert fingerprints(inner, [1]) == fingerprints([base[9]], [0])


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


def test_limit_spreads_over_the_dataset() -> None:
    """A limit takes samples at equal distances, with their own indices, and says so."""
    found = find_overlap(list(range(100)), list(range(50, 60)), limit=10)

    assert found.shared == ((50, 0),)
    assert (found.train_seen, found.train_size) == (10, 100)
    assert found.notes == ("10 of 100 training samples were looked at",)


@given(st.integers(0, 1000), st.integers(1, 50))
def test_spread_is_even(size: int, limit: int) -> None:
    """Indices rise, stay inside, are as many as allowed, and their distances differ by one."""
    taken = list(spread(size, limit))
    steps = {b - a for a, b in pairwise(taken)}

    assert len(taken) == min(size, limit)
    assert all(0 <= index < size for index in taken)
    assert min(steps, default=1) >= 1
    assert max(steps, default=1) - min(steps, default=1) <= 1


def test_time_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is over, what was read until then is compared, and it is said."""
    clock = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(fingerprint, "CHUNK", 10)
    found = find_overlap(list(range(100)), list(range(100)), seconds=1.5)

    assert (found.train_seen, found.val_seen, len(found.shared)) == (20, 20, 20)
    assert found.notes == (
        "time ran out after 20 training samples of 100",
        "time ran out after 20 validation samples of 100",
    )


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function given as progress hears of each chunk, up to the end."""
    monkeypatch.setattr(fingerprint, "CHUNK", 4)
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
