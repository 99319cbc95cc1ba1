"""The sums behind a weighted mean and its standard error, and how they are laid out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 8


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over the units of a mean: the samples where each has its loss, else the batches.

    Ranks and batches add up component by component, so that one all-reduce is enough.

    Attributes:
        n: Sum of the weights `w`: the number of samples.
        loss: Sum of `w * m`, with the unit's mean loss `m`.
        square: Sum of `w^2`.
        square_loss: Sum of `w^2 * m`.
        square_loss2: Sum of `w^2 * m^2`.
        units: How many units there are.
        bad: How many of them are NaN or infinite.
        position: Sum of `w * x`, with `x` the unit's place in its window, from 0 to 1.
    """

    n: float
    loss: float
    square: float
    square_loss: float
    square_loss2: float
    units: float
    bad: float
    position: float

    @classmethod
    def total(cls, parts: Sequence["Sums"]) -> "Sums":
        """Add up the sums of several parts."""
        if not parts:
            return cls(*[0.0] * WIDTH)
        return cls(*(_add(column) for column in zip(*(part.row for part in parts), strict=True)))

    @property
    def row(self) -> tuple[float, ...]:
        """All components, in their order; `dataclasses.astuple` takes ten times as long."""
        return tuple([getattr(self, name) for name in self.__slots__])

    @property
    def mean(self) -> float:
        """Mean over samples; NaN where there are none."""
        return self.loss / self.n if self.n else math.nan

    @property
    def place(self) -> float:
        """Mean position of the samples in their window, from 0 to 1; NaN where there are none."""
        return self.position / self.n if self.n else math.nan

    @property
    def stderr(self) -> float:
        """Standard error of the mean, from the spread of its units; NaN for fewer than two.

        `se^2 = k / (k - 1) * sum(w^2 (m - M)^2) / (sum w)^2` (Cochran 1977, ratio estimator,
        as in Gatz and Smith 1995); for equal weights it is the textbook `s / sqrt(k)`.
        """
        if self.units <= 1 or not self.n:
            return math.nan
        mean = self.mean
        spread = self.square_loss2 - 2 * mean * self.square_loss + mean**2 * self.square
        return math.sqrt(max(spread, 0.0) * self.units / (self.units - 1)) / self.n


def _add(values: Sequence[float]) -> float:
    """Add without rounding on the way; infinities of both signs give NaN, as everywhere."""
    return math.fsum(values) if all(map(math.isfinite, values)) else sum(values)
