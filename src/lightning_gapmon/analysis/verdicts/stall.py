"""Validation does not come up: whether it still comes down, and how far it has come."""

import math

from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis
from lightning_gapmon.analysis.verdicts.level import course
from lightning_gapmon.analysis.verdicts.remedies import against_plateau, against_underfitting
from lightning_gapmon.analysis.verdicts.sight import Sight
from lightning_gapmon.analysis.verdicts.tail import Tail, second_quarter

LEAST_CHECKS = 8
LEAST_SHARE = 0.2  # of the planned checks
STILL_FALLING = 0.1  # of the improvement so far, from the third quarter to the last
FALLING = 0.005  # of the loss, from the third quarter to the last
STALLED = 0.03  # of the loss, three standard errors included
BARELY = 0.1  # of the loss at the start, or of the baseline
WELL = 0.5  # of the loss at the start
OPEN_GAP = 0.3  # of the improvement so far, ...
OPEN_SHARE = 0.2  # ... and of the loss


def underfitting(sight: Sight, tail: Tail, baseline: float) -> Diagnosis | None:
    """Both losses have come to a halt barely below the baseline, or where they started."""
    known = not math.isnan(baseline)
    reference, name = (baseline, "the baseline") if known else (sight.first.val, "its start")
    if not (sight.positive and _halted(sight, tail) and tail.late > (1 - BARELY) * reference):
        return None
    if tail.train_late <= (1 - 2 * BARELY) * reference or _has_fallen(sight, tail):
        return None
    below = (reference - tail.late) / reference
    return Diagnosis(
        verdict="underfitting",
        severity="warning",
        message=(
            f"validation loss has halted at {tail.late:.4g}, {_side(below)} {name} "
            f"({reference:.4g}), and train loss with it, at {tail.train_late:.4g}"
        ),
        evidence={"reference": reference, "below_reference": below, **_evidence(tail)},
        since=sight.history[sight.first.index].check,
        remedies=against_underfitting(),
    )


def _side(below: float) -> str:
    return f"{100 * abs(below):.2g} % {'below' if below >= 0 else 'above'}"


def plateau(sight: Sight, tail: Tail, baseline: float) -> Diagnosis | None:
    """Validation has come to a halt, short of a good fit or with train going its own way."""
    opened = _opened(sight, tail)
    if not opened and (not _halted(sight, tail) or _came_far(sight, tail, baseline)):
        return None
    since = _halt(sight, tail)
    message = f"validation loss has stayed at {tail.late:.4g} since check {since}"
    if opened:
        message += f" while train loss left it behind, at {tail.train_late:.4g}"
    return Diagnosis(
        verdict="plateau",
        severity="warning" if opened else "info",
        message=message,
        evidence=_evidence(tail),
        since=since,
        remedies=against_plateau(memorising=opened),
    )


def good_fit(sight: Sight, tail: Tail, baseline: float) -> Diagnosis | None:
    """Validation has come down far, is about where it will end, and train is with it."""
    if not (_settled(sight, tail) and _came_far(sight, tail, baseline)):
        return None
    return Diagnosis(
        verdict="good_fit",
        message=(
            f"validation loss came down from {sight.first.val:.4g} to {tail.late:.4g} and train "
            f"loss with it, to {tail.train_late:.4g} (medians of the last quarter)"
        ),
        evidence=_evidence(tail),
    )


def unsettled(tail: Tail) -> Diagnosis:
    """Validation is on its way, or too noisy to say."""
    where = f"{tail.late:.4g} in the last quarter, {tail.early:.4g} in the third"
    if tail.fall > 2 * tail.shown_stderr:
        message = f"validation loss still comes down: {where}"
    else:
        message = f"noise hides where validation loss goes: {where} (± {tail.stderr:.2g})"
    return Diagnosis(verdict="undecided", message=message, evidence=_evidence(tail))


def _settled(sight: Sight, tail: Tail) -> bool:
    """Whether most of the improvement is behind."""
    return abs(tail.fall) + tail.stderr < STILL_FALLING * (sight.first.val - tail.late)


def _opened(sight: Sight, tail: Tail) -> bool:
    """Whether validation has settled far above train."""
    share = OPEN_SHARE * sight.scale if sight.positive else 0.0
    far = tail.gap > max(OPEN_GAP * sight.improvement, share, 2 * tail.stderr)
    return far and (_settled(sight, tail) or _halted(sight, tail))


def _halted(sight: Sight, tail: Tail) -> bool:
    """Whether neither noise nor the number of checks leaves room for an improvement."""
    if sight.checks < max(LEAST_CHECKS, LEAST_SHARE * (sight.history.planned or 0)):
        return False
    falls = tail.fall > max(2 * tail.shown_stderr, FALLING * sight.scale)
    return not falls and abs(tail.fall) + 3 * tail.stderr < STALLED * sight.scale


def _has_fallen(sight: Sight, tail: Tail) -> bool:
    """Whether it came down, slowly, since the second quarter."""
    fall = second_quarter(sight) - tail.late
    return fall > max(2 * tail.shown_stderr, FALLING * sight.scale)


def _came_far(sight: Sight, tail: Tail, baseline: float) -> bool:
    if not sight.positive:
        return True
    reference = sight.first.val if math.isnan(baseline) else baseline
    return tail.late < (1 - WELL) * reference


def _halt(sight: Sight, tail: Tail) -> int:
    """Number of the first check whose best level was as low as it stays; by bisection."""
    low, high = 1, sight.checks
    while low < high:
        half = (low + high) // 2
        best = course(sight.history[:half]).best
        arrived = best is not None and best.val <= tail.late + tail.stderr
        low, high = (low, half) if arrived else (half + 1, high)
    return sight.history[low - 1].check


def _evidence(tail: Tail) -> dict[str, float]:
    return {
        "val_third_quarter": tail.early,
        "val_last_quarter": tail.late,
        "val_fall": tail.fall,
        "val_fall_stderr": tail.stderr,
        "train_fall": tail.train_fall,
        "gap": tail.gap,
    }
