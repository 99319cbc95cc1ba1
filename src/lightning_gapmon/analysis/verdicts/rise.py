"""Validation comes up again: overfitting where train does not come with it, else divergence."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis
from lightning_gapmon.analysis.verdicts.level import Level, course, finite
from lightning_gapmon.analysis.verdicts.remedies import against_divergence, against_overfitting
from lightning_gapmon.analysis.verdicts.sight import MEDIAN_OVER_MEAN, Sight

LEAST_CHECKS = 5
FEW_CHECKS = 10  # fewer cannot show their noise: there the curves must be smooth
SMOOTH = 0.35  # largest detour by height of the rise, or by train's fall
RISE = 0.04  # of the best validation loss
RISE_OF_RANGE = 0.05  # of the range covered, where the loss has no natural zero
LAST = (0.0, 0.1, 0.2, 0.35)  # of the checks: the last ones that are compared with the best
MOST_CHECKS = 100
MARGIN = 2.0  # standard errors beyond what the best of many looks shows by chance
EASED = 2.0  # ... less where the gap opens by as many as are needed
SEVERE_RISE = 0.25
WITH_TRAIN = 0.5  # a rise is shared if train makes up for half of it
LOST = 0.8  # of the improvement so far


class Look(NamedTuple):
    """A comparison of the last checks with the best, in standard errors.

    Attributes:
        val: How far validation has risen.
        gap: How far it has moved away from train; NaN if train is not known.
    """

    val: float
    gap: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Rise:
    """A rise of validation above its best level that is larger than noise.

    Attributes:
        sight: The run.
        height: How far validation is above its best level.
        share: The same by scale.
        look: The comparison that tells.
        needed: How many standard errors are more than noise, by the number of looks taken.
        train: How far train is above where it was at that best level; NaN if not known.
        since: Number of the check with the lowest loss of the best level.
    """

    sight: Sight
    height: float
    share: float
    look: Look
    needed: float
    train: float
    since: int

    @property
    def evidence(self) -> dict[str, float]:
        """The numbers, by name."""
        return {
            "val_best": self.sight.best.val,
            "val_now": self.sight.now.val,
            "val_rise": self.height,
            "val_rise_share": self.share,
            "val_rise_stderrs": self.look.val,
            "gap_rise_stderrs": self.look.gap,
            "stderrs_needed": self.needed,
            "train_change": self.train,
        }


def find_rise(sight: Sight) -> Rise | None:
    """Measure how far validation has come up from its best.

    None unless that is large, and was more than noise at this check or at one since the best: a
    noisy check takes nothing back, only a new best or a loss that comes down again.
    """
    height = sight.now.val - sight.best.val
    if not height > _least(sight.positive, sight.scale) > 0 or not _told(sight):
        return None
    return Rise(
        sight=sight,
        height=height,
        share=height / sight.scale,
        look=max(_looks(sight)),
        needed=stderrs_needed(sight.checks),
        train=sight.now.train - sight.best.train,
        since=_turn(sight),
    )


def _least(positive: bool, scale: float) -> float:  # noqa: FBT001
    return (RISE if positive else RISE_OF_RANGE) * scale


class _Telling(NamedTuple):
    """How many checks were seen, and the best level since which a rise was told."""

    seen: int = 0
    best: int = -1


def _told(sight: Sight) -> bool:
    """Whether a rise since this best level was more than noise at some check."""
    telling = sight.history.scan(_follow, _Telling())
    return telling.best == sight.best.index


def _follow(before: _Telling, history: History) -> _Telling:
    seen = before.seen + 1
    way = course(history)
    if way.best is None or way.now is None or way.best.index == before.best:
        return before._replace(seen=seen)
    if not way.now.val > way.best.val:
        return _Telling(seen)
    sight = Sight.of(history)
    return _Telling(seen, way.best.index if sight and _tells_now(sight) else -1)


def _tells_now(sight: Sight) -> bool:
    """Whether a rise is large and more than noise at the last check."""
    height, least = sight.now.val - sight.best.val, _least(sight.positive, sight.scale)
    if not (height > least > 0 and _holds(sight, least) and _enough(sight, height)):
        return False
    needed = stderrs_needed(sight.checks)
    return any(_tells(look, needed) for look in _looks(sight))


def _looks(sight: Sight) -> Iterator[Look]:
    """Compare the last checks with the best, over ever more of those that came after it."""
    after = min(MOST_CHECKS, sight.checks - 1 - sight.best.index)
    spans = {min(after, int(share * sight.checks)) for share in LAST}
    for checks in sorted({max(sight.now.checks, span) for span in spans}):
        now = sight.over_last(checks)
        for low in (sight.best, sight.around_best(checks)):
            yield _compare(sight, low, now)


def _compare(sight: Sight, low: Level, now: Level) -> Look:
    spread = math.sqrt(1 / low.checks + 1 / now.checks)
    spread *= MEDIAN_OVER_MEAN if now.checks > 2 else 1.0  # noqa: PLR2004
    rise, opening = now.val - low.val, (now.val - low.val) - (now.train - low.train)
    error, gap_error = spread * sight.noise, spread * sight.gap_noise
    if not (error and gap_error):
        return Look(0.0, 0.0)
    return Look(rise / error, opening / gap_error)


def _tells(look: Look, needed: float) -> bool:
    """Whether validation has risen by itself, or away from train beyond doubt."""
    return look.val > needed or (look.gap > needed and look.val > needed - EASED)


def stderrs_needed(looks: int) -> float:
    """How many standard errors are more than noise, when there are so many separate looks.

    The largest of `n` normal values is about `sqrt(2 ln n)`; two more on top of that.
    """
    return MARGIN + math.sqrt(2 * math.log(max(1, looks)))


def _enough(sight: Sight, height: float) -> bool:
    """Whether there are enough checks, or few whose curves are smooth."""
    if sight.checks >= FEW_CHECKS:
        return True
    ways = (sight.way.val, sight.way.train)
    return sight.checks >= LEAST_CHECKS and not any(way.detour > SMOOTH * height for way in ways)


def _holds(sight: Sight, least: float) -> bool:
    """Whether the last two checks are both risen: one alone may be wild."""
    last = finite(sight.history[-2:].val)
    return all(loss > sight.best.val + least for loss in last)


def _turn(sight: Sight) -> int:
    best = sight.best
    span = sight.history[best.index + 1 - best.checks : best.index + 1]
    return min((seen for seen in span if math.isfinite(seen.val)), key=lambda s: s.val).check


def overfitting(sight: Sight) -> Diagnosis | None:
    """Validation has risen, and train has not gone with it."""
    rise = find_rise(sight)
    if rise is None or not rise.train < WITH_TRAIN * rise.height:
        return None
    trained = "fell" if rise.train < 0 else "rose"
    return Diagnosis(
        verdict="overfitting",
        severity="error" if rise.share >= SEVERE_RISE else "warning",
        message=(
            f"{_risen(rise)} and by {rise.look.val:.1f} standard errors of the noise between "
            f"checks, while train loss {trained} by {abs(rise.train):.4g}"
        ),
        evidence=rise.evidence,
        since=rise.since,
        remedies=against_overfitting(sight.history, rise.since),
    )


def diverging(sight: Sight) -> Diagnosis | None:
    """Both losses have risen, and what was gained is lost."""
    rise = find_rise(sight)
    if rise is None or not rise.train >= WITH_TRAIN * rise.height:
        return None
    if rise.height < LOST * sight.improvement or _restarted(sight):
        return None
    return Diagnosis(
        verdict="diverging",
        severity="error",
        message=(
            f"{_risen(rise)}, and train loss with it, by {rise.train:.4g}: what training had "
            "gained is lost"
        ),
        evidence={**rise.evidence, "val_first": sight.first.val},
        since=rise.since,
        remedies=against_divergence(),
    )


def unexplained(sight: Sight) -> Diagnosis | None:
    """Validation has risen, and it is neither overfitting nor divergence."""
    rise = find_rise(sight)
    if rise is None:
        return None
    return Diagnosis(
        verdict="undecided", message=_open(rise), evidence=rise.evidence, since=rise.since
    )


def _open(rise: Rise) -> str:
    if math.isnan(rise.train):
        return "validation loss has risen, but no train loss says why"
    if _restarted(rise.sight):
        return "both losses have risen, as after a restart of the learning rate: see what comes"
    lost = rise.height / rise.sight.improvement
    return (
        f"{_risen(rise)}, and train loss with it, by {rise.train:.4g}: {100 * lost:.2g} % of what "
        "was gained is lost, see what comes"
    )


def _restarted(sight: Sight) -> bool:
    """Whether the learning rate is above what it was at the best level, as after a restart."""
    rates = sight.history.lr
    return rates[sight.now.index] > rates[sight.best.index]


def _risen(rise: Rise) -> str:
    low, now = rise.sight.best, rise.sight.now
    whole = "its best" if rise.sight.positive else "the range that it has covered"
    return (
        f"validation loss rose by {100 * rise.share:.3g} % of {whole} since check {rise.since}, "
        f"from {low.val:.4g} to {now.val:.4g} (median of the last {now.checks} checks)"
    )
