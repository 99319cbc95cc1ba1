"""From losses to a height between 0 and 1."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

PEAK = 20.0  # times the middle loss: past it a linear axis shows only the peak
DECADES = 100.0  # times its lowest loss: past it a linear axis shows only how a curve begins


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
        >>> train, val = [2.0, 0.1, 0.0001], [2.0, 0.5, 0.7]
        >>> Scale.over(train, val).logarithmic, Scale.over(train, train).logarithmic
        (False, True)
    """

    low: float
    high: float
    logarithmic: bool = False

    @classmethod
    def over(cls, *curves: Sequence[float]) -> "Scale":
        """Span the finite losses of curves.

        Logarithmic where they are positive and a peak dwarfs the rest, or where each curve covers
        decades: where only train goes to zero, a linear axis shows best what validation does.

        Args:
            curves: The losses of each, at least one.
        """
        losses = [loss for curve in curves for loss in curve]
        low, high = min(losses), max(losses)
        if low <= 0:
            return cls(low, high)
        dwarfs = high > PEAK * median_low(losses)
        falls = all(max(curve) > DECADES * min(curve) for curve in curves)
        return cls(low, high, logarithmic=dwarfs or falls)

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
