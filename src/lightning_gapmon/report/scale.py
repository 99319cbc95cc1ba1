"""From losses to a height between 0 and 1."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

PEAK = 20.0  # times the middle loss: past it a linear axis shows only the peak


@dataclass(frozen=True, slots=True)
class Scale:
    """A vertical axis.

    Attributes:
        low: Loss at the bottom.
        high: Loss at the top.
        logarithmic: Whether equal heights are equal ratios.

    Example:
        >>> Scale.over([1.0, 2.0, 4.0]).height(2.5)
        0.5
        >>> Scale.over([0.1, 0.2, 0.3, 100.0]).logarithmic
        True
    """

    low: float
    high: float
    logarithmic: bool = False

    @classmethod
    def over(cls, losses: Sequence[float]) -> "Scale":
        """Span finite losses; logarithmic where they are positive and a peak dwarfs the rest."""
        low, high = min(losses), max(losses)
        return cls(low, high, logarithmic=low > 0 and high > PEAK * median_low(losses))

    def height(self, loss: float) -> float:
        """Give the height of a finite loss, from 0 at the bottom to 1 at the top."""
        if self.low == self.high:
            return 0.5
        if self.logarithmic:
            bottom = math.log(self.low)
            return (math.log(loss) - bottom) / (math.log(self.high) - bottom)
        # Divided first: the difference of two losses may be more than a float holds.
        unit = max(abs(self.low), abs(self.high))
        return (loss / unit - self.low / unit) / (self.high / unit - self.low / unit)
