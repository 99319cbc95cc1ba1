"""Whether validation still comes down at the end, or has come to a halt."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lightning_gapmon.analysis.verdicts.levels import middle
from lightning_gapmon.analysis.verdicts.reading import Reading, sampled

LAST = 0.2  # of the checks
FALLING = 0.045  # of the reach, over the last fifth: what a reader sees in a chart
STDERRS = 1.5
STRAIGHT = 4  # checks: by chance they are in order once in 24 times
RECENT = 1 / 8  # of the checks, and two at least: the best is no older
MOST_SAMPLES = 48
EARLY = 0.05  # of the reach: what is left of the fall at half of the run
SETTLED = 0.03  # of the reach, over the last fifth


@dataclass(frozen=True, kw_only=True, slots=True)
class Settling:
    """The last fifth of a run.

    Attributes:
        fall: How far validation came down over it, by the more cautious of two looks: the last
            fifth against the one before, and the end against where that fifth began.
        share: The same by the reach.
        stderrs: The same in standard errors of the noise between checks.
        train_fall: How far train came down between the two fifths.
        since_half: How far validation came down in the second half, by the reach.
        straight: Whether each of the last few checks was lower than the one before.
        recent: Whether the best check is among the last.
    """

    fall: float
    share: float
    stderrs: float
    train_fall: float
    since_half: float
    straight: bool
    recent: bool

    @property
    def falling(self) -> bool:
        """Whether validation clearly still comes down."""
        shows = self.stderrs > STDERRS or self.straight
        return self.recent and self.share > FALLING and shows

    @property
    def early(self) -> bool:
        """Whether it has stayed where it is for half of the run."""
        return self.share < SETTLED and self.since_half < EARLY

    @classmethod
    def of(cls, reading: Reading) -> "Settling":
        """Read the end of a run."""
        history, n = reading.history, reading.checks
        fifth, tenth = max(2, round(LAST * n)), max(1, n // 10)
        before, last = history[n - 2 * fifth : n - fifth], history[n - fifth :]
        turn = n - fifth
        begun = history[max(0, turn - max(1, tenth // 2)) : turn + (tenth + 1) // 2]
        by_fifths = typical(before.val) - typical(last.val)
        fall = min(by_fifths, typical(begun.val) - reading.tip)
        centre, wide = n // 2, max(1, reading.width // 2)
        middle_ = middle(history[max(0, centre - wide) : centre + wide].val)
        stderr = reading.stderr(reading.noise.val, reading.width, reading.width)
        age = n - 1 - reading.best.index
        return cls(
            fall=fall,
            share=fall / reading.reach if reading.reach else 0.0,
            stderrs=fall / stderr if stderr else math.copysign(math.inf, fall),
            train_fall=typical(reading.train(before)) - typical(reading.train(last)),
            since_half=(middle_ - reading.tip) / reading.reach if reading.reach else 0.0,
            straight=n >= STRAIGHT and all(a > b for a, b in pairwise(history[-STRAIGHT:].val)),
            recent=age <= max(2, int(RECENT * n)),
        )


def typical(values: Sequence[float]) -> float:
    """Give the median of values, of some at equal distances where there are many."""
    return middle(sampled(values, MOST_SAMPLES))
