"""Which samples of a side each of several processes reads."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

CHUNK = 256  # samples between two looks at the clock


@dataclass(frozen=True, slots=True)
class About:
    """What one process knows of a side before it is read.

    Attributes:
        stream: Whether it has no length or no index.
        size: How many samples it has.
        firsts: Digests of a few of its samples.
        steady: Whether these were the same at a second reading.
    """

    stream: bool = False
    size: int = 0
    firsts: bytes = b""
    steady: bool = True


@dataclass(frozen=True, slots=True)
class Share:
    """What one process reads of a side.

    Attributes:
        offset: Index of its first sample in the data of all processes.
        chunks: Indices in the data of all processes, in the order in which they are read.
    """

    offset: int = 0
    chunks: tuple[Sequence[int], ...] = ()

    def __len__(self) -> int:
        """Count the samples."""
        return sum(map(len, self.chunks))


def kinds(abouts: Sequence[About]) -> list[About]:
    """Tell the data of processes apart: give what each of them is one of.

    Samples that change from reading to reading say nothing of whether the data are the same.

    Example:
        >>> kinds([About(size=3, firsts=b"a"), About(size=3, firsts=b"a", steady=False)])
        [About(stream=False, size=3, firsts=b'', steady=True), ...]
    """
    steady = all(about.steady for about in abouts)
    return [About(about.stream, about.size, about.firsts if steady else b"") for about in abouts]


def shares(abouts: Sequence[About], limit: int) -> list[Share]:
    """Share a side out to the processes, so that each sample that is looked at is read once.

    Processes that hold the same data take turns with chunks of them. Data that differ, as when
    each process has a part of its own, are looked at as one after the other.

    Args:
        abouts: What each process knows of the side.
        limit: Samples to look at, at most, by all of them together.

    Example:
        >>> [list(share.chunks) for share in shares([About(size=4)] * 2, limit=10)]
        [[range(0, 2)], [range(2, 4)]]
    """
    held = kinds(abouts)
    groups = {kind: [rank for rank, one in enumerate(held) if one == kind] for kind in held}
    ends = list(accumulate(kind.size for kind in groups))
    places = spread(ends[-1], limit)
    found = [Share()] * len(held)
    for (kind, ranks), end in zip(groups.items(), ends, strict=True):
        offset = end - kind.size
        own = places[bisect_left(places, offset) : bisect_left(places, end)]
        for turn, rank in enumerate(ranks):
            found[rank] = Share(offset, _turns(own, turn, len(ranks)))
    return found


def _turns(places: Sequence[int], turn: int, processes: int) -> tuple[Sequence[int], ...]:
    step = max(1, min(CHUNK, -(-len(places) // processes)))
    starts = range(turn * step, len(places), processes * step)
    return tuple(places[start : start + step] for start in starts)


def spread(size: int, limit: int) -> range | list[int]:
    """Give the indices to look at: all, or as many as allowed at equal distances.

    Example:
        >>> list(spread(3, 10)), spread(10, 4)
        ([0, 1, 2], [0, 2, 5, 7])
    """
    return range(size) if size <= limit else [i * size // limit for i in range(limit)]
