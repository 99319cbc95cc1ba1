"""The 95 % interval of a gap, right for few samples and for losses with a long tail.

A trained model loses next to nothing on most samples and much on a few. A mean of such losses is
skewed: where the sample has missed the few it is too low, and its standard error is too small
with it. So the interval reaches further to the side where the truth may lie.
"""

import math
from dataclasses import dataclass

NORMAL = 1.959964  # its 97.5 % point
TAIL_TO_SKEW = 0.75  # half the excess kurtosis over the squared skewness, in the gamma family


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, and what is known of how it errs.

    Attributes:
        value: The mean.
        stderr: Its standard error.
        skew: Its third cumulant over `stderr^3`.
        units: Independent units behind it: samples, or batches; infinite where `stderr`
            allows for them already.
    """

    value: float
    stderr: float
    skew: float = 0.0
    units: float = math.inf


def difference(one: Estimate, other: Estimate) -> tuple[float, float]:
    """Give the 95 % interval of `one - other`, two independent estimates.

    Student's t with the degrees of freedom of Welch (1947), turned by the cubic transformation of
    Hall (1992, "On the removal of skewness by transformation"); how far tails make the standard
    error itself uncertain is read from the skewness, as in the gamma family.

    Returns:
        Its ends, NaN both where a standard error is not known.

    Example:
        >>> narrow = difference(Estimate(0.5, 0.1), Estimate(0.3, 0.0))
        >>> [round(end, 2) for end in narrow]
        [0.0, 0.4]
        >>> skewed = difference(Estimate(0.5, 0.1, skew=0.5), Estimate(0.3, 0.0))
        >>> [round(end, 2) for end in skewed]
        [0.01, 1.19]
    """
    value, stderr = one.value - other.value, math.hypot(one.stderr, other.stderr)
    if not (math.isfinite(value) and 0 < stderr < math.inf):
        return (value, value) if stderr == 0 else (math.nan, math.nan)
    shares = one.stderr / stderr, -other.stderr / stderr
    sides = list(zip(shares, (one, other), strict=True))
    skew = sum(share**3 * side.skew for share, side in sides)
    wider = _student(sum(share**4 * _uncertainty(side) for share, side in sides)) / NORMAL
    low, high = (value - wider * stderr * _turned(end, skew) for end in (NORMAL, -NORMAL))
    return low, high


def _uncertainty(side: Estimate) -> float:
    """Invert the degrees of freedom of a side: few units, or tails, leave little."""
    return TAIL_TO_SKEW * side.skew**2 + 1 / max(side.units - 1, 1e-9)


def _student(uncertainty: float) -> float:
    """The 97.5 % point of Student's t, from one over its degrees of freedom, at most 1.

    The expansion 26.7.5 of Abramowitz and Stegun, right to 1 % from two degrees on.
    """
    terms = (1.590, 2.5557, 2.8224, 2.3723)
    value = 0.0
    for term in terms:
        value = (value + term) * min(uncertainty, 1.0)
    return NORMAL + value


def _turned(quantile: float, skew: float) -> float:
    """Turn a point of the normal distribution into one of a skewed mean's Student ratio."""
    if abs(skew) < 1e-6:  # noqa: PLR2004
        return quantile
    cube = 1 + skew * (quantile - skew / 6)
    return 3 / skew * (math.copysign(abs(cube) ** (1 / 3), cube) - 1)
