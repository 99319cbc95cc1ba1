"""Which samples of a side each of several processes reads, and whose the digests then are."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from lightning_gapmon.collect.overlap.digest import DIGEST_BYTES

CHUNK = 256  # samples between two looks at the clock
_MOST_SIZES = 4

Prints = dict[int, bytes]


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
class Portion:
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

    @property
    def own_chunks(self) -> list[Sequence[int]]:
        """The chunks by indices in the process's own data."""
        return [[index - self.offset for index in chunk] for chunk in self.chunks]


def kinds(abouts: Sequence[About]) -> list[About]:
    """Tell the data of processes apart: give what each of them is one of.

    Samples that change from reading to reading say nothing of whether the data are the same.

    Example:
        >>> kinds([About(size=3, firsts=b"a"), About(size=3, firsts=b"a", steady=False)])
        [About(stream=False, size=3, firsts=b'', steady=True), ...]
    """
    steady = all(about.steady for about in abouts)
    return [About(about.stream, about.size, about.firsts if steady else b"") for about in abouts]


def portions(abouts: Sequence[About], limit: int) -> list[Portion]:
    """Share a side out to the processes, so that each sample that is looked at is read once.

    Processes that hold the same data take turns with chunks of them. Data that differ, as when
    each process has a part of its own, are looked at as one after the other.

    Args:
        abouts: What each process knows of the side.
        limit: Samples to look at, at most, by all of them together.

    Example:
        >>> [list(portion.chunks) for portion in portions([About(size=4)] * 2, limit=10)]
        [[range(0, 2)], [range(2, 4)]]
    """
    held = kinds(abouts)
    groups = {kind: [rank for rank, one in enumerate(held) if one == kind] for kind in held}
    ends = list(accumulate(kind.size for kind in groups))
    places = evenly(ends[-1], limit)
    found = [Portion()] * len(held)
    for (kind, ranks), end in zip(groups.items(), ends, strict=True):
        offset = end - kind.size
        own = places[bisect_left(places, offset) : bisect_left(places, end)]
        for turn, rank in enumerate(ranks):
            found[rank] = Portion(offset, _turns(own, turn, len(ranks)))
    return found


def _turns(places: Sequence[int], turn: int, processes: int) -> tuple[Sequence[int], ...]:
    step = max(1, min(CHUNK, -(-len(places) // processes)))
    starts = range(turn * step, len(places), processes * step)
    return tuple(places[start : start + step] for start in starts)


def evenly(size: int, limit: int) -> range | list[int]:
    """Give the indices to look at: all, or as many as allowed at equal distances.

    Example:
        >>> list(evenly(3, 10)), evenly(10, 4)
        ([0, 1, 2], [0, 2, 5, 7])
    """
    return range(size) if size <= limit else [i * size // limit for i in range(limit)]


@dataclass(frozen=True, slots=True)
class Side:
    """Training or validation data.

    Attributes:
        name: Which of these.
        abouts: What each process knows of them, by rank.
        limit: Samples to look at, at most.
    """

    name: str
    abouts: Sequence[About]
    limit: int

    @property
    def stream(self) -> bool:
        """Whether they cannot be read by index, in any of the processes."""
        return any(about.stream for about in self.abouts)

    @property
    def size(self) -> int:
        """How many samples there are, in the data of all processes."""
        return sum(kind.size for kind in set(kinds(self.abouts)))

    @property
    def portions(self) -> list[Portion]:
        """What each process reads of them."""
        if self.stream:
            return [Portion() for _ in self.abouts]
        return portions(self.abouts, self.limit)

    @property
    def stream_note(self) -> str:
        """Say that they are a stream."""
        return (
            f"the {self.name} data are a stream, which is not read for this; give a dataset with "
            "a length and an index to find_overlap"
        )

    def joined(self, digests: Sequence[bytes]) -> Prints:
        """Put what all processes have read together, by index.

        Args:
            digests: What each has read of its portion, side by side, as far as its time went.
        """
        found: Prints = {}
        for portion, read in zip(self.portions, digests, strict=True):
            pieces = (read[i : i + DIGEST_BYTES] for i in range(0, len(read), DIGEST_BYTES))
            # Not strict: the time of one process may have run out.
            found.update(zip(chain.from_iterable(portion.chunks), pieces, strict=False))
        return found

    def notes(self, seen: int) -> Iterator[str]:
        """Say what a reader should know, given how many samples were looked at."""
        held = kinds(self.abouts)
        if len(set(held)) > 1:
            yield self._apart(held)
        if seen < min(self.limit, self.size):
            yield f"time ran out after {seen} {self.name} samples of {self.size}"
        elif seen < self.size:
            yield f"{seen} of {self.size} {self.name} samples were looked at"
        if not all(about.steady for about in self.abouts):
            yield (
                f"{self.name} samples differ from one reading to the next, as under random "
                "augmentation: give the data before it"
            )

    def _apart(self, held: Sequence[About]) -> str:
        sizes = [f"{kind.size} samples on rank {held.index(kind)}" for kind in dict.fromkeys(held)]
        more = ", ..." if len(sizes) > _MOST_SIZES else ""
        return (
            f"the {self.name} data are not the same on all ranks "
            f"({', '.join(sizes[:_MOST_SIZES])}{more}): "
            "indices count through those of one rank after the other"
        )
