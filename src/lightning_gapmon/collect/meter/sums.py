"""The sums behind a weighted mean and its standard error, and how they are laid out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 12
LEAST_SPREAD = 1e-8  # of the mean: what rounding leaves of the third moment below means nothing


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
        cube: Sum of `w^3`.
        cube_loss: Sum of `w^3 * m`.
        cube_loss2: Sum of `w^3 * m^2`.
        cube_loss3: Sum of `w^3 * m^3`.
        units: How many units there are.
        bad: How many of them are NaN or infinite.
        position: Sum of `w * x`, with `x` the unit's place in its window, from 0 to 1.
    """

    n: float
    loss: float
    square: float
    square_loss: float
    square_loss2: float
    cube: float
    cube_loss: float
    cube_loss2: float
    cube_loss3: float
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
        return math.sqrt(max(self._spread, 0.0) * self.units / (self.units - 1)) / self.n

    @property
    def skew(self) -> float:
        """Skewness of the mean, from that of its units: its third cumulant over `stderr^3`.

        `sum(w^3 (m - M)^3) / (sum(w^2 (m - M)^2))^1.5`, between -1 and 1; for `k` equal weights
        it is the units' own skewness over `sqrt(k)`. 0 where rounding leaves nothing to tell.
        """
        mean, spread = self.mean, self._spread
        if not spread > LEAST_SPREAD**2 * mean**2 * self.square:
            return 0.0
        third = self.cube_loss3 - 3 * mean * self.cube_loss2 + 3 * mean**2 * self.cube_loss
        skew = (third - mean**3 * self.cube) / spread / math.sqrt(spread)
        return min(max(skew, -1.0), 1.0) if math.isfinite(skew) else 0.0

    @property
    def _spread(self) -> float:
        mean = self.mean
        return self.square_loss2 - 2 * mean * self.square_loss + mean**2 * self.square


def _add(values: Sequence[float]) -> float:
    """Add without rounding on the way; infinities of both signs give NaN, as everywhere."""
    return math.fsum(values) if all(map(math.isfinite, values)) else sum(values)
