"""Which samples are on both sides of a split, or twice in one."""

from dataclasses import dataclass


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

    shared: tuple[tuple[int, int], ...] = ()
    repeated: tuple[tuple[int, int], ...] = ()
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
