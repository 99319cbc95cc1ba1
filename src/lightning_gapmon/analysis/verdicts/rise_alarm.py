"""A rise of validation that is told while a run goes on: more than many looks show by chance."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.verdicts.levels import finite, levels, middle
from lightning_gapmon.analysis.verdicts.reading import FEW_CHECKS, Reading
from lightning_gapmon.analysis.verdicts.rise import (
    MOST_OF_IT,
    Rise,
    comes_back,
    least,
    measured,
    smooth,
)

LEAST_CHECKS = 5
NOISE_FLOOR = 0.05  # a loss is taken to be that noisy, by its scale, ...
FLOOR_CHECKS = 4  # ... as if so many checks had said it
UNTOLD_CHECKS = 5  # the first checks say nothing of noise: there the curve itself bends
LAST = (0.0, 0.1, 0.2, 0.35)  # of the checks: the last ones that are compared with the best
MOST_CHECKS = 100
MARGIN = 2.0  # standard errors beyond what the best of many looks shows by chance
RISE_OF_GAIN = 0.03
WITHDRAWN = 2.0  # standard errors more for each alarm that was taken back
GONE = 0.5  # of what matters: a rise that was told stays told until so little is left of it
FALL = 2.0  # standard errors
EASED = 2.0  # ... less where the gap opens by as many as are needed


@dataclass(frozen=True, slots=True)
class _Telling:
    """What was told so far.

    Attributes:
        best: Position of the best level there was.
        rise: The rise that was told since.
        withdrawn: How many were told before, and taken back by a new best.
    """

    best: int = -1
    rise: Rise | None = None
    withdrawn: int = 0


def alarmed(reading: Reading, baseline: float) -> Rise | None:
    """Look at a run that goes on.

    A rise that was more than noise at some check since the best stays told: a noisy check takes
    nothing back, only a new best or a loss that comes down again.
    """
    look = _Look(None if math.isnan(baseline) else baseline)
    told = reading.history.scan(look.follow, _Telling()).rise
    now = _now(reading)
    if (
        told is None
        or now.height <= GONE * _least(reading, baseline)
        or told.with_train > now.with_train
    ):
        return None
    return replace(now, stderrs=told.stderrs, needed=told.needed, told=told.told)


def _now(reading: Reading) -> Rise:
    checks = _fewest(reading)
    return measured(reading, reading.around_best(checks), reading.over_last(checks))


def _fewest(reading: Reading) -> int:
    """Say how many checks are the last ones: of three, one may be wild."""
    return max(2 if reading.checks < FEW_CHECKS else 3, reading.width)


@dataclass(frozen=True, slots=True)
class _Look:
    """Looks for a rise at each check.

    Attributes:
        baseline: Loss of a trivial predictor, or None.
    """

    baseline: float | None

    def follow(self, before: _Telling, history: History) -> _Telling:
        """Take in one more check."""
        so_far = levels(history)
        best, now = so_far.best, so_far.now
        if best is None or now is None:
            return before
        same = before.best == best.index
        known = before.rise if same else None
        withdrawn = before.withdrawn + (before.rise is not None and not same)
        if (known and not known.with_train) or not now.val > best.val:
            return _Telling(best.index, known, withdrawn)
        reading = Reading.of(history)
        needed = stderrs_needed(len(history)) + withdrawn * WITHDRAWN
        told = _told_now(reading, self.baseline or math.nan, needed) if reading else None
        return _Telling(best.index, told or known, withdrawn)


def _told_now(reading: Reading, baseline: float, needed: float) -> Rise | None:
    """Give the rise by the look that tells it beyond doubt, if one does."""
    checks, now, enough = reading.checks, _now(reading), _least(reading, baseline)
    if checks < LEAST_CHECKS or not now.height > enough > 0 or not _holds(reading, now, enough):
        return None
    if comes_back(reading, baseline) or _comes_down(reading):
        return None
    if checks < FEW_CHECKS and not smooth(reading, now.height):
        return None
    for look, opening in _looks(reading, now.height):
        if look.stderrs > needed or min(look.stderrs + EASED, opening) > needed:
            return replace(look, needed=needed)
    return None


def stderrs_needed(looks: int) -> float:
    """How many standard errors are more than noise, when there are so many separate looks.

    The largest of `n` normal values is about `sqrt(2 ln n)`; two more on top of that.
    """
    return MARGIN + math.sqrt(2 * math.log(max(1, looks)))


def _looks(reading: Reading, height: float) -> Iterator[tuple[Rise, float]]:
    """Compare the last checks with the best, over ever more of those that came after it.

    No look sees more of a rise than there is of it at the very end.

    Yields:
        The rise, and by how many standard errors validation has moved away from train.
    """
    after = min(MOST_CHECKS, reading.checks - 1 - reading.best.index)
    spans = {min(after, int(share * reading.checks)) for share in LAST}
    for checks in sorted({max(_fewest(reading), span) for span in spans}, reverse=True):
        now, low = reading.over_last(checks), reading.around_best(checks)
        rise = measured(reading, low, now)
        error = reading.stderr(careful(reading, reading.noise.val), low.checks, checks)
        gap_error = reading.stderr(careful(reading, reading.noise.gap), low.checks, checks)
        if error and gap_error:
            seen = min(rise.height, height)
            yield replace(rise, stderrs=seen / error), (seen - rise.train) / gap_error


def careful(reading: Reading, noise: float) -> float:
    """Take some noise for granted: few checks cannot show that a loss is quiet."""
    told = max(0, reading.checks - UNTOLD_CHECKS)
    floor = math.sqrt(FLOOR_CHECKS) * NOISE_FLOOR * reading.scale
    shown = noise * reading.noise.tails
    return math.hypot(math.sqrt(told) * shown, floor) / math.sqrt(told + FLOOR_CHECKS)


def _comes_down(reading: Reading) -> bool:
    """Whether validation has come up since its best, but is on its way down."""
    checks = max(_fewest(reading), (reading.checks - 1 - reading.best.index) // 4)
    before, now = reading.history[-2 * checks : -checks], reading.over_last(checks)
    return middle(before.val) - now.val > FALL * reading.stderr(
        careful(reading, reading.noise.val), checks, checks
    )


def _least(reading: Reading, baseline: float) -> float:
    return least(reading, baseline, of_gain=RISE_OF_GAIN)


def _holds(reading: Reading, rise: Rise, enough: float) -> bool:
    """Whether the last checks are all risen, two of few and three of many: some may be wild."""
    checks = 2 if reading.checks < FEW_CHECKS and not rise.with_train else 3
    last = finite(reading.history[-checks:].val)
    grows = rise.with_train and last == sorted(last)
    enough = max(enough, 0.0 if grows else MOST_OF_IT * rise.height)
    return all(loss > rise.low.val + enough for loss in last)
