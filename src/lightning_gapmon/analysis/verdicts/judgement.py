"""The verdict on a run that has ended, as one who looks at its two curves would give it."""

import math

from lightning_gapmon.analysis.verdicts import messages, rise as rises
from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis
from lightning_gapmon.analysis.verdicts.gap import wide
from lightning_gapmon.analysis.verdicts.progress import Progress
from lightning_gapmon.analysis.verdicts.reading import Reading
from lightning_gapmon.analysis.verdicts.settling import Settling

LEAST_CHECKS = 5
LEAST_SHARE = 0.2  # of the planned checks, before nothing learned is underfitting
LITTLE = 0.2  # learned, of the reference: validation that soon halts there is stuck
MUCH_IN_TRAIN = 0.25
QUIET = 2.0  # times the noise: less gained than that is not seen
MANY_CHECKS = 30


def judge(reading: Reading, baseline: float) -> Diagnosis:
    """Judge a run that has ended."""
    if reading.checks < LEAST_CHECKS:
        return messages.too_few(reading)
    rise = rises.judged(reading, baseline)
    memorised = wide(reading, baseline)
    if rise is not None:
        return messages.risen(reading, rise, gap=memorised)
    return settled(reading, baseline, memorised=memorised)


def settled(reading: Reading, baseline: float, *, memorised: bool) -> Diagnosis:
    """Judge a run whose validation has not come up."""
    settling, progress = Settling.of(reading), Progress.of(reading, baseline)
    if progress.lost:
        return messages.above_start(reading, progress)
    if progress.nothing and reading.checks >= LEAST_SHARE * (reading.history.planned or 0):
        return messages.underfitting(reading, progress)
    if settling.falling:
        return messages.learning(reading, settling)
    if memorised:
        return messages.memorising(reading)
    return _fitted(reading, settling, progress)


def _fitted(reading: Reading, settling: Settling, progress: Progress) -> Diagnosis:
    """Judge a run that learned something, has settled, and is not memorising."""
    if _stuck(settling, progress):
        return messages.plateau(reading, settling, progress)
    if reading.start - reading.end.val < QUIET * reading.noise.val:
        return messages.hidden(reading, settling, many=reading.checks >= MANY_CHECKS)
    if math.isnan(reading.end.train):
        return messages.alone(reading, settling)
    return messages.good_fit(reading, settling, progress)


def _stuck(settling: Settling, progress: Progress) -> bool:
    """Whether validation settled early with little progress."""
    little = not math.isnan(progress.learned) and progress.learned < LITTLE
    return little and settling.early and progress.train < MUCH_IN_TRAIN
