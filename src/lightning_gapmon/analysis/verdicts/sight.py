"""What a verdict looks at: where a run started, its best, where it is now, how noisy it is."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.trend import noise
from lightning_gapmon.analysis.verdicts.level import Bends, Course, Level, course, finite, middle

NOISE_CHECKS = 31
NOISE_FLOOR = 0.05  # a loss is taken to be that noisy, by its scale, ...
FLOOR_CHECKS = 4  # ... as if so many checks had said it
UNTOLD_CHECKS = 5  # the first checks say nothing of noise: there the curve itself bends
MEAN_TO_SIGMA = math.sqrt(math.pi / 12)  # mean absolute second difference, in a normal, to sigma
MEDIAN_OVER_MEAN = math.sqrt(math.pi / 2)  # standard error of a median over that of a mean


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """A run that has finite validation losses, as the verdicts see it.

    Attributes:
        history: The run.
        checks: How many checks it has.
        first: Its first level.
        best: Its lowest level.
        now: Its last level, over two checks at least.
        positive: Whether the losses have been above zero throughout.
        scale: What effects are measured by: the best validation loss, or the range that
            validation has covered where the loss has no natural zero.
        shown: Standard deviation of the validation loss from check to check, as it shows.
        noise: The same, with what few checks cannot rule out.
        gap_noise: Standard deviation of validation minus train, likewise.
        way: All its levels.
    """

    history: History
    checks: int
    first: Level
    best: Level
    now: Level
    positive: bool
    scale: float
    shown: float
    noise: float
    gap_noise: float
    way: Course

    @classmethod
    def of(cls, history: History) -> "Sight | None":
        """Look at a run; None while no validation loss is finite."""
        way = course(history)
        if way.first is None or way.best is None or way.now is None or way.highest is None:
            return None
        positive = min(way.val.bottom, way.train.bottom) > 0
        scale = way.best.val if positive else way.highest.val - way.best.val
        last = history[-NOISE_CHECKS:]
        gaps = [seen.val - seen.train for seen in last]
        shown, gap_shown = _shown(way.bends, last.val), _shown(way.gap_bends, gaps)
        return cls(
            history=history,
            checks=len(history),
            first=way.first,
            best=way.best,
            now=_two_at_least(history, way.now),
            positive=positive,
            scale=scale,
            shown=shown,
            noise=_careful(shown, len(history), scale),
            gap_noise=_careful(gap_shown, len(history), scale),
            way=way,
        )

    @property
    def improvement(self) -> float:
        """How far validation has come down from its first level to its best."""
        return self.first.val - self.best.val

    def over_last(self, checks: int) -> Level:
        """Give the level over so many of the last checks."""
        return self._level(len(self.history) - checks, checks)

    def around_best(self, checks: int) -> Level:
        """Give the level over so many checks around the best.

        Early levels are over few checks, and the lowest of many such is low by chance.
        """
        return self._level(self.best.index - checks // 2, checks)

    def _level(self, start: int, checks: int) -> Level:
        first = max(0, start)
        span = self.history[first : start + checks]
        return Level(first + len(span) - 1, len(span), middle(span.val), middle(span.train))


def _shown(bends: Bends, last: Iterable[float]) -> float:
    """Take the larger of two looks: running over many checks, and robust over the last."""
    robust = noise(finite(last))
    return max(bends.mean * MEAN_TO_SIGMA, robust) if robust >= 0 else 0.0


def _careful(shown: float, checks: int, scale: float) -> float:
    """Take some noise for granted: few checks cannot show that a loss is quiet."""
    told = max(0, checks - UNTOLD_CHECKS)
    both = math.hypot(math.sqrt(told) * shown, math.sqrt(FLOOR_CHECKS) * NOISE_FLOOR * scale)
    return both / math.sqrt(told + FLOOR_CHECKS)


def _two_at_least(history: History, level: Level) -> Level:
    if level.checks > 1 or len(history) == 1:
        return level
    last = history[level.index - 1 : level.index + 1]
    return Level(level.index, 2, middle(last.val), middle(last.train))
