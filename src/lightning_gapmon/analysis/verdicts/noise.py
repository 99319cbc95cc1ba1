"""How far the two losses jump from check to check, and whether they jump together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from lightning_gapmon.analysis.trend import noise
from lightning_gapmon.analysis.verdicts.levels import finite

SETTLED = 4  # the first quarter of a run bends by itself
MOST_CHECKS = 100
LEAST_BENDS = 8  # fewer cannot show that two losses jump together
LEAST_TAIL = 20  # bends; one wild check makes three of them
TAIL = 0.8  # of the bends, by their size
QUARTILE = 0.6745  # the median size of normal values, in standard deviations
TAIL_DEVIATION = 1.2816  # four fifths of normal values are smaller
WILD = 3.0  # medians; what goes beyond counts as much


@dataclass(frozen=True, kw_only=True, slots=True)
class Noise:
    """Standard deviations from check to check, around a smooth curve, over the last checks.

    Attributes:
        val: Of the validation loss.
        train: Of the train loss.
        gap: Of validation minus train.
        tails: How much more the larger jumps of validation say than the usual ones: 1 in normal
            noise, more where its tails are heavy.
        together: Correlation of the jumps of the two losses. Near 1 it is the weights that
            jump and not what the losses are measured on.
    """

    val: float
    train: float
    gap: float
    tails: float
    together: float

    @classmethod
    def between(cls, val: Sequence[float], train: Sequence[float]) -> "Noise":
        """Measure the noise of two losses, given at the same checks."""
        gaps = [v - t for v, t in zip(val, train, strict=True)]
        return cls(
            val=_noise(val),
            train=_noise(train),
            gap=_noise(gaps),
            tails=_tails(finite(val)),
            together=_together(val, train),
        )


def recent(checks: int) -> slice:
    """Say which checks tell the noise: the last three quarters, and not more than a hundred."""
    return slice(max(checks // SETTLED, checks - MOST_CHECKS), checks)


def _noise(values: Sequence[float]) -> float:
    found = noise(finite(values))
    return 0.0 if math.isnan(found) else found


def _tails(values: Sequence[float]) -> float:
    sizes = sorted(map(abs, _second_differences(values)))
    usual = median(sizes) / QUARTILE if len(sizes) >= LEAST_TAIL else 0.0
    return max(1.0, sizes[int(TAIL * len(sizes))] / TAIL_DEVIATION / usual) if usual else 1.0


def _together(val: Sequence[float], train: Sequence[float]) -> float:
    both = [(v, t) for v, t in zip(val, train, strict=True) if math.isfinite(v + t)]
    ours, others = (_bends(values) for values in zip(*both, strict=True)) if both else ([], [])
    if len(ours) < LEAST_BENDS or not (any(ours) and any(others)):
        return 0.0
    product = sum(a * b for a, b in zip(ours, others, strict=True))
    return product / math.sqrt(sum(a * a for a in ours) * sum(b * b for b in others))


def _bends(values: Sequence[float]) -> list[float]:
    """Take the second differences in units of their usual size."""
    bends = _second_differences(values)
    usual = median(map(abs, bends)) if bends else 0.0
    return [max(-WILD, min(WILD, bend / usual)) for bend in bends] if usual else []


def _second_differences(values: Sequence[float]) -> list[float]:
    """Take the differences of the differences, in which a straight trend cancels."""
    triples = zip(values, values[1:], values[2:], strict=False)
    return [a - 2 * b + c for a, b, c in triples]
