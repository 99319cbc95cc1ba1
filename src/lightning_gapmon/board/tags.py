"""The names under which a run's numbers are logged."""

from collections.abc import Collection
from dataclasses import dataclass

PREFIX = "gapmon/"
# What the Gap tab is called inside TensorBoard, and the one summary that is written for it.
PLUGIN, STATE = "gapmon", "gapmon/run"


@dataclass(frozen=True, slots=True)
class Tags:
    """The names of a check's numbers, the same for every logger.

    They are one group, which sorts first in TensorBoard and is open at the first look.

    Attributes:
        prefix: What stands before each name, so that one prefix finds them all: nothing, unless
            the module logs one of them itself.

    Example:
        >>> Tags().gap, Tags("gapmon/").gap
        ('Loss/gap', 'gapmon/Loss/gap')
    """

    prefix: str = ""

    @property
    def train(self) -> str:
        """Online train loss."""
        return f"{self.prefix}Loss/train"

    @property
    def val(self) -> str:
        """Validation loss."""
        return f"{self.prefix}Loss/val"

    @property
    def test(self) -> str:
        """Loss of `trainer.test`."""
        return f"{self.prefix}Loss/test"

    @property
    def loss(self) -> str:
        """Either loss, in runs that have one each and nothing of the module's."""
        return f"{self.prefix}Loss/loss"

    @property
    def train_probe(self) -> str:
        """Train loss in eval mode at the weights of the check."""
        return f"{self.prefix}Loss/train_probe"

    @property
    def train_fair(self) -> str:
        """The train loss that the gap is taken from.

        By the probe, else at the end of the window, else the online one.
        """
        return f"{self.prefix}Loss/train_fair"

    @property
    def gap(self) -> str:
        """Validation loss minus the fair train loss."""
        return f"{self.prefix}Loss/gap"

    @property
    def gap_relative(self) -> str:
        """The gap over the larger of the two losses."""
        return f"{self.prefix}Loss/gap_relative"

    @property
    def gap_stderr(self) -> str:
        """Standard error of the gap."""
        return f"{self.prefix}Loss/gap_stderr"

    @property
    def outlook(self) -> str:
        """Chance that the rest of the plan still improves on the best loss."""
        return f"{self.prefix}Loss/outlook"

    @property
    def verdict(self) -> str:
        """The verdict, as text, where it changes."""
        return f"{self.prefix}Loss/verdict"

    @property
    def stop(self) -> str:
        """Why the run is stopped, as text."""
        return f"{self.prefix}Loss/stop"

    def names(self) -> tuple[str, ...]:
        """List all of them."""
        scalars = self.train, self.val, self.train_probe, self.train_fair
        gaps = self.gap, self.gap_relative, self.gap_stderr
        return (*scalars, *gaps, self.outlook, self.verdict, self.stop)

    def are_free(self, taken: Collection[str]) -> bool:
        """Tell whether the module leaves these names alone: all below the prefix, if there is one.

        Args:
            taken: Every name that the module logs.

        Example:
            >>> Tags().are_free({"val_loss"}), Tags().are_free({"Loss/val"})
            (True, False)
            >>> Tags("gapmon/").are_free({"Loss/val", "gapmon/anything"})
            False
        """
        if self.prefix:
            return not any(name.startswith(self.prefix) for name in taken)
        return set(taken).isdisjoint(self.names())

    def moved(self) -> "Tags":
        """Give the next names to try, with one more `gapmon/` in front."""
        return Tags(PREFIX + self.prefix)
