"""Validation came up from its best: how far, whether that is noise, and whether train did, too."""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

from lightning_gapmon.analysis.verdicts.gap import WIDE, gain
from lightning_gapmon.analysis.verdicts.levels import finite, middle
from lightning_gapmon.analysis.verdicts.reading import FEW_CHECKS, Reading, Span

RISE = 0.035  # of the best validation loss
RISE_OF_GAIN = 0.0075  # ... and of what it had gained
RISE_OF_GAIN_WITH_TRAIN = 0.015
RISE_OF_REACH = 0.05  # of the reach, where the loss has no natural zero
STDERRS = 3.0  # asked once
STDERRS_TOGETHER = 0.75  # where both losses jump together and it is the weights that jump
TOGETHER = 0.8
MOST_OF_IT = 0.3  # of the rise, at each of the last two checks
WITH_TRAIN = 0.5  # of the rise: train came up, too
SOME_TRAIN = 0.25  # ... where train is near validation and rose by as much of itself
COMING_BACK = 0.1  # of the checks, ...
LEAST_COMING_BACK = 3  # ... so many at least, since both losses jumped up
SMOOTH = 0.35  # largest detour by height of the rise, where few checks cannot show noise
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


def judged(reading: Reading, baseline: float) -> Rise | None:
    """Look once at a run that has ended."""
    rise = measured(reading, reading.low, reading.end)
    enough = least(reading, baseline)
    if rise.with_train:
        enough = max(enough, RISE_OF_GAIN_WITH_TRAIN * gain(reading, baseline))
    if not rise.height > enough or comes_back(reading, baseline):
        return None
    stderr = reading.stderr(reading.noise.val, reading.width, reading.width)
    needed = STDERRS_TOGETHER if reading.noise.together > TOGETHER else STDERRS
    if not _holds(reading, rise, needed * stderr):
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


def least(reading: Reading, baseline: float, *, of_gain: float = RISE_OF_GAIN) -> float:
    """Say how far validation comes up before it matters, by its best and by what it has gained."""
    if not reading.positive:
        return RISE_OF_REACH * reading.scale
    return max(RISE * reading.scale, of_gain * gain(reading, baseline))


def _with_train(low: Span, now: Span) -> bool:
    rise, train = now.val - low.val, now.train - low.train
    if now.train >= now.val:  # nothing is learned by heart
        return train > 0
    near = now.train > WIDE * now.val and low.train > 0
    return train >= WITH_TRAIN * rise or (
        near and train >= SOME_TRAIN * rise and train > RISE * low.train
    )


def _holds(reading: Reading, rise: Rise, noise: float) -> bool:
    """Whether it is more than noise, and more than one wild check.

    Few checks cannot show their noise: there it is enough that both curves are smooth.
    """
    last = finite(reading.history[-2:].val)
    if reading.checks < FEW_CHECKS and smooth(reading, rise.height):
        return all(loss > rise.low.val + RISE * reading.scale for loss in last)
    risen = (loss > rise.low.val + MOST_OF_IT * rise.height for loss in last)
    return rise.height > noise and (reading.width > len(last) or all(risen))


def comes_back(reading: Reading, baseline: float) -> bool:
    """Whether both losses jumped up a few checks ago, as after a restart, and come down again.

    Before that jump all was well.
    """
    few = max(LEAST_COMING_BACK, round(COMING_BACK * reading.checks))
    before, since = reading.history[-2 * few : -few], reading.history[-few:]
    if len(before) < few or len(finite(since.val)) < few:
        return False
    all_was_well = reading.best.index >= reading.checks - 2 * few or (
        middle(before.val) <= reading.low.val + least(reading, baseline)
    )
    if since.lr[-1] > before.lr[-1] and all_was_well:
        return True
    peak = max(range(few), key=lambda i: since.val[i])
    trains = reading.train(since)
    jump = since.val[peak] - middle(before.val)
    train_jump = trains[peak] - middle(reading.train(before))
    fall, train_fall = since.val[peak] - since.val[-1], trains[peak] - trains[-1]
    return (
        all_was_well
        and jump > JUMP * reading.noise.val
        and train_jump > WITH_TRAIN * jump
        and fall > MOST_OF_IT * jump
        and train_fall > WITH_TRAIN * fall
    )


def smooth(reading: Reading, height: float) -> bool:
    """Whether both curves go straight down to their best and up from there."""
    columns = (reading.history.val, reading.train(reading.history))
    return not any(_detour(finite(losses)) > SMOOTH * height for losses in columns)


def _detour(losses: list[float]) -> float:
    if not losses:
        return 0.0
    way = sum(abs(b - a) for a, b in pairwise(losses))
    return way - (losses[0] - min(losses)) - (losses[-1] - min(losses))
