"""Samples that are on both sides of a split, found by the exact content of their inputs."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol, TypeGuard

import numpy as np
import torch
from torch.utils.data import IterableDataset, Subset, TensorDataset

from lightning_gapmon.analysis.overlap import Overlap
from lightning_gapmon.collect.content import digest, row_digests
from lightning_gapmon.errors import ConfigurationError

CHUNK = 256  # samples between two looks at the clock
READ_TWICE = 4  # samples that tell whether a dataset gives the same at each reading

Key = Callable[[Any], object]
Report = Callable[[int, int], object]
Prints = dict[int, bytes]
Pairs = tuple[tuple[int, int], ...]


class Indexed(Protocol):
    """A map-style dataset."""

    def __len__(self) -> int:
        """Count the samples."""
        ...

    def __getitem__(self, index: int, /) -> object:
        """Give a sample."""
        ...


def inputs(sample: Any) -> Any:  # noqa: ANN401 - whatever a dataset gives
    """Take the first element of a tuple or list, the usual place of the inputs, else all of it.

    A label does not leak, and the same input under two labels is a leak all the same: so in a
    sample `(x, y)` it is `x` that is compared.

    Example:
        >>> inputs(("an image", 7)), inputs({"text": "as it is"})
        ('an image', {'text': 'as it is'})
    """
    return sample[0] if isinstance(sample, (tuple, list)) and sample else sample


def find_overlap(
    train_dataset: object,
    val_dataset: object,
    *,
    limit: int = 10_000,
    seconds: float = 60.0,
    key: Key = inputs,
    progress: bool | Report = False,
) -> Overlap:
    """Find validation samples that are also in training, and those twice in validation.

    Contents are compared exactly, so training data are best given as they are before
    augmentation. Reading leaves the random state of Python, NumPy and torch as it was. Where a
    side has more samples than are looked at, they are taken at equal distances.

    Args:
        train_dataset: Map-style dataset: it has a length and gives a sample for an index.
        val_dataset: The same for validation.
        limit: Samples of each side to look at, at most.
        seconds: Time to spend, at most; what was read until then is compared.
        key: What of a sample is compared; the inputs by default.
        progress: Whether to show a progress bar, or a function that is called with how many
            samples are done and how many there are.

    Raises:
        ConfigurationError: The limit or the time is none, or a sample cannot be compared.

    Example:
        >>> found = find_overlap(["a", "b", "c"], ["d", "c", "d"])
        >>> found.shared, found.repeated
        (((2, 1),), ((0, 2),))
    """
    _refuse_nothing(limit, seconds)
    start = time.monotonic()
    if not (is_indexed(train_dataset) and is_indexed(val_dataset)):
        sides = {"training": train_dataset, "validation": val_dataset}
        streams = (name for name, side in sides.items() if not is_indexed(side))
        return Overlap(notes=tuple(map(_not_indexed, streams)))
    with untouched_random_state(), _reporting(progress) as report:
        train, val = _read((train_dataset, val_dataset), limit, start + seconds, key, report)
        notes = _notes(
            {"training": (train_dataset, train), "validation": (val_dataset, val)}, limit, key
        )
    shared, repeated = match(train, val)
    return Overlap(
        shared=shared,
        repeated=repeated,
        train_seen=len(train),
        val_seen=len(val),
        train_size=len(train_dataset),
        val_size=len(val_dataset),
        seconds=time.monotonic() - start,
        notes=notes,
    )


def fingerprints(dataset: Indexed, indices: Sequence[int], *, key: Key = inputs) -> list[bytes]:
    """Give the digest of each of these samples.

    The inputs of a `TensorDataset`, and of subsets of it, are read as one tensor.
    """
    if key is inputs:
        base, places = _unwrapped(dataset, indices)
        if type(base) is TensorDataset:
            rows = base.tensors[0]
            return row_digests(rows[torch.as_tensor(places, dtype=torch.long, device=rows.device)])
    return [digest(key(dataset[index])) for index in indices]


def match(train: Mapping[int, bytes], val: Mapping[int, bytes]) -> tuple[Pairs, Pairs]:
    """Compare digests by index.

    Returns:
        For each validation sample in training `(train index, val index)`, and for each that is
        in validation before `(first index, index)`; the first of equals, ordered by the second.

    Example:
        >>> match({0: b"a", 1: b"a"}, {5: b"a", 6: b"b", 7: b"b"})
        (((0, 5),), ((6, 7),))
    """
    known: dict[bytes, int] = {}
    for index in sorted(train):
        known.setdefault(train[index], index)
    first: dict[bytes, int] = {}
    for index in sorted(val):
        first.setdefault(val[index], index)
    shared = tuple((known[val[i]], i) for i in sorted(val) if val[i] in known)
    repeated = tuple((first[val[i]], i) for i in sorted(val) if first[val[i]] != i)
    return shared, repeated


def spread(size: int, limit: int) -> range | list[int]:
    """Give the indices to look at: all, or as many as allowed at equal distances.

    Example:
        >>> list(spread(3, 10)), spread(10, 4)
        ([0, 1, 2], [0, 2, 5, 7])
    """
    return range(size) if size <= limit else [i * size // limit for i in range(limit)]


@contextmanager
def untouched_random_state() -> Iterator[None]:
    """Give the random state of Python, NumPy and torch back as it was."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the global one
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002 - the global one


