"""The verdict on a run that goes on: it is asked at each check, and a false alarm costs trust."""

import math
from dataclasses import dataclass

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.verdicts import messages
from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis
from lightning_gapmon.analysis.verdicts.gap import WIDE_WITHOUT_ZERO, gain, wide
from lightning_gapmon.analysis.verdicts.judgement import LEAST_SHARE, settled
from lightning_gapmon.analysis.verdicts.progress import NOTHING_IN_TRAIN, Progress
from lightning_gapmon.analysis.verdicts.reading import Reading
from lightning_gapmon.analysis.verdicts.rise import Rise
from lightning_gapmon.analysis.verdicts.rise_alarm import alarmed, careful, stderrs_needed
from lightning_gapmon.analysis.verdicts.settling import MOST_SAMPLES, typical

# What is told of a run that goes on; whatever else there is to say has time until its end.
TOLD_LIVE = ("learning", "overfitting", "diverging", "leakage_suspected", "non_finite")
LEAST_CHECKS = 8  # before anything is said to have halted
LEAST_QUARTER = 4
SURELY_WIDE = 0.6  # of validation
SURELY_TOLD = 0.12  # of the gain
LOST = 0.8  # of the gain: both losses came up by so much
SETTLED = 0.05  # of the gain, from the third quarter to the last
CAME_ON = 0.1  # of the gain: validation has improved since a wide gap was told
STALLED = 0.03  # of the loss, three standard errors included
FALLING = 0.005  # of the loss
BARELY = 0.1  # of the reference
STILL_WIDE = 0.75  # of validation: a wide gap that was told stays told until train is above that
CAME_DOWN = 0.03  # of the loss


def alarm(reading: Reading, baseline: float) -> Diagnosis:
    """Judge a run that goes on."""
    memorised = _memorises(reading, baseline)
    rise = alarmed(reading, baseline)
    if rise is not None and not (rise.with_train and _may_come_back(reading, rise)):
        return messages.risen(reading, rise, gap=memorised)
    if memorised:
        return messages.memorising(reading)
    if rise is not None:
        return messages.shaken(reading, rise)
    return _quiet(reading, baseline)


def _may_come_back(reading: Reading, rise: Rise) -> bool:
    """Whether both losses came up by less than what was gained, or after the learning rate did."""
    if math.isnan(rise.train):
        return False
    rates = reading.history.lr
    restarted = rates[-1] > rates[reading.best.index]
    return restarted or not messages.lost_of_gain(reading, rise) >= LOST


@dataclass(frozen=True, slots=True)
class _Wide:
    """Looks for a gap that is wide beyond doubt, or was and has not closed since.

    Attributes:
        baseline: Loss of a trivial predictor, or None.
    """

    baseline: float | None

    def follow(self, told: float, history: History) -> float:
        """Give the level of validation at which it was told; NaN while it is not."""
        seen, baseline = history[-1], math.nan if self.baseline is None else self.baseline
        near = seen.val > 0 and seen.train_fair > STILL_WIDE * seen.val
        if len(history) < LEAST_CHECKS or (near and math.isnan(told)):
            return math.nan
        reading = Reading.of(history)
        if reading is None:
            return told
        if math.isnan(told):
            return reading.end.val if _wide_for_sure(reading, baseline) else math.nan
        better = reading.end.val < told - CAME_ON * gain(reading, baseline)
        closed = better or not wide(reading, baseline, share=STILL_WIDE)
        return math.nan if closed else told


def _memorises(reading: Reading, baseline: float) -> bool:
    look = _Wide(None if math.isnan(baseline) else baseline)
    return not math.isnan(reading.history.scan(look.follow, math.nan))


def _wide_for_sure(reading: Reading, baseline: float) -> bool:
    """Whether it is wide over the whole last quarter, with room to spare, and has halted."""
    last, part = Quarters.of(reading), reading.over_last(max(LEAST_QUARTER, reading.checks // 4))
    gap, gained = part.val - part.train, gain(reading, baseline)
    error = reading.stderr(careful(reading, reading.noise.gap), part.checks)
    if not wide(reading, baseline) or (reading.positive and part.train > SURELY_WIDE * part.val):
        return False
    surely = gap > (SURELY_TOLD if reading.positive else WIDE_WITHOUT_ZERO) * gained + 2 * error
    return surely and (last.settled(gained) or last.halted(reading))


@dataclass(frozen=True, kw_only=True, slots=True)
class Quarters:
    """How far validation came down from the third quarter of a run to the last.

    Attributes:
        fall: How far.
        shown: Standard error of that, by the noise that shows.
        stderr: The same, by the noise with what few checks cannot rule out.
        longer: How far it came down since the second quarter.
    """

    fall: float
    shown: float
    stderr: float
    longer: float

    @classmethod
    def of(cls, reading: Reading) -> "Quarters":
        """Read the last three quarters of a run of four checks or more."""
        n, quarter = reading.checks, reading.checks // 4
        ends = [n - quarter * i for i in range(3)]
        last, third, second = (typical(reading.history[end - quarter : end].val) for end in ends)
        checks = min(quarter, MOST_SAMPLES)
        return cls(
            fall=third - last,
            shown=reading.stderr(reading.noise.val, checks, checks),
            stderr=reading.stderr(careful(reading, reading.noise.val), checks, checks),
            longer=second - last,
        )

    def settled(self, gained: float) -> bool:
        """Whether most of the gain is behind."""
        return abs(self.fall) + self.stderr < SETTLED * gained

    def halted(self, reading: Reading) -> bool:
        """Whether neither noise nor the number of checks leaves room for an improvement."""
        if reading.checks < max(LEAST_CHECKS, LEAST_SHARE * (reading.history.planned or 0)):
            return False
        moves = abs(self.fall) + 3 * self.stderr
        return not self.falls(reading, self.fall) and moves < STALLED * reading.scale

    def falls(self, reading: Reading, fall: float) -> bool:
        """Whether a fall shows, and matters."""
        return fall > max(2 * self.shown, FALLING * reading.scale)


def _quiet(reading: Reading, baseline: float) -> Diagnosis:
    """Say of a run without an alarm whether it still learns."""
    if reading.checks >= LEAST_CHECKS:
        last = Quarters.of(reading)
        if last.halted(reading):
            progress = Progress.of(reading, baseline)
            moves = last.falls(reading, last.longer) or progress.train > NOTHING_IN_TRAIN
            barely = progress.learned + 2 * last.stderr / reading.scale < BARELY
            if barely and not moves:
                return messages.underfitting(reading, progress)
            found = settled(reading, baseline, memorised=False)
            if found.verdict in ("good_fit", "plateau"):
                return found
    came_down = reading.first - reading.best.val
    needed = stderrs_needed(reading.checks) * reading.stderr(
        careful(reading, reading.noise.val), 1, 1
    )
    if came_down > max(needed, CAME_DOWN * reading.scale):
        return messages.coming_down(reading)
    return messages.too_few(reading)
