"""The level of the validation loss at each check, without its noise, and the lowest so far."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median

from lightning_gapmon.analysis.history.history import History

SHARE = 0.05
MOST_CHECKS = 31


@dataclass(frozen=True, slots=True)
class Level:
    """Median validation loss over the last checks, a twentieth of the run and 31 at most.

    Attributes:
        index: Position of the last check in the history, from 0.
        checks: How many checks the median is over.
        val: The median.
    """

    index: int
    checks: int
    val: float


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of a run up to a check; None while no validation loss is finite.

    Attributes:
        seen: Checks so far.
        best: The lowest level so far, the first of equals.
        now: The last level.
        lowest: The lowest loss so far, of validation or train.
    """

    seen: int = 0
    best: Level | None = None
    now: Level | None = None
    lowest: float = math.inf


def levels(history: History) -> Levels:
    """Follow the levels up to the last check; one more check costs one more median."""
    return history.scan(_follow, Levels())


def _follow(before: Levels, history: History) -> Levels:
    seen, count = history[-1], before.seen + 1
    checks = min(MOST_CHECKS, max(1, round(SHARE * count)))
    val = middle(history[-checks:].val)
    if math.isnan(val):
        return replace(before, seen=count)
    now = Level(before.seen, checks, val)
    best = before.best if before.best and before.best.val <= val else now
    lowest = min(before.lowest, *finite((seen.val, seen.train, seen.probe)), math.inf)
    return Levels(count, best, now, lowest)


def finite(values: Iterable[float]) -> list[float]:
    """Leave out what is no number."""
    return [value for value in values if math.isfinite(value)]


def middle(values: Iterable[float]) -> float:
    """Give the median of the finite values; NaN where there is none."""
    numbers = finite(values)
    return median(numbers) if numbers else math.nan
