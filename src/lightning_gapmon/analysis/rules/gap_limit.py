"""Stop when training and validation have come too far apart."""

import math
from dataclasses import dataclass
from typing import Literal

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.rules.rule import Rule, StopReason, is_count, is_number
from lightning_gapmon.analysis.wording import difference, given, number, percent
from lightning_gapmon.errors import ConfigurationError

MODES = ("relative", "absolute", "stderr")


@dataclass(frozen=True, repr=False)
class GapLimit(Rule):
    """Stop when the gap has been above a limit at several checks in a row.

    The gap is validation minus train loss by the fairest basis that a check has (probe, else
    end of the window, else online mean).

    Args:
        limit: The limit.
        checks: Checks in a row.
        mode: Unit of the limit: `relative`, the gap over the validation loss (0.5 means that
            train is half of val; known only while both losses are positive), `absolute`, in
            the loss' own unit, or `stderr`, in standard errors of the gap.

    Example:
        >>> history = History.from_curves(train=[1.0, 0.5], val=[1.0, 1.25])
        >>> GapLimit(0.5)(history).message
        'gap of 60 % of the larger loss is above 50 %'
    """

    limit: float
    checks: int = 1
    mode: Literal["relative", "absolute", "stderr"] = "relative"

    def __post_init__(self) -> None:
        """Refuse a limit that cannot be passed or counted."""
        if not is_number(self.limit) or (self.mode == "relative" and self.limit >= 1):
            msg = (
                f"Found GapLimit({self.limit!r}, mode={self.mode!r}); expected a finite number, "
                "below 1 for a relative gap, such as GapLimit(0.5)."
            )
            raise ConfigurationError(msg)
        if not is_count(self.checks) or self.mode not in MODES:
            msg = (
                f"Found GapLimit(checks={self.checks!r}, mode={self.mode!r}); expected a number "
                f"of checks from 1 and a mode among {', '.join(MODES)}."
            )
            raise ConfigurationError(msg)

    def __call__(self, history: History) -> StopReason | None:
        """Look at the last checks."""
        if len(history) < self.checks:
            return None
        gaps = [self._measure(seen) for seen in history[-self.checks :]]
        if not all(gap > self.limit for gap in gaps):
            return None
        times = f" at {self.checks} checks in a row" if self.checks > 1 else ""
        message = f"gap of {self._written(history[-1])}{times}"
        return self.reason(history, message, gap=gaps[-1], limit=self.limit, checks=self.checks)

    def _written(self, seen: Observation) -> str:
        gap = seen.measured_gap
        if self.mode == "relative":
            return f"{percent(gap.relative)} of the larger loss is above {percent(self.limit)}"
        if self.mode == "absolute":
            return f"{difference(gap.absolute, stderr=gap.stderr)} is above {given(self.limit)}"
        stderrs = number(gap.absolute / gap.stderr)
        return f"{stderrs} standard errors is above {given(self.limit)}"

    def _measure(self, seen: Observation) -> float:
        gap = seen.measured_gap
        if self.mode == "relative":
            return gap.relative
        if self.mode == "absolute":
            return gap.absolute
        return gap.absolute / gap.stderr if gap.stderr > 0 else math.nan
