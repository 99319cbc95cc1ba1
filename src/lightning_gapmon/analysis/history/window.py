"""The train loss at the end of a window of training steps, without its half-window lag.

The online train loss is a mean over weights that are, on average, half a window old. Its own
trend within the window says where it stood at the end: a line, exponentials and logarithms of
several rates are fitted to the bins of the window, each is read at the end, and the readings
are averaged by how well their curves fit (by their marginal likelihoods, as if of a few bins).
How far the readings disagree goes into the standard error.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

LEAST_BINS = 4
RISES = (-4.0, -3.2, -2.5, -1.8, -1.0)  # rates of exponentials, by window
FALLS = (0.8, 1.2, 1.7, 2.4, 3.0, 3.7, 4.5, 6.0, 8.0, 11.0, 15.0, 20.0, 28.0)
DELAYS = (0.02, 0.06, 0.2)  # of logarithms, by window: these fall like power laws
MODEL_ERROR = 0.01  # by the range of the bins: no curve is taken to fit better than that
EVIDENCE = 4  # bins' worth at most: no curve is the true one, and more would pick a winner
NAN = math.nan

_Shape = Callable[[float], float]


def _line(position: float) -> float:
    return -position


def _exponential(rate: float) -> _Shape:
    return lambda position: math.exp(-rate * position)


def _logarithm(delay: float) -> _Shape:
    return lambda position: math.log(position + delay)


SHAPES = (_line, *map(_exponential, RISES + FALLS), *map(_logarithm, DELAYS))


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
    variance: float
    penalty: float  # minus twice the log of the marginal likelihood


def at_end(bins: Sequence[Bin]) -> tuple[float, float]:
    """Read the loss at the end of a window, with its standard error.

    Args:
        bins: The window in parts, oldest first; those without a finite loss are left out.

    Returns:
        The loss and its standard error; NaN both for fewer than four usable bins.

    Example:
        >>> places = [(i + 0.5) / 8 for i in range(8)]
        >>> value, stderr = at_end([Bin(n=32, position=u, loss=2 - u) for u in places])
        >>> round(value, 2), stderr < 0.02
        (1.0, True)
    """
    used = [part for part in bins if part.n > 0 and math.isfinite(part.loss)]
    if len(used) < LEAST_BINS:
        return NAN, NAN
    low, high = min(part.loss for part in used), max(part.loss for part in used)
    unit = high - low
    if not 0 < unit < math.inf:
        return (low, 0.0) if high == low else (NAN, NAN)
    losses = [(part.loss - low) / unit for part in used]
    weights = _weights(used)
    half = 0.5 / len(bins)
    readings = [_read(shape, used, losses, weights, half) for shape in SHAPES]
    value, stderr = _average(readings)
    return low + unit * value, unit * _widened(stderr, len(used) - 2)


def _weights(bins: Sequence[Bin]) -> list[float]:
    """Weigh by samples; where errors are known, also by how noisy a sample is around there."""
    spreads = [part.n * part.stderr**2 for part in bins]
    mean = sum(spreads) / len(spreads)
    if not 0 < mean < math.inf:
        spreads, mean = [1.0] * len(bins), 1.0
    most = max(part.n for part in bins)
    raw = [part.n / most / (1 + spread / mean) for part, spread in zip(bins, spreads, strict=True)]
    return [len(bins) * weight / sum(raw) for weight in raw]


def _read(
    shape: _Shape,
    bins: Sequence[Bin],
    losses: Sequence[float],
    weights: Sequence[float],
    half: float,
) -> _Reading:
    """Fit `a + b shape(position)` by weighted least squares and read it at position 1."""
    xs = [_mean(shape, part.position, half) for part in bins]
    total, count = sum(weights), len(bins)
    x0 = sum(w * x for w, x in zip(weights, xs, strict=True)) / total
    y0 = sum(w * y for w, y in zip(weights, losses, strict=True)) / total
    rows = [(w, x - x0, y - y0) for w, x, y in zip(weights, xs, losses, strict=True)]
    sxx = sum(w * x * x for w, x, _ in rows)
    slope = sum(w * x * y for w, x, y in rows) / sxx
    residual = sum(w * (y - slope * x) ** 2 for w, x, y in rows) + count * MODEL_ERROR**2
    ahead = shape(1.0) - x0
    return _Reading(
        value=y0 + slope * ahead,
        variance=(1 / total + ahead**2 / sxx) * residual / (count - 2),
        penalty=min(count - 2, EVIDENCE) * math.log(residual)
        + math.log(sxx / (shape(0) - shape(1)) ** 2),
    )


def _mean(shape: _Shape, position: float, half: float) -> float:
    """Mean of a shape over a bin, by Simpson's rule."""
    start, stop = max(0.0, position - half), min(1.0, position + half)
    return (shape(start) + 4 * shape(position) + shape(stop)) / 6


def _average(readings: Sequence[_Reading]) -> tuple[float, float]:
    least = min(reading.penalty for reading in readings)
    odds = [math.exp((least - reading.penalty) / 2) for reading in readings]
    rows = [(o / sum(odds), r) for o, r in zip(odds, readings, strict=True)]
    value = sum(share * r.value for share, r in rows)
    spread = sum(share * (r.variance + (r.value - value) ** 2) for share, r in rows)
    return value, math.sqrt(spread)


def _widened(stderr: float, dof: int) -> float:
    """Make 1.96 of it cover 95 % of real windows: `benchmarks/lag_coverage.py` measures that.

    Few bins need more, as in Student's t; many need less, for their readings disagree by more
    than they err.
    """
    return stderr * 0.8 * (1 + 1 / dof)
