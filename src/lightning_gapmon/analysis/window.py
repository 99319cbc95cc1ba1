"""The train loss at the end of a window of training steps, without its half-window lag.

The online train loss is a mean over weights that are, on average, half a window old. Its own
trend within the window says where it stood at the end: a constant, a line and exponential
approaches of several rates are fitted to the bins of the window, each is read at the end, and
the readings are averaged by how well their curves fit (the weights of Schwarz 1978). How far
they disagree goes into the standard error.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

LEAST_BINS = 4
RATES = (
    -4.0,
    -3.2,
    -2.5,
    -1.8,
    -1.0,
    0.0,
    0.8,
    1.2,
    1.7,
    2.4,
    3.0,
    3.7,
    4.5,
    6.0,
    8.0,
    11.0,
    15.0,
    20.0,
    28.0,
)
DELAYS = (0.02, 0.06, 0.2)  # of the logarithms, by window: losses that fall like power laws
MODEL_ERROR = 0.01  # by the range of the bins: no curve is taken to fit better
NAN = math.nan


@dataclass(frozen=True, slots=True)
class Bin:
    """A part of a window of training steps.

    Attributes:
        n: Sum of the weights (samples) behind `loss`.
        position: Weighted mean position in the window, from 0 to 1.
        loss: Weighted mean loss.
        stderr: Standard error of `loss`; NaN if not known.
    """

    n: float
    position: float
    loss: float
    stderr: float = NAN


class _Reading(NamedTuple):
    value: float
    leverage: float  # variance of the value by that of the noise
    residual: float  # weighted sum of squared residuals
    score: float


_Basis = Callable[[float], float]


def _exponential(rate: float) -> _Basis:
    return lambda u: math.exp(-rate * u) if rate else -u


def _logarithm(delay: float) -> _Basis:
    return lambda u: math.log(u + delay)


BASES = (*map(_exponential, RATES), *map(_logarithm, DELAYS))


def at_end(bins: Sequence[Bin]) -> tuple[float, float]:
    """Read the loss at the end of a window, with its standard error.

    Args:
        bins: The window in parts, oldest first; those without a finite loss are left out.

    Returns:
        The loss and its standard error; NaN both for fewer than four usable bins.

    Example:
        >>> falling = [Bin(n=32, position=(i + 0.5) / 8, loss=2 - (i + 0.5) / 8) for i in range(8)]
        >>> value, stderr = at_end(falling)
        >>> round(value, 6), round(stderr, 6)
        (1.0, 0.0)
    """
    used = [part for part in bins if part.n > 0 and math.isfinite(part.loss)]
    if len(used) < LEAST_BINS:
        return NAN, NAN
    weights = _weights(used)
    readings = [_curve(used, weights, basis) for basis in BASES]
    return _average(readings, len(used))


def _weights(bins: Sequence[Bin]) -> list[float]:
    """Weigh by samples; where errors are known, also by how noisy a sample is around there."""
    spreads = [part.n * part.stderr**2 for part in bins]
    mean = math.fsum(spreads) / len(spreads)
    if not 0 < mean < math.inf:
        spreads, mean = [1.0] * len(bins), 1.0
    raw = [part.n / (spread + mean) for part, spread in zip(bins, spreads, strict=True)]
    total = math.fsum(raw)
    return [len(bins) * weight / total for weight in raw]


def _curve(bins: Sequence[Bin], weights: Sequence[float], basis: _Basis) -> _Reading:
    """Fit `a + b g(position)` by weighted least squares and read it at position 1."""
    half = 0.5 / len(bins)
    xs = [_mean(basis, part.position, half) for part in bins]
    total = math.fsum(weights)
    rows = list(zip(weights, xs, (part.loss for part in bins), strict=True))
    x0 = math.fsum(w * x for w, x, _ in rows) / total
    y0 = math.fsum(w * y for w, _, y in rows) / total
    sxx = math.fsum(w * (x - x0) ** 2 for w, x, _ in rows)
    sxy = math.fsum(w * (x - x0) * (y - y0) for w, x, y in rows)
    slope = sxy / sxx
    ahead = basis(1.0) - x0
    losses = [y for _, _, y in rows]
    floor = len(rows) * (MODEL_ERROR * (max(losses) - min(losses))) ** 2
    residual = floor + math.fsum(w * (y - y0 - slope * (x - x0)) ** 2 for w, x, y in rows)
    span = (basis(0.0) - basis(1.0)) ** 2
    return _Reading(y0 + slope * ahead, 1 / total + ahead**2 / sxx, residual, math.log(sxx / span))


def _mean(basis: _Basis, position: float, half: float) -> float:
    """Mean of a basis function over a bin, by Simpson's rule."""
    start, stop = max(0.0, position - half), min(1.0, position + half)
    return (basis(start) + 4 * basis(position) + basis(stop)) / 6


def _average(readings: Sequence[_Reading], count: int) -> tuple[float, float]:
    least = min(reading.residual for reading in readings)
    if not least > 0:
        return next((r.value, 0.0) for r in readings if r.residual == least)
    dof = count - 2
    odds = [math.exp(-0.5 * (dof * math.log(r.residual / least) + r.score)) for r in readings]
    total = math.fsum(odds)
    value = math.fsum(o * r.value for o, r in zip(odds, readings, strict=True)) / total
    spread = math.fsum(
        o * (r.leverage * r.residual / dof + (r.value - value) ** 2)
        for o, r in zip(odds, readings, strict=True)
    )
    wide = 1 + 1.2 / dof + 1.9 / dof**2
    return value, wide * math.sqrt(spread / total)
