"""What each verdict says: one sentence of what was seen, then its numbers, and what to try."""

import math

from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis, Form
from lightning_gapmon.analysis.verdicts.levels import levels
from lightning_gapmon.analysis.verdicts.progress import BASELINE, Progress, guessing
from lightning_gapmon.analysis.verdicts.reading import Reading
from lightning_gapmon.analysis.verdicts.remedies import (
    against_divergence,
    against_memorising,
    against_overfitting,
    against_plateau,
    against_underfitting,
)
from lightning_gapmon.analysis.verdicts.rise import Rise
from lightning_gapmon.analysis.verdicts.settling import SETTLED, Settling
from lightning_gapmon.analysis.wording import count, number, percent

SEVERE_RISE = 0.25


def too_few(reading: Reading) -> Diagnosis:
    """There are too few checks to judge."""
    seen = count(reading.checks, "check")
    return Diagnosis(verdict="undecided", message=f"too early to tell after {seen}")


def risen(reading: Reading, rise: Rise, *, gap: bool) -> Diagnosis:
    """Validation came up: overfitting, unless train came up, too."""
    if math.isnan(rise.train):
        message = f"{_rose(reading, rise)}, and no train loss is known that could say why"
        evidence, since = rise.evidence, rise.since
        return Diagnosis(verdict="undecided", message=message, evidence=evidence, since=since)
    return diverging(reading, rise) if rise.with_train else overfitting(reading, rise, gap=gap)


def overfitting(reading: Reading, rise: Rise, *, gap: bool) -> Diagnosis:
    """Validation came up, and train did not come with it."""
    form: Form = "both" if gap else "rise"
    return Diagnosis(
        verdict="overfitting",
        form=form,
        severity="error" if rise.share >= SEVERE_RISE else "warning",
        message=f"{_rose(reading, rise)}, while train loss {_went(rise)}",
        evidence=rise.evidence,
        since=rise.since,
        remedies=against_overfitting(reading.history, rise.since),
    )


def diverging(reading: Reading, rise: Rise) -> Diagnosis:
    """Both losses came up."""
    lost = lost_of_gain(reading, rise)
    told = f": {percent(lost)} of what training had gained is lost" if math.isfinite(lost) else ""
    return Diagnosis(
        verdict="diverging",
        severity="error",
        message=f"{_rose(reading, rise)}, and train loss {_went(rise)}{told}",
        evidence={**rise.evidence, "gain_lost": lost},
        since=rise.since,
        remedies=against_divergence(),
    )


def above_start(reading: Reading, progress: Progress) -> Diagnosis:
    """Both losses ended above where they began."""
    return Diagnosis(
        verdict="diverging",
        severity="error",
        message=(
            f"both losses ended above where they began: validation at {number(reading.end.val)}, "
            f"{percent(-progress.learned)} above {progress.name} ({number(progress.reference)}), "
            f"and train at {number(reading.end.train)}"
        ),
        evidence={**ends(reading), **_progress(progress)},
        since=reading.history[0].check,
        remedies=against_divergence(),
    )


def lost_of_gain(reading: Reading, rise: Rise) -> float:
    """Say what share of what validation had gained is lost again; NaN where it gained nothing."""
    gained = reading.start - rise.low.val
    return rise.height / gained if gained > 0 else math.nan


def _rose(reading: Reading, rise: Rise) -> str:
    of_what = "" if reading.positive else " of the range that it has covered"
    around = " around it" if rise.low.checks > 1 else ""
    return (
        f"validation loss came up by {percent(rise.share)}{of_what} since check {rise.since}, "
        f"from {number(rise.low.val)}{around} to {number(rise.now.val)}{_over(rise)}"
    )


def _over(rise: Rise) -> str:
    """Say that losses are medians, which need not be those of single checks in the table."""
    low, now = rise.low.checks, rise.now.checks
    if max(low, now) == 1:
        return ""
    return f" (medians of {low} checks)" if low == now else f" (medians of {low} and {now} checks)"


def _went(rise: Rise) -> str:
    verb = "fell" if rise.train < 0 else "came up"
    return f"{verb} from {number(rise.low.train)} to {number(rise.now.train)}"


def memorising(reading: Reading) -> Diagnosis:
    """Train went on far below validation, which has stopped improving."""
    since = halted_at(reading)
    return Diagnosis(
        verdict="overfitting",
        form="gap",
        severity="warning",
        message=(
            f"train loss went on to {number(reading.end.train)}, far below validation loss, which "
            f"has hardly improved since check {since} and is at {number(reading.end.val)}: "
            "nothing is lost by it but time"
        ),
        evidence=ends(reading),
        since=since,
        remedies=against_memorising(),
    )


def underfitting(reading: Reading, progress: Progress) -> Diagnosis:
    """Neither loss has come down to speak of."""
    side = "below" if progress.learned >= 0 else "above"
    classes = guessing(reading.end.val)
    if progress.name == BASELINE and classes != guessing(progress.reference):
        classes = None
    guess = (
        f"; guessing among {classes} classes costs {number(math.log(classes))}" if classes else ""
    )
    return Diagnosis(
        verdict="underfitting",
        severity="warning",
        message=(
            f"hardly anything was learned: validation loss is {number(reading.end.val)}, "
            f"{percent(abs(progress.learned))} {side} {progress.name} "
            f"({number(progress.reference)}), and train loss {number(reading.end.train)}{guess}"
        ),
        evidence={**ends(reading), **_progress(progress)},
        since=reading.history[0].check,
        remedies=against_underfitting(),
    )


