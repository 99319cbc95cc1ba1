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
        train_early: Train loss in the third quarter; NaN if not known.
        train_late: Train loss in the last quarter; NaN if not known.
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
    early = _middle_level(sight, n - 2 * quarter, n - quarter)
    late = _middle_level(sight, n - quarter, n)
    checks = min(quarter, sight.now.checks * MOST_LEVELS)
    spread = MEDIAN_OVER_MEAN * math.sqrt(2 / checks)
    return Tail(
        early=early[0],
        late=late[0],
        shown_stderr=spread * sight.shown,
        stderr=spread * sight.noise,
        train_early=early[1],
        train_late=late[1],
    )


def second_quarter(sight: Sight) -> float:
    """Give the validation loss in the quarter before the second half."""
    n, quarter = sight.checks, sight.checks // 4
    return _middle_level(sight, n - 3 * quarter, n - 2 * quarter)[0]


def _middle_level(sight: Sight, start: int, stop: int) -> tuple[float, float]:
    count = min(MOST_LEVELS, stop - start)
    ends = (stop - (stop - start) * i // count for i in range(count))
    seen = (course(sight.history[:end]).now for end in ends)
    levels = [level for level in seen if level]
    return middle(level.val for level in levels), middle(level.train for level in levels)
