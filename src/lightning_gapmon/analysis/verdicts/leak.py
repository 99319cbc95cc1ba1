"""Validation that is no harder than training: samples on both sides."""

import math
from dataclasses import replace

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.overlap import Overlap
from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis
from lightning_gapmon.analysis.verdicts.gap import far_below
from lightning_gapmon.analysis.verdicts.levels import middle
from lightning_gapmon.analysis.verdicts.reading import Reading
from lightning_gapmon.analysis.verdicts.remedies import against_easy_validation, against_leakage
from lightning_gapmon.analysis.wording import number, percent, with_error

LEAST_CHECKS = 5
SHARED = 0.01  # of the validation samples: enough, with a fair gap at or below zero
MOSTLY_SHARED = 0.5  # of the validation samples: enough by itself
STDERRS = 4.0
BELOW = 0.1  # of the probe loss


def leakage(history: History, overlap: Overlap | None) -> Diagnosis | None:
    """Samples are on both sides, or validation is easier than the very training data.

    Only a probe compares like with like: below a train loss that was read in train mode, a
    validation loss may lie because of dropout or augmentation.
    """
    share = overlap.share if overlap else 0.0
    if share >= MOSTLY_SHARED:
        return _suspect(share, math.nan, math.nan, None)
    fair = history[-LEAST_CHECKS:]
    if len(fair) < LEAST_CHECKS or any(seen.measured_gap.basis != "probe" for seen in fair):
        return None
    gap, stderr = middle(fair.gap), middle(fair.gap_stderr)
    no_harder = all(
        gap - 2 * error <= 0 for gap, error in zip(fair.gap, fair.gap_stderr, strict=True)
    )
    easier = all(
        gap < -STDERRS * error and gap < -BELOW * abs(probe)
        for gap, error, probe in zip(fair.gap, fair.gap_stderr, fair.probe, strict=True)
    )
    if not easier and not (share >= SHARED and no_harder):
        return None
    return _suspect(share, gap, stderr, fair[0].check)


def qualified(praise: Diagnosis | None, overlap: Overlap | None) -> Diagnosis | None:
    """Say beside a good verdict that validation is not as new to the model as it should be."""
    share = overlap.share if overlap else 0.0
    if praise is None or praise.verdict != "good_fit" or share < SHARED:
        return praise
    return replace(
        praise,
        severity="warning",
        message=f"{praise.message}, but {_shared(share)}: on new data the loss may be higher",
        evidence={**praise.evidence, "shared": share},
        remedies=against_leakage(),
    )


def explained(found: Diagnosis, reading: Reading) -> Diagnosis:
    """Say beside any verdict that validation is far below train, which wants an explanation."""
    if not far_below(reading):
        return found
    known = "dropout or augmentation in training, " if reading.basis != "probe" else ""
    return replace(
        found,
        severity=found.severity if found.severity == "error" else "warning",
        message=(
            f"{found.message}; validation loss is far below train loss "
            f"({number(reading.end.val)} and {number(reading.end.train)}): {known}an easier "
            "validation set, or a leak"
        ),
        remedies=(*found.remedies, *against_easy_validation(probed=reading.basis == "probe")),
    )


def _shared(share: float) -> str:
    return f"{percent(share)} of the validation samples looked at are also in training"


def _suspect(share: float, gap: float, stderr: float, since: int | None) -> Diagnosis:
    by = with_error(abs(gap), stderr)
    measured = f"validation is {_sign(gap)} training by {by} in eval mode"
    parts = [_shared(share)] if share else []
    parts += [] if math.isnan(gap) else [measured]
    return Diagnosis(
        verdict="leakage_suspected",
        severity="warning",
        message=" and ".join(parts),
        evidence={"shared": share, "gap": gap, "gap_stderr": stderr},
        since=since,
        remedies=against_leakage(),
    )


def _sign(gap: float) -> str:
    return "below" if gap < 0 else "above"