def learning(reading: Reading, settling: Settling) -> Diagnosis:
    """Validation still comes down."""
    return Diagnosis(
        verdict="learning",
        message=(
            f"validation loss still comes down, by {number(settling.fall)} over the last fifth of "
            f"the checks, to {number(reading.end.val)}: go on, it is too early to judge"
        ),
        evidence={**ends(reading), **_settling(settling)},
        remedies=("train longer",),
    )


def coming_down(reading: Reading) -> Diagnosis:
    """Validation has come down since the start, and the run goes on."""
    best = reading.history.best
    at = f" at check {best.check}" if best else ""
    return Diagnosis(
        verdict="learning",
        message=(
            f"validation loss comes down: {number(reading.best.val)}{at}, from "
            f"{number(reading.start)} at first"
        ),
        evidence=ends(reading),
    )


def shaken(reading: Reading, rise: Rise) -> Diagnosis:
    """Both losses came up and may come back."""
    lost = lost_of_gain(reading, rise)
    told = f": {percent(lost)} of what training had gained is lost" if math.isfinite(lost) else ""
    return Diagnosis(
        verdict="undecided",
        message=f"{_rose(reading, rise)}, and train loss {_went(rise)}{told}; see what comes",
        evidence={**rise.evidence, "gain_lost": lost},
        since=rise.since,
    )


def plateau(reading: Reading, settling: Settling, progress: Progress) -> Diagnosis:
    """Validation settled early with little progress."""
    since = halted_at(reading)
    return Diagnosis(
        verdict="plateau",
        message=(
            f"validation loss has stayed at {number(reading.end.val)} since check {since}, "
            f"{percent(abs(progress.learned))} {'below' if progress.learned >= 0 else 'above'} "
            f"{progress.name} ({number(progress.reference)}); train loss is at "
            f"{number(reading.end.train)}"
        ),
        evidence={**ends(reading), **_settling(settling), **_progress(progress)},
        since=since,
        remedies=against_plateau(),
    )


def good_fit(reading: Reading, settling: Settling, progress: Progress) -> Diagnosis:
    """Both losses came down, have settled, and are near each other."""
    return Diagnosis(
        verdict="good_fit",
        message=(
            f"both losses came down and have settled near each other: validation from "
            f"{number(reading.start)} to {number(reading.end.val)}, train to "
            f"{number(reading.end.train)}"
        ),
        evidence={**ends(reading), **_settling(settling), **_progress(progress)},
    )


def alone(reading: Reading, settling: Settling) -> Diagnosis:
    """Validation came down and has settled, and there is no train loss to put beside it."""
    return Diagnosis(
        verdict="undecided",
        message=(
            f"validation loss came down from {number(reading.start)} to "
            f"{number(reading.end.val)} and has settled; no train loss is known to compare it with"
        ),
        evidence={**ends(reading), **_settling(settling)},
    )


def hidden(reading: Reading, settling: Settling, *, many: bool) -> Diagnosis:
    """Validation jumps from check to check by as much as it has gained."""
    seen = (
        f"validation loss jumps by {number(reading.noise.val)} from check to check, as much as it "
        f"has gained: {number(reading.start)} at first, {number(reading.end.val)} at the end"
    )
    return Diagnosis(
        verdict="plateau" if many else "undecided",
        message=seen,
        evidence={**ends(reading), **_settling(settling)},
        since=halted_at(reading) if many else None,
        remedies=against_plateau() if many else (),
    )


def halted_at(reading: Reading) -> int:
    """Number of the first check whose best level was as low as it stays; by bisection."""
    stderr = reading.stderr(reading.noise.val, reading.width)
    least = reading.end.val + max(stderr, SETTLED * reading.reach)
    low, high = 1, reading.checks
    while low < high:
        half = (low + high) // 2
        best = levels(reading.history[:half]).best
        arrived = best is not None and best.val <= least
        low, high = (low, half) if arrived else (half + 1, high)
    return reading.history[low - 1].check


def ends(reading: Reading) -> dict[str, float]:
    """Name where the losses began and ended."""
    return {
        "val_start": reading.start,
        "val_best": reading.low.val,
        "val_now": reading.end.val,
        "train_now": reading.end.train,
        "gap": reading.end.val - reading.end.train,
        "val_noise": reading.noise.val,
    }


def _settling(settling: Settling) -> dict[str, float]:
    return {
        "val_fall": settling.fall,
        "val_fall_share": settling.share,
        "val_fall_stderrs": settling.stderrs,
        "train_fall": settling.train_fall,
    }


def _progress(progress: Progress) -> dict[str, float]:
    return {
        "reference": progress.reference,
        "below_reference": progress.learned,
        "below_reference_stderr": progress.stderr,
    }
