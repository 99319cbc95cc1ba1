"""The noise of a curve, by a median: one wild value does not move it."""

import math
from collections.abc import Sequence
from statistics import median

MAD_TO_SIGMA = 1.482602218505602  # 1 / Phi^-1(3/4): the MAD of a normal is 0.6745 sigma


def noise(values: Sequence[float]) -> float:
    """Standard deviation of the noise around a smooth curve, from its second differences.

    A straight trend cancels in `v[i+1] - 2 v[i] + v[i-1]`, whose variance is six times that of
    the noise; the median of its absolute values is robust to jumps.

    Returns:
        The noise in units of the values; NaN for fewer than four of them.

    Example:
        >>> noise([1.0, 2.0, 3.0, 4.0, 5.0])
        0.0
    """
    if len(values) < 4:  # noqa: PLR2004
        return math.nan
    triples = zip(values, values[1:], values[2:], strict=False)
    second = [abs(a - 2 * b + c) for a, b, c in triples]
    return MAD_TO_SIGMA * median(second) / math.sqrt(6)
