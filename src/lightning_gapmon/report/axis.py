"""What the axes of a picture span and where their ticks are, by the rules of `web/theme.js`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

from lightning_gapmon.report.theme import theme

TICKS = 5
SMALLEST, LARGEST = (
    1e-100,
    1e150,
)  # beyond these a ratio or a difference is none that a float holds


def can_be_drawn(loss: float) -> bool:
    """Tell whether a loss has a place on an axis.

    Example:
        >>> [can_be_drawn(loss) for loss in (0.5, 1e200, math.inf, math.nan)]
        [True, False, False, False]
    """
    return abs(loss) < LARGEST


@dataclass(frozen=True, slots=True)
class Axis:
    """A span of numbers along a line.

    Attributes:
        low: Where it begins.
        high: Where it ends.
        logarithmic: Whether equal lengths are equal ratios.

    Example:
        >>> Axis(0.0, 4.0).share(1.0), Axis(1.0, 100.0, logarithmic=True).share(10.0)
        (0.25, 0.5)
    """

    low: float
    high: float
    logarithmic: bool = False

    @classmethod
    def over(cls, losses: Sequence[float]) -> "Axis":
        """Span losses in their order, logarithmic where a peak dwarfs the rest.

        Wild losses at the start would flatten all that matters and are cut off; the later half
        of a run never is.

        Example:
            >>> wild = Axis.over([5.0, 1.2, *[1.0] * 20])
            >>> wild.high < 2, wild.low < 1
            (True, True)
        """
        rules = theme()["scale"]
        drawn = sorted(filter(can_be_drawn, losses))
        if not drawn:
            return cls(0.0, 1.0)
        low, high = drawn[0], drawn[-1]
        if low > SMALLEST and high > rules["peak"] * median_low(drawn):
            room = (high / low) ** rules["pad"]
            return cls(low / room, high * room, logarithmic=True)
        late = max(filter(can_be_drawn, losses[len(losses) // 2 :]), default=low)
        most = drawn[int(rules["share"] * (len(drawn) - 1))]
        high = min(high, max(low + rules["headroom"] * (most - low), late))
        room = rules["pad"] * (high - low) if high > low else abs(low) / 10 or 0.5
        return cls(low - room, high + room)

    def share(self, value: float) -> float:
        """Give how far along a number is, from 0 at the beginning to 1 at the end.

        Args:
            value: A finite number, above 0 on a logarithmic axis.
        """
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return share

    def ticks(self) -> list[float]:
        """List round numbers along it.

        Example:
            >>> Axis(0.3, 2.1).ticks(), Axis(0.5, 2000.0, logarithmic=True).ticks()
            ([0.5, 1.0, 1.5, 2.0], [1.0, 10.0, 100.0, 1000.0])
        """
        if self.logarithmic and self.high > 100 * self.low:
            powers = range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
            stride = math.ceil(len(powers) / TICKS)
            return [10.0**power for power in powers[::stride]]
        step = _round_up((self.high - self.low) / TICKS)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


def _round_up(step: float) -> float:
    """Give the next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(n * power for n in (1, 2, 5, 10) if n * power >= step * (1 - 1e-9))
