"""One side of a comparison as all processes that read it know it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from lightning_gapmon.collect.overlap.content import DIGEST_BYTES
from lightning_gapmon.collect.overlap.partition import About, Share, kinds, shares

_MOST_SIZES = 4

Prints = dict[int, bytes]


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
    def shares(self) -> list[Share]:
        """What each process reads of them."""
        if self.stream:
            return [Share() for _ in self.abouts]
        return shares(self.abouts, self.limit)

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
            digests: What each has read of its share, side by side, as far as its time went.
        """
        found: Prints = {}
        for share, read in zip(self.shares, digests, strict=True):
            pieces = (read[i : i + DIGEST_BYTES] for i in range(0, len(read), DIGEST_BYTES))
            # Not strict: the time of one process may have run out.
            found.update(zip(chain.from_iterable(share.chunks), pieces, strict=False))
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
