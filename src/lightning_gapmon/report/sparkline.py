"""A loss as a line of characters."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

BLOCKS = "▁▂▃▄▅▆▇█"
LETTERS = "_.-~=+*#"  # where there are no blocks


def sparkline(losses: Sequence[float], *, width: int = 16, plain: bool = False) -> str:
    """Draw losses from the lowest to the highest, each character the mean of a stretch.

    Args:
        losses: The losses; a stretch without a finite one is a space.
        width: Characters at most.
        plain: Draw with ASCII only.

    Example:
        >>> sparkline([1.0, 0.5, 0.3, 0.2, 0.4, 0.6])
        '█▄▂▁▃▄'
    """
    if not losses:
        return ""
    size = min(width, len(losses))
    ends = [round(part * len(losses) / size) for part in range(size + 1)]
    means = [_mean(losses[start:end]) for start, end in pairwise(ends)]
    finite = [mean for mean in means if math.isfinite(mean)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    marks = LETTERS if plain else BLOCKS
    return "".join(_mark(mean, low, high, marks) for mean in means)


def _mean(losses: Sequence[float]) -> float:
    finite = [loss for loss in losses if math.isfinite(loss)]
    # Halved first: the difference of two losses may be more than a float holds.
    return fmean(loss / 2 for loss in finite) if finite else math.nan


def _mark(mean: float, low: float, high: float, marks: str) -> str:
    if not math.isfinite(mean):
        return " "
    share = (mean - low) / (high - low) if high > low else 0.0
    return marks[round(share * (len(marks) - 1))]
