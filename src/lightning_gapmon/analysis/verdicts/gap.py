"""Train went on far below validation: whether the gap between them is wide, by what measure."""

import math
from statistics import fmean

from lightning_gapmon.analysis.verdicts.levels import finite
from lightning_gapmon.analysis.verdicts.reading import Reading

WIDE = 0.67  # of validation: train below that is far below
TINY = 0.08  # of what validation has gained: less is too little to speak of
WIDE_WITHOUT_ZERO = 0.3  # of what validation has gained
STDERRS = 1.0  # of the noise between checks
FAR_BELOW = 1 / 3  # of train: validation below that is never passed over


def wide(reading: Reading, baseline: float, *, share: float = WIDE) -> bool:
    """Whether train is far below validation at the end, for the losses and for the gain."""
    val = min(reading.end.val, reading.before_last)  # one wild check at the end opens no gap
    gap, gained = val - reading.end.train, gain(reading, baseline)
    if not gap > STDERRS * reading.stderr(reading.noise.gap, reading.width):
        return False
    if not _beyond_error(reading):
        return False
    if not reading.positive:
        return gap > WIDE_WITHOUT_ZERO * gained
    return reading.end.train < share * val and gap > TINY * gained


def gain(reading: Reading, baseline: float) -> float:
    """Say how far validation has come down from where it began, or from the baseline."""
    begun = reading.start if math.isnan(baseline) else max(baseline, reading.first)
    return max(0.0, begun - reading.low.val)


def _beyond_error(reading: Reading) -> bool:
    """Whether the gap is above zero, its measured interval included where there is one."""
    lows = finite(reading.history[-reading.width :].gap_low)
    return not lows or fmean(lows) > 0


def far_below(reading: Reading) -> bool:
    """Whether validation ends far below train, which wants an explanation."""
    before = reading.before_last
    val = max(reading.end.val, before if math.isfinite(before) else 0.0)
    return reading.positive and val < FAR_BELOW * reading.end.train
