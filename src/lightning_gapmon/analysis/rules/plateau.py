"""Stop when the validation loss no longer falls."""

import math
from dataclasses import dataclass

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.rules.rule import Rule, StopReason, is_count, is_number
from lightning_gapmon.analysis.rules.span import val_span
from lightning_gapmon.analysis.trend import theil_sen
from lightning_gapmon.analysis.wording import percent
from lightning_gapmon.errors import ConfigurationError

MOST = 60


@dataclass(frozen=True, repr=False)
class Plateau(Rule):
    """Stop when a robust line through the last checks falls by less than a tolerance.

    The line's slope is the median of all pairwise slopes (Theil and Sen), so that noise and
    single wild values do not pass for progress. Its fall over the window is measured against
    the best loss, or, where the loss has been negative, against the range that it has covered.

    Args:
        checks: Checks in the window, from 3 to 60.
        tolerance: Fall over the window, as a share, that is too small to go on for.

    Example:
        >>> history = History.from_curves(train=[1] * 5, val=[4.0, 1.0, 1.0, 1.0, 1.0])
        >>> Plateau(4)(history).message
        'validation loss fell by 0 % over the last 4 checks (limit 0.1 %)'
    """

    checks: int = 10
    tolerance: float = 0.001

    def __post_init__(self) -> None:
        """Refuse a window without a slope."""
        if not (is_count(self.checks, least=3) and self.checks <= MOST):
            msg = f"Found Plateau({self.checks!r}); expected a number of checks from 3 to {MOST}."
            raise ConfigurationError(msg)
        if not is_number(self.tolerance, least=0):
            msg = f"Found tolerance={self.tolerance!r}; expected a share from 0, such as 0.001."
            raise ConfigurationError(msg)

    def __call__(self, history: History) -> StopReason | None:
        """Draw the line through the last checks."""
        window = history.val[-self.checks :]
        if len(window) < self.checks or not all(map(math.isfinite, window)):
            return None
        reference = val_span(history).reference
        fall = (0.0 - theil_sen(window)) * (self.checks - 1) / reference if reference else 0.0
        if not fall <= self.tolerance:
            return None
        moved = f"fell by {percent(fall)}" if fall >= 0 else f"rose by {percent(-fall)}"
        limit = f"(limit {percent(self.tolerance)})"
        message = f"validation loss {moved} over the last {self.checks} checks {limit}"
        return self.reason(history, message, fall=fall, tolerance=self.tolerance)
