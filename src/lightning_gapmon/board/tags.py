"""The names under which a run's numbers are logged."""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace

PREFIX = "gapmon/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tags:
    """The scalars of a check, by the names that every logger gets.

    Attributes:
        train: Online train loss.
        val: Validation loss.
        train_probe: Train loss in eval mode at the weights of the check.
        train_fair: The train loss that the gap is taken from: by the probe, else at the end of
            the window, else the online one.
        gap_absolute: Validation loss minus train loss by the fairest basis.
        gap_relative: The gap over the larger of the two losses.
        gap_stderr: Standard error of the gap.

    Example:
        >>> Tags().gap_absolute
        'gap/absolute'
    """

    train: str = "loss/train"
    val: str = "loss/val"
    train_probe: str = "loss/train_probe"
    train_fair: str = "loss/train_fair"
    gap_absolute: str = "gap/absolute"
    gap_relative: str = "gap/relative"
    gap_stderr: str = "gap/stderr"

    def names(self) -> tuple[str, ...]:
        """List the tags."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def avoiding(self, taken: Collection[str]) -> "Tags":
        """Give names that are not taken: these, or all of them under `gapmon/`.

        All of them move together, so that one prefix finds them all. A module that logs under
        `gapmon/` too gets one more `gapmon/` in front, until nothing meets.

        Args:
            taken: Every tag that the module logs itself.

        Example:
            >>> Tags().avoiding({"train_loss"}).val
            'loss/val'
            >>> Tags().avoiding({"loss/train"}).val
            'gapmon/loss/val'
        """
        free = self
        while not set(taken).isdisjoint(free.names()):
            free = free.prefixed()
        return free

    def prefixed(self) -> "Tags":
        """Put `gapmon/` before each name."""
        longer = {field.name: PREFIX + getattr(self, field.name) for field in fields(self)}
        return replace(self, **longer)
