"""How far a run has come from where it began, or from what guessing costs."""

import math
from dataclasses import dataclass

from lightning_gapmon.analysis.verdicts.levels import finite
from lightning_gapmon.analysis.verdicts.reading import Reading
from lightning_gapmon.analysis.verdicts.settling import typical

NOTHING = 0.03  # of the reference: hardly anything was learned, ...
NOTHING_FOR_SURE = 0.1  # ... two standard errors included
NOTHING_IN_TRAIN = 0.125  # of the first train loss
ABOVE = 0.1  # of the reference
QUARTER = 4
LEAST_QUARTER = 3  # checks
INSIDE = 3.0  # times the noise: a first check that near the first quarter is one of it
BASELINE = "the baseline"
MOST_CLASSES = 20
NEAR_GUESSING = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the losses have come down.

    Attributes:
        reference: What validation is measured against.
        name: What that is, in words.
        learned: How far validation ended below it, as a share of it; NaN where the loss has no
            natural zero.
        stderr: Standard error of `learned`.
        train: How far train came down from the baseline, else from its first check; NaN
            likewise.
    """

    reference: float
    name: str
    learned: float
    stderr: float
    train: float

    @property
    def nothing(self) -> bool:
        """Whether there was next to no learning, in either loss."""
        little = self.learned - 2 * self.stderr < NOTHING
        surely = self.learned + 2 * self.stderr < NOTHING_FOR_SURE
        return little and surely and not self.train > NOTHING_IN_TRAIN

    @property
    def lost(self) -> bool:
        """Whether both losses ended clearly above where they began."""
        if self.name == BASELINE:
            return False
        return self.learned + 2 * self.stderr < -ABOVE and self.train < -ABOVE

    @classmethod
    def of(cls, reading: Reading, baseline: float) -> "Progress":
        """Measure it against the baseline, else the loss before training, else the first check."""
        quarter = max(reading.width, reading.checks // QUARTER)
        late, noise = typical(reading.history[-quarter:].val), reading.noise
        reference, name, stderr = _reference(reading, baseline, quarter)
        begun = reference if name == BASELINE else _first_train(reading, quarter)
        late_train = typical(reading.train(reading.history[-quarter:]))
        if not reading.positive or not reference:
            return cls(
                reference=reference, name=name, learned=math.nan, stderr=0.0, train=math.nan
            )
        error = math.hypot(stderr, reading.stderr(noise.val, quarter))
        return cls(
            reference=reference,
            name=name,
            learned=(reference - late) / reference,
            stderr=error / reference if quarter >= LEAST_QUARTER else 0.0,
            train=(begun - late_train) / begun,
        )


def _reference(reading: Reading, baseline: float, quarter: int) -> tuple[float, str, float]:
    if not math.isnan(baseline):
        return baseline, BASELINE, 0.0
    if reading.history.start is not None and math.isfinite(reading.history.start.loss):
        return reading.start, "the loss before training", 0.0
    early = typical(reading.history[:quarter].val)
    begun = _begun(reading.first, early, reading.noise.val)
    flat = begun != reading.first
    return begun, "its start", reading.stderr(reading.noise.val, quarter if flat else 1)


def _first_train(reading: Reading, quarter: int) -> float:
    train = finite(reading.train(reading.history[:1])) or [math.nan]
    early = typical(reading.train(reading.history[:quarter]))
    return _begun(train[0], early, reading.noise.train)


def _begun(first: float, early: float, noise: float) -> float:
    """Take the first check, unless it is one of those around it: then they say it better."""
    return early if abs(first - early) < INSIDE * noise else first


def guessing(loss: float) -> int | None:
    """Say among how many classes guessing costs that much, if among a few it does.

    Example:
        >>> guessing(2.31), guessing(0.7), guessing(1.0)
        (10, 2, None)
    """
    if not 0 < loss <= math.log(MOST_CLASSES) * (1 + NEAR_GUESSING):
        return None
    classes = round(math.exp(loss))
    near = classes > 1 and abs(loss / math.log(classes) - 1) < NEAR_GUESSING
    return classes if near else None
