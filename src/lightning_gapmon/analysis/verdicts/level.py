"""Where the two losses stand at a check, without their noise, and the best they ever stood."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from lightning_gapmon.analysis.history.history import History

SHARE = 0.05
MOST_CHECKS = 31
MEMORY = 100  # second differences that the running noise remembers
TOLD = 8  # so many of them tell what is wild: more than so often their mean
WILD = 6.0


@dataclass(frozen=True, slots=True)
class Level:
    """Median losses over the last checks, a twentieth of the run so far and 31 at most.

    Attributes:
        index: Position of the check in the history, from 0.
        checks: How many checks the medians are over.
        val: Median validation loss.
        train: Median online train loss; NaN while none is finite.
    """

    index: int
    checks: int
    val: float
    train: float


@dataclass(frozen=True, slots=True)
class Way:
    """The way of one loss so far, over its finite values.

    Attributes:
        begin: The first; NaN before there is one.
        last: The last.
        bottom: The lowest.
        length: All that it went, up and down.
    """

    begin: float = math.nan
    last: float = math.nan
    bottom: float = math.inf
    length: float = 0.0

    def on_to(self, loss: float) -> "Way":
        """Go on to the next loss; one that is no number is passed over."""
        if not math.isfinite(loss):
            return self
        if math.isnan(self.begin):
            return Way(loss, loss, loss)
        length = self.length + abs(loss - self.last)
        return Way(self.begin, loss, min(self.bottom, loss), length)

    @property
    def detour(self) -> float:
        """How much longer it was than straight to the bottom and from there to the last."""
        return self.length - (self.begin - self.bottom) - (self.last - self.bottom)


@dataclass(frozen=True, slots=True)
class Bends:
    """The second differences of a curve, which a straight trend leaves out.

    Attributes:
        count: How many there were.
        mean: Their mean absolute value, over about the last hundred, wild ones cut.
    """

    count: int = 0
    mean: float = 0.0

    def on_to(self, last: Sequence[float]) -> "Bends":
        """Add that of the last three values, if there are three."""
        bend = abs(last[0] - 2 * last[1] + last[2]) if len(last) > 2 else math.nan  # noqa: PLR2004
        if not math.isfinite(bend):
            return self
        if self.count >= TOLD:
            bend = min(bend, WILD * self.mean)
        count = self.count + 1
        return Bends(count, self.mean + (bend - self.mean) / min(count, MEMORY))


@dataclass(frozen=True, slots=True)
class Course:
    """A run up to a check; levels are None while no validation loss is finite.

    Attributes:
        seen: Checks so far.
        first: The first level.
        best: The lowest level so far, the first of equals.
        highest: The highest level so far.
        now: The last level.
        val: The way of the validation loss.
        train: The way of the train loss.
        bends: The second differences of the validation loss.
        gap_bends: The second differences of validation minus train.
    """

    seen: int = 0
    first: Level | None = None
    best: Level | None = None
    highest: Level | None = None
    now: Level | None = None
    val: Way = Way()
    train: Way = Way()
    bends: Bends = Bends()
    gap_bends: Bends = Bends()


def course(history: History) -> Course:
    """Follow the levels up to the last check; one more check costs one more median."""
    return history.scan(_follow, Course())


def _follow(before: Course, history: History) -> Course:
    now = _level(history, before)
    if now is None:
        return replace(before, seen=before.seen + 1)
    best, highest = before.best or now, before.highest or now
    seen, last = history[-1], history[-3:]
    return Course(
        seen=before.seen + 1,
        val=before.val.on_to(seen.val),
        train=before.train.on_to(seen.train),
        bends=before.bends.on_to(last.val),
        gap_bends=before.gap_bends.on_to([check.val - check.train for check in last]),
        first=before.first or now,
        best=now if now.val < best.val else best,
        highest=now if now.val > highest.val else highest,
        now=now,
    )


def _level(history: History, before: Course) -> Level | None:
    """Take the medians at the next check; a train loss that is missing stays as it was."""
    seen = before.seen + 1
    checks = min(MOST_CHECKS, max(1, round(SHARE * seen)))
    span = history[seen - checks : seen]
    val, train = middle(span.val), middle(span.train)
    if math.isnan(val):
        return None
    if math.isnan(train) and before.now:
        train = before.now.train
    return Level(before.seen, checks, val, train)


def finite(values: Iterable[float]) -> list[float]:
    """Leave out what is no number."""
    return [value for value in values if math.isfinite(value)]


def middle(values: Iterable[float]) -> float:
    """Give the median of the finite values; NaN where there is none."""
    numbers = finite(values)
    return median(numbers) if numbers else math.nan