def _read(
    datasets: tuple[Indexed, Indexed], limit: int, until: float, key: Key, report: Report
) -> tuple[Prints, Prints]:
    """Read both sides in turn, so that there is something to compare when the time runs out."""
    places = [spread(len(dataset), limit) for dataset in datasets]
    prints: tuple[Prints, Prints] = ({}, {})
    total = sum(map(len, places))
    for start in range(0, max(map(len, places)), CHUNK):
        for dataset, indices, found in zip(datasets, places, prints, strict=True):
            chunk = indices[start : start + CHUNK]
            found.update(zip(chunk, fingerprints(dataset, chunk, key=key), strict=True))
            report(sum(map(len, prints)), total)
        if time.monotonic() > until:
            break
    return prints


def _unwrapped(dataset: object, indices: Sequence[int]) -> tuple[object, Sequence[int]]:
    """Look through subsets, such as those of `random_split`."""
    while type(dataset) is Subset:
        held = dataset.indices
        dataset, indices = dataset.dataset, [int(held[index]) for index in indices]
    return dataset, indices


def is_indexed(dataset: object) -> TypeGuard[Indexed]:
    """Tell whether a dataset has a length and gives a sample for an index."""
    needed = hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")
    return needed and not isinstance(dataset, IterableDataset)


def _not_indexed(name: str) -> str:
    return (
        f"the {name} data are a stream, which is not read for this; give a dataset with a "
        "length and an index to find_overlap"
    )


def _notes(sides: Mapping[str, tuple[Indexed, Prints]], limit: int, key: Key) -> tuple[str, ...]:
    notes = []
    for name, (dataset, found) in sides.items():
        if len(found) < min(limit, len(dataset)):
            notes.append(f"time ran out after {len(found)} {name} samples of {len(dataset)}")
        elif len(found) < len(dataset):
            notes.append(f"{len(found)} of {len(dataset)} {name} samples were looked at")
        again = list(found)[:READ_TWICE]
        if fingerprints(dataset, again, key=key) != [found[index] for index in again]:
            notes.append(
                f"{name} samples differ from one reading to the next, as under random "
                "augmentation: give the data before it"
            )
    return tuple(notes)


def _reporting(progress: bool | Report) -> AbstractContextManager[Report]:  # noqa: FBT001
    if progress is True:
        return _bar()
    return nullcontext(progress or (lambda _done, _total: None))


@contextmanager
def _bar() -> Iterator[Report]:
    from rich.progress import Progress  # noqa: PLC0415 - a quarter of a second to import

    with Progress() as bar:
        task = bar.add_task("Comparing training and validation samples", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _refuse_nothing(limit: int, seconds: float) -> None:
    if not (type(limit) is int and limit >= 1 and seconds > 0):
        msg = (
            f"Found limit={limit!r} and seconds={seconds!r}; expected at least one sample and "
            "some time, such as find_overlap(train, val, limit=10_000, seconds=60)."
        )
        raise ConfigurationError(msg)
