"""The second half of a run: its third quarter against its last."""

import math
from dataclasses import dataclass

from lightning_gapmon.analysis.verdicts.level import course, middle
from lightning_gapmon.analysis.verdicts.sight import MEDIAN_OVER_MEAN, Sight

MOST_LEVELS = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Tail:
    """The last two quarters of a run.

    Attributes:
        early: Validation loss in the third quarter.
        late: Validation loss in the last quarter.
        shown_stderr: Standard error of `early - late`, by the noise that shows.
        stderr: The same, by the noise with what few checks cannot rule out.
        train_early: Train loss in the third quarter, by the probe where both quarters have it
            throughout, else online; NaN if not known.
        train_late: Train loss in the last quarter, likewise.
    """

    early: float
    late: float
    shown_stderr: float
    stderr: float
    train_early: float
    train_late: float

    @property
    def fall(self) -> float:
        """How far validation came down between the two quarters."""
        return self.early - self.late

    @property
    def train_fall(self) -> float:
        """How far train came down between the two quarters."""
        return self.train_early - self.train_late

    @property
    def gap(self) -> float:
        """Validation minus train in the last quarter."""
        return self.late - self.train_late


def tail_of(sight: Sight) -> Tail:
    """Read the second half of a run of four checks or more, by levels at equal distances."""
    n, quarter = sight.checks, sight.checks // 4
    third, last = _ends(n - 2 * quarter, n - quarter), _ends(n - quarter, n)
    early, late = _middle_level(sight, third), _middle_level(sight, last)
    probed = _probed(sight, third), _probed(sight, last)
    train = (early[1], late[1]) if any(map(math.isnan, probed)) else probed
    checks = min(quarter, sight.now.checks * MOST_LEVELS)
    spread = MEDIAN_OVER_MEAN * math.sqrt(2 / checks)
    return Tail(
        early=early[0],
        late=late[0],
        shown_stderr=spread * sight.shown,
        stderr=spread * sight.noise,
        train_early=train[0],
        train_late=train[1],
    )


def second_quarter(sight: Sight) -> float:
    """Give the validation loss in the quarter before the second half."""
    n, quarter = sight.checks, sight.checks // 4
    return _middle_level(sight, _ends(n - 3 * quarter, n - 2 * quarter))[0]


def _ends(start: int, stop: int) -> list[int]:
    """Spread ends of prefixes over a part of the run."""
    count = min(MOST_LEVELS, stop - start)
    return [stop - (stop - start) * i // count for i in range(count)]


def _middle_level(sight: Sight, ends: list[int]) -> tuple[float, float]:
    seen = (course(sight.history[:end]).now for end in ends)
    levels = [level for level in seen if level]
    return middle(level.val for level in levels), middle(level.train for level in levels)


def _probed(sight: Sight, ends: list[int]) -> float:
    """Take the median train loss in eval mode; NaN where one of these checks has none."""
    losses = [sight.history[end - 1].probe for end in ends]
    return middle(losses) if all(map(math.isfinite, losses)) else math.nan
