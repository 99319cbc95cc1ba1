"""Validation came up from its best: how far, by how much more than noise, and train with it or not."""

import math
from dataclasses import dataclass, replace

from lightning_gapmon.analysis.verdicts.levels import finite, middle
from lightning_gapmon.analysis.verdicts.reading import Reading, Span

RISE = 0.035  # of the best validation loss
NEAR = 0.67  # train below that share of validation is far below it
RISE_OF_REACH = 0.05  # of the reach, where the loss has no natural zero
STDERRS = 2.0  # asked once
STDERRS_TOGETHER = 0.75  # where both losses jump together and it is the weights that jump
TOGETHER = 0.8
MOST_OF_IT = 0.3  # of the rise, at each of the last two checks
WITH_TRAIN = 0.5  # of the rise: train came up, too
SOME_TRAIN = 0.25  # ... where train is near validation and rose by as much of itself
COMING_BACK = 0.1  # of the checks, ...
LEAST_COMING_BACK = 3  # ... so many at least, since both losses jumped up
JUMP = 6.0  # times the noise


@dataclass(frozen=True, kw_only=True, slots=True)
class Rise:
    """A rise of validation above its best that is large and more than noise.

    Attributes:
        low: The checks around the best.
        now: The last checks.
        share: How far validation has risen, by the best loss, or by the reach without a zero.
        stderrs: The same in standard errors of the noise between checks, at the check that told.
        needed: How many were needed there.
        told: Number of that check.
        since: Number of the check with the lowest loss around the best.
        with_train: Whether train came up, too.
    """

    low: Span
    now: Span
    share: float
    stderrs: float
    needed: float
    told: int
    since: int
    with_train: bool

    @property
    def height(self) -> float:
        """How far validation has risen."""
        return self.now.val - self.low.val

    @property
    def train(self) -> float:
        """How far train has risen."""
        return self.now.train - self.low.train

    @property
    def evidence(self) -> dict[str, float]:
        """The numbers, by name."""
        return {
            "val_best": self.low.val,
            "val_now": self.now.val,
            "val_rise": self.height,
            "val_rise_share": self.share,
            "val_rise_stderrs": self.stderrs,
            "stderrs_needed": self.needed,
            "told_at": self.told,
            "train_at_best": self.low.train,
            "train_now": self.now.train,
        }


def judged(reading: Reading) -> Rise | None:
    """Look once at a run that has ended."""
    rise = measured(reading, reading.low, reading.end)
    if rise.height <= least(reading) or comes_back(reading) or not _holds(reading, rise):
        return None
    stderr = reading.stderr(reading.noise.val, reading.width, reading.width)
    needed = STDERRS_TOGETHER if reading.noise.together > TOGETHER else STDERRS
    if not rise.height > needed * stderr:
        return None
    stderrs = rise.height / stderr if stderr else math.inf
    return replace(rise, stderrs=stderrs, needed=needed)


def measured(reading: Reading, low: Span, now: Span) -> Rise:
    """Compare two spans, without asking whether that is more than noise."""
    best = reading.best
    around = reading.history[best.index + 1 - best.checks : best.index + 1]
    known = [seen for seen in around if math.isfinite(seen.val)]
    return Rise(
        low=low,
        now=now,
        share=(now.val - low.val) / reading.scale if reading.scale else 0.0,
        stderrs=math.nan,
        needed=math.nan,
        told=reading.history[-1].check,
        since=min(known, key=lambda seen: seen.val).check,
        with_train=_with_train(low, now),
    )


def least(reading: Reading) -> float:
    """Say how far validation comes up before it matters."""
    return (RISE if reading.positive else RISE_OF_REACH) * reading.scale


def _with_train(low: Span, now: Span) -> bool:
    rise, train = now.val - low.val, now.train - low.train
    near = now.train > NEAR * now.val and low.train > 0
    return train >= WITH_TRAIN * rise or (
        near and train >= SOME_TRAIN * rise and train > RISE * low.train
    )


def _holds(reading: Reading, rise: Rise) -> bool:
    """Whether the last two checks are both risen: one alone may be wild."""
    last = finite(reading.history[-2:].val)
    return reading.width > len(last) or all(
        loss > rise.low.val + MOST_OF_IT * rise.height for loss in last
    )


def comes_back(reading: Reading) -> bool:
    """Whether both losses jumped up a few checks ago, as after a restart, and come down again.

    Before that jump all was well.
    """
    few = max(LEAST_COMING_BACK, round(COMING_BACK * reading.checks))
    before, since = reading.history[-2 * few : -few], reading.history[-few:]
    if len(before) < few or len(finite(since.val)) < few:
        return False
    peak = max(range(few), key=lambda i: since.val[i])
    trains = reading.train(since)
    jump = since.val[peak] - middle(before.val)
    train_jump = trains[peak] - middle(reading.train(before))
    fall, train_fall = since.val[peak] - since.val[-1], trains[peak] - trains[-1]
    return (
        middle(before.val) <= reading.low.val + least(reading)
        and jump > JUMP * reading.noise.val
        and train_jump > WITH_TRAIN * jump
        and fall > MOST_OF_IT * jump
        and train_fall > WITH_TRAIN * fall
    )
