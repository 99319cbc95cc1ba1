"""Robust level, noise and slope of a curve, by ranks and medians: one wild value moves none."""

import math
from collections.abc import Sequence
from itertools import combinations
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


def theil_sen(values: Sequence[float]) -> float:
    """Median of all pairwise slopes, per check (Sen 1968); NaN for fewer than two values.

    Example:
        >>> theil_sen([0.0, 2.0, 4.0, 6.0, 600.0])
        2.0
    """
    slopes = [(b - a) / (j - i) for (i, a), (j, b) in combinations(enumerate(values), 2)]
    return median(slopes) if slopes else math.nan


def mann_kendall(values: Sequence[float]) -> float:
    """Normal score of a monotone trend (Mann 1945, Kendall 1975), positive for a rise.

    `S` counts rising minus falling pairs; `z = (S - sign(S)) / sqrt(n (n-1) (2n+5) / 18)`.

    Returns:
        The score; 0.0 for fewer than three values.
    """
    n = len(values)
    if n < 3:  # noqa: PLR2004
        return 0.0
    rises = sum((b > a) - (b < a) for a, b in combinations(values, 2))
    continuity = (rises > 0) - (rises < 0)
    return (rises - continuity) / math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
