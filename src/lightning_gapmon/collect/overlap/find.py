"""Samples that are on both sides of a split, found by the exact content of their inputs."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from lightning_gapmon.analysis.overlap import Overlap, match
from lightning_gapmon.collect.apart import Served
from lightning_gapmon.collect.overlap.digest import Key, inputs
from lightning_gapmon.collect.overlap.partition import About, Prints, Side
from lightning_gapmon.collect.overlap.reading import Reader, Report
from lightning_gapmon.collect.unchanged import unchanged_random_state
from lightning_gapmon.errors import ConfigurationError

T = TypeVar("T")


class RankGroup(Protocol):
    """The processes that share a reading."""

    rank: int

    def gather(self, make: Callable[[], T]) -> list[T]:
        """Make something in each process, and give what all of them made to each, by rank."""
        ...


class OneRank:
    """The group of one process, which reads all."""

    rank = 0

    def gather(self, make: Callable[[], T]) -> list[T]:
        """Make it."""
        return [make()]


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
    augmentation. Data that are more than values in memory are read in a process of their own:
    files that a dataset opens, its generator and the random state here stay as they were. Where
    a side has more samples than are looked at, they are taken at equal distances.

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
        DataError: No process could read the data.

    Example:
        >>> found = find_overlap(["a", "b", "c"], ["d", "c", "d"])
        >>> found.shared, found.repeated
        (((2, 1),), ((0, 2),))
    """
    _refuse_nothing(limit, seconds)
    (found,) = compare(
        lambda: (Served(train_dataset), Served(val_dataset)),
        limit=limit,
        seconds=seconds,
        key=key,
        progress=progress,
    )
    return found


def compare(
    sides: Callable[[], Sequence[Served]],
    *,
    limit: int,
    seconds: float = 60.0,
    key: Key = inputs,
    progress: bool | Report = False,
    group: RankGroup | None = None,
) -> list[Overlap]:
    """Compare training data with each of several validation data, in one reading.

    Args:
        sides: Gives the training data, and after them all validation data.
        limit: Samples of each side to look at, at most, by all processes together.
        seconds: Time to spend in each process, at most.
        key: What of a sample is compared.
        progress: Whether this process shows a progress bar, or a function that it tells.
        group: The processes that share the reading; this one alone by default.

    Returns:
        What was found, an entry for each validation data, the same in all processes.
    """
    group = group or OneRank()
    reader = Reader(sides, key)
    with unchanged_random_state():
        known = _by_side(group.gather(lambda: reader.introduce(limit)), limit)
        own = [side.portions[group.rank] for side in known]
        reads = group.gather(lambda: reader.read(own, seconds=seconds, progress=progress))
    found = [side.joined([read.digests[i] for read in reads]) for i, side in enumerate(known)]
    spent = max(read.seconds for read in reads)
    return [
        _overlap((known[0], side), (found[0], prints), spent)
        for side, prints in zip(known[1:], found[1:], strict=True)
    ]


def _by_side(abouts: Sequence[Sequence[About]], limit: int) -> list[Side]:
    counts = [len(rank) - 1 for rank in abouts]
    if len(set(counts)) > 1:
        msg = (
            f"Found {counts} validation loaders on the ranks; expected equally many on each. "
            "Give every rank the same loaders, or leave the comparison out."
        )
        raise ConfigurationError(msg)
    names = ["training", *["validation"] * counts[0]]
    return [Side(*side, limit) for side in zip(names, zip(*abouts, strict=True), strict=True)]


def _overlap(sides: tuple[Side, Side], found: tuple[Prints, Prints], seconds: float) -> Overlap:
    if any(side.stream for side in sides):
        return Overlap(notes=tuple(side.stream_note for side in sides if side.stream))
    (train, val), (shared, repeated) = sides, match(*found)
    return Overlap(
        shared=shared,
        repeated=repeated,
        train_seen=len(found[0]),
        val_seen=len(found[1]),
        train_size=train.size,
        val_size=val.size,
        seconds=seconds,
        notes=(*train.notes(len(found[0])), *val.notes(len(found[1]))),
    )


def _refuse_nothing(limit: int, seconds: float) -> None:
    if not (type(limit) is int and limit >= 1 and seconds > 0):
        msg = (
            f"Found limit={limit!r} and seconds={seconds!r}; expected at least one sample and "
            "some time, such as find_overlap(train, val, limit=10_000, seconds=60)."
        )
        raise ConfigurationError(msg)
