"""The two curves as a reader sees them: where they began, their best, their end, their noise."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import quantiles

from lightning_gapmon.analysis.history.gap import Basis
from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.verdicts.levels import Level, finite, levels, middle
from lightning_gapmon.analysis.verdicts.noise import Noise, recent

FEW_CHECKS = 10
SHORT = 12  # checks; of fewer, the last one is the end
MEDIAN_OVER_MEAN = math.sqrt(math.pi / 2)  # standard error of a median over that of a mean
THREE = 3  # checks: one of them may be wild
TWO = 2  # the median of two is their mean
TOP = 0.97  # of the checks: what is above is a spike
MOST_SAMPLES = 400
FIRST = 3
ABSURD = 2.5  # times what came then: a loss that says nothing of how far a run has come
BASES: dict[Basis, str] = {"probe": "probe", "end": "end", "online": "train"}


@dataclass(frozen=True, slots=True)
class Span:
    """Medians over some checks in a row.

    Attributes:
        checks: How many checks.
        val: Median validation loss.
        train: Median train loss; NaN where none is known.
    """

    checks: int
    val: float
    train: float


class Reading:
    """A run that has finite validation losses, as one sees it in a chart.

    Attributes:
        history: The run.
        checks: How many checks it has.
        best: The lowest level, which says where the best is.
        now: The last level.
        positive: Whether the losses have been above zero throughout.
    """

    def __init__(self, history: History, best: Level, now: Level, lowest: float) -> None:
        self.history, self.checks, self.best, self.now = history, len(history), best, now
        self.positive = lowest > 0

    @classmethod
    def of(cls, history: History) -> "Reading | None":
        """Look at a run; None while no validation loss is finite."""
        so_far = levels(history)
        if so_far.best is None or so_far.now is None:
            return None
        return cls(history, so_far.best, so_far.now, so_far.lowest)

    @cached_property
    def basis(self) -> Basis:
        """The fairest train loss that is known both around the best and at the end."""
        ends = (self.history[-self.width :], self._around(max(self.width, THREE)))
        for basis, name in BASES.items():
            if all(len(finite(getattr(part, name))) * 2 > len(part) for part in ends):
                return basis
        return "online"

    @property
    def width(self) -> int:
        """How many checks the end is read over: a twentieth, but three, or one of few."""
        return 1 if self.checks < SHORT else max(THREE, self.now.checks)

    @cached_property
    def end(self) -> Span:
        """The last checks."""
        return self.over_last(self.width)

    @cached_property
    def tip(self) -> float:
        """Validation at the very end, over fewer checks where it still comes down."""
        return self.over_last(min(self.width, max(TWO, self.now.checks))).val

    @property
    def before_last(self) -> float:
        """Validation loss at the check before the last, where the end is a single check."""
        return self.history[-2].val if self.width == 1 and self.checks > 1 else math.inf

    @cached_property
    def low(self) -> Span:
        """The checks around the best: the lowest of many is low by chance."""
        return self.around_best(self.width)

    def over_last(self, checks: int) -> Span:
        """Give the medians over so many of the last checks."""
        return self._span(self.history[-checks:])

    def around_best(self, checks: int) -> Span:
        """Give the medians over so many checks around the best, three at least.

        Few checks are read one by one.
        """
        return self._span(self._around(max(checks, THREE)))

    def _around(self, checks: int) -> History:
        middle_ = self.best.index - (self.best.checks - 1) // 2
        if self.checks < FEW_CHECKS:
            return self.history[middle_ : middle_ + 1]
        half = min(checks // 2, max(1, middle_))
        start = max(0, min(middle_ - half, self.checks - 1 - 2 * half))
        return self.history[start : middle_ + half + 1]

    def _span(self, part: History) -> Span:
        return Span(len(part), middle(part.val), middle(self.train(part)))

    def train(self, part: History) -> Sequence[float]:
        """Give the train losses of some checks, by the basis of the run."""
        column: Sequence[float] = getattr(part, BASES[self.basis])
        return column

    @cached_property
    def noise(self) -> Noise:
        """How far the losses jump from check to check."""
        part = self.history[recent(self.checks)]
        return Noise.between(list(part.val), list(self.train(part)))

    @cached_property
    def top(self) -> float:
        """How high validation has been, without spikes."""
        losses = finite(sampled(self.history.val, MOST_SAMPLES))
        if len(losses) == 1:
            return losses[0]
        return quantiles(losses, n=100, method="inclusive")[round(100 * TOP) - 1]

    @property
    def reach(self) -> float:
        """How far apart the ends of the chart are, from the best up to the top."""
        return max(0.0, self.top - self.low.val)

    @property
    def scale(self) -> float:
        """What a rise is measured by: the best loss, or the reach where there is no zero."""
        return self.low.val if self.positive else self.reach

    @cached_property
    def first(self) -> float:
        """Validation loss at the first check, or at those after it where that one is absurd."""
        early = finite(self.history[: FIRST + 1].val) or finite(self.history.val)[:1]
        if len(early) < FIRST:
            return early[0]
        return (
            _trusted(early[0], max(early[1:])) if self.positive else min(early[0], max(early[1:]))
        )

    @cached_property
    def start(self) -> float:
        """Where validation began: before training where that is known, else at the first check."""
        before = self.history.start
        if before is None or not (self.positive and math.isfinite(before.loss)):
            return self.first
        return max(self.first, _trusted(before.loss, self.first))

    def stderr(self, noise: float, *spans: int) -> float:
        """Give the standard error of a difference of medians over so many checks each."""
        return noise * math.sqrt(sum(_variance(checks) for checks in spans))


def _trusted(loss: float, then: float) -> float:
    """Pass over a loss so high above what came then that it is no measure."""
    return loss if loss <= ABSURD * then else then


def _variance(checks: int) -> float:
    return (MEDIAN_OVER_MEAN**2 if checks > TWO else 1.0) / checks


def sampled(values: Sequence[float], most: int) -> Iterator[float]:
    """Go through values, through so many at equal distances where there are more."""
    count = min(most, len(values))
    return (values[(i + 1) * len(values) // count - 1] for i in range(count))
