"""What a verdict looks at: where a run started, its best, where it is now, how noisy it is."""

import math
from dataclasses import dataclass

from lightning_gapmon.analysis.history import History
from lightning_gapmon.analysis.trend import noise
from lightning_gapmon.analysis.verdicts.level import Course, Level, course, finite, middle

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
        way: All its levels.
    """

    history: History
    checks: int
    first: Level
    best: Level
    now: Level
    positive: bool
    scale: float
    way: Course

    @classmethod
    def of(cls, history: History) -> "Sight | None":
        """Look at a run; None while no validation loss is finite."""
        way = course(history)
        if way.first is None or way.best is None or way.now is None or way.highest is None:
            return None
        positive = min(way.val.bottom, way.train.bottom) > 0
        return cls(
            history=history,
            checks=len(history),
            first=way.first,
            best=way.best,
            now=_two_at_least(history, way.now),
            positive=positive,
            scale=way.best.val if positive else way.highest.val - way.best.val,
            way=way,
        )

    @property
    def improvement(self) -> float:
        """How far validation has come down from its first level to its best."""
        return self.first.val - self.best.val

    @property
    def noise(self) -> float:
        """Standard deviation of the validation loss from check to check.

        Few checks cannot show that a loss is quiet: until they are many, some noise is taken
        for granted.
        """
        told = max(0, self.checks - UNTOLD_CHECKS)
        last = noise(finite(self.history[-NOISE_CHECKS:].val))
        shown = max(self.way.bend * MEAN_TO_SIGMA, last) if told and last >= 0 else 0.0
        floor = NOISE_FLOOR * self.scale
        return math.sqrt((told * shown**2 + FLOOR_CHECKS * floor**2) / (told + FLOOR_CHECKS))

    def stderr_of(self, level: Level) -> float:
        """Standard error of a level."""
        factor = MEDIAN_OVER_MEAN if level.checks > 2 else 1.0  # noqa: PLR2004
        return factor * self.noise / math.sqrt(level.checks)


def _two_at_least(history: History, level: Level) -> Level:
    if level.checks > 1 or len(history) == 1:
        return level
    last = history[level.index - 1 : level.index + 1]
    return Level(level.index, 2, middle(last.val), middle(last.train))
