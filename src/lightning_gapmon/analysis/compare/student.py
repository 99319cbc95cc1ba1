"""Student's t: its distribution and its quantiles, in the standard library alone."""

import math

TINY = 1e-300
PRECISION = 1e-15
TERMS = 500


def student_cdf(t: float, degrees: float) -> float:
    """Give the chance that Student's t is at most `t`.

    Example:
        >>> student_cdf(0.0, 3), round(student_cdf(1.0, 1), 12)
        (0.5, 0.75)
    """
    if math.isinf(t):
        return float(t > 0)
    whole = degrees + t * t
    outside = _beta_share(degrees / whole, t * t / whole, degrees / 2, 0.5) / 2
    return outside if t < 0 else 1 - outside


def student_quantile(chance: float, degrees: float) -> float:
    """Give the `t` that Student's t exceeds with probability `1 - chance`.

    Args:
        chance: Between 0 and 1, both excluded.
        degrees: Degrees of freedom, above 0; infinitely many make it the normal distribution.

    Example:
        >>> round(student_quantile(0.95, 8), 3), round(student_quantile(0.975, 1), 2)
        (1.86, 12.71)
    """
    if chance < 0.5:  # noqa: PLR2004 - the median
        return -student_quantile(1 - chance, degrees)
    low, high = 0.0, 1.0
    while student_cdf(high, degrees) < chance:
        low, high = high, 2 * high
    while high - low > PRECISION * high:
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if student_cdf(middle, degrees) < chance else (low, middle)
    return high


def _beta_share(x: float, rest: float, a: float, b: float) -> float:
    """Give the regularised incomplete beta function of `x`, which is `1 - rest`.

    It is summed on the side where the fraction is fast; both parts are given, for neither can be
    told from the other where one is tiny.
    """
    if not (x > 0 and rest > 0):
        return float(x > 0)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(rest, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Sum the continued fraction of the incomplete beta function by Lentz's method."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    total = d
    for m in range(1, TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d, c = 1 / _away(1 + term * d), _away(1 + term / c)
            total *= c * d
        if abs(c * d - 1) < PRECISION:
            break
    return total


def _away(value: float) -> float:
    """Keep a divisor away from zero."""
    return value if abs(value) > TINY else TINY
