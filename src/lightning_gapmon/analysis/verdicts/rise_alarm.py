"""A rise of validation that is told while the run goes on: more than the best of many looks shows."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.verdicts.levels import finite, levels, middle
from lightning_gapmon.analysis.verdicts.reading import FEW_CHECKS, Reading
from lightning_gapmon.analysis.verdicts.rise import MOST_OF_IT, Rise, comes_back, least, measured

LEAST_CHECKS = 5
SMOOTH = 0.35  # largest detour by height of the rise, where few checks cannot show noise
NOISE_FLOOR = 0.05  # a loss is taken to be that noisy, by its scale, ...
FLOOR_CHECKS = 4  # ... as if so many checks had said it
UNTOLD_CHECKS = 5  # the first checks say nothing of noise: there the curve itself bends
LAST = (0.0, 0.1, 0.2, 0.35)  # of the checks: the last ones that are compared with the best
MOST_CHECKS = 100
MARGIN = 2.0  # standard errors beyond what the best of many looks shows by chance
FALL = 2.0  # standard errors
EASED = 2.0  # ... less where the gap opens by as many as are needed


@dataclass(frozen=True, slots=True)
class _Telling:
    """How many checks were seen, and the rise that was told since the best level there was."""

    seen: int = 0
    best: int = -1
    rise: Rise | None = None


def alarmed(reading: Reading) -> Rise | None:
    """Look at a run that goes on.

    A rise that was more than noise at some check since the best stays told: a noisy check takes
    nothing back, only a new best or a loss that comes down again.
    """
    told = reading.history.scan(_follow, _Telling()).rise
    now = _now(reading)
    if told is None or now.height <= least(reading) or told.with_train > now.with_train:
        return None
    return replace(now, stderrs=told.stderrs, needed=told.needed, told=told.told)


def _now(reading: Reading) -> Rise:
    checks = _fewest(reading)
    return measured(reading, reading.around_best(checks), reading.over_last(checks))


def _fewest(reading: Reading) -> int:
    """Say how many checks are the last ones: of three, one may be wild."""
    return max(2 if reading.checks < FEW_CHECKS else 3, reading.width)


def _follow(before: _Telling, history: History) -> _Telling:
    seen = before.seen + 1
    so_far = levels(history)
    best, now = so_far.best, so_far.now
    if best is None or now is None:
        return replace(before, seen=seen)
    known = before.rise if before.best == best.index else None
    if (known and not known.with_train) or not now.val > best.val:
        return _Telling(seen, best.index, known)
    reading = Reading.of(history)
    return _Telling(seen, best.index, (_told_now(reading) if reading else None) or known)


def _told_now(reading: Reading) -> Rise | None:
    """Give the rise by the look that tells it beyond doubt, if one does."""
    checks, needed = reading.checks, stderrs_needed(reading.checks)
    now = _now(reading)
    if checks < LEAST_CHECKS or not now.height > least(reading) > 0 or not _holds(reading, now):
        return None
    if (checks < FEW_CHECKS and not _smooth(reading, now.height)) or (
        comes_back(reading) or _comes_down(reading)
    ):
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


def _smooth(reading: Reading, height: float) -> bool:
    """Whether both curves go straight down to their best and up from there."""
    columns = (reading.history.val, reading.train(reading.history))
    return not any(_detour(finite(losses)) > SMOOTH * height for losses in columns)


def _detour(losses: list[float]) -> float:
    if not losses:
        return 0.0
    way = sum(abs(b - a) for a, b in zip(losses, losses[1:], strict=False))
    return way - (losses[0] - min(losses)) - (losses[-1] - min(losses))


def _comes_down(reading: Reading) -> bool:
    """Whether validation has come up since its best, but is on its way down."""
    checks = max(_fewest(reading), (reading.checks - 1 - reading.best.index) // 4)
    before, now = reading.history[-2 * checks : -checks], reading.over_last(checks)
    return middle(before.val) - now.val > FALL * reading.stderr(
        careful(reading, reading.noise.val), checks, checks
    )


def _holds(reading: Reading, rise: Rise) -> bool:
    """Whether the last checks are all risen, two of few and three of many: some may be wild."""
    checks = 2 if reading.checks < FEW_CHECKS and not rise.with_train else 3
    last = finite(reading.history[-checks:].val)
    grows = rise.with_train and last == sorted(last)
    enough = max(least(reading), 0.0 if grows else MOST_OF_IT * rise.height)
    return all(loss > rise.low.val + enough for loss in last)
