"""Which samples are on both sides of a split, or twice in one."""

from collections.abc import Mapping
from dataclasses import dataclass

Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlap:
    """What was found when the contents of two datasets were compared.

    Attributes:
        shared: For each validation sample that is also in training, its index there and here:
            `(train index, val index)`, the first of equal training samples, by val index.
        repeated: For each validation sample that is in validation before, the index of the
            first and its own: `(first index, index)`, by index.
        train_seen: Training samples that were looked at.
        val_seen: Validation samples that were looked at.
        train_size: Training samples in all, or None where the dataset does not know.
        val_size: Validation samples in all, or None where the dataset does not know.
        seconds: Time spent.
        notes: What a reader should know, such as that the time ran out.
    """

    shared: Pairs = ()
    repeated: Pairs = ()
    train_seen: int = 0
    val_seen: int = 0
    train_size: int | None = None
    val_size: int | None = None
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Share of the validation samples looked at that are also in training, from 0 to 1."""
        return len(self.shared) / self.val_seen if self.val_seen else 0.0


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
