"""A rule that judges smoothed losses."""

import dataclasses
import math
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, NamedTuple

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.rules.rule import (
    Rule,
    StopReason,
    is_count,
    need_rule,
    wrapper,
    written,
)
from lightning_gapmon.analysis.wording import count
from lightning_gapmon.errors import ConfigurationError

LOSSES = ("train", "end", "probe", "val")


class _Shadow(NamedTuple):
    smooth: History
    recent: tuple[Observation, ...] = ()
    levels: tuple[float, ...] = (math.nan,) * len(LOSSES)


@wrapper("smoothed")
@dataclass(frozen=True, repr=False)
class Smoothed(Rule):
    """A rule that judges smoothed losses, all four of them alike, so that the gap stays fair.

    A loss that is not finite stays as it is and does not enter its neighbours.

    Args:
        rule: The rule.
        checks: Checks that are smoothed over.
        by: `median` of the last checks, which no single wild value moves, or `ema`, the
            exponential mean with weight `2 / (checks + 1)` on the newest.

    Example:
        >>> from lightning_gapmon import Target
        >>> history = History.from_curves(train=[4, 4, 4], val=[4.0, 4.0, 1.0])
        >>> Target(2.0)(history) is None, Target(2.0).smoothed(3)(history) is None
        (False, True)
    """

    rule: Rule
    checks: int = 5
    by: Literal["median", "ema"] = "median"

    def __post_init__(self) -> None:
        """Refuse what is no smoothing."""
        need_rule(self.rule, "smoothed(5)")
        if not is_count(self.checks) or self.by not in ("median", "ema"):
            msg = (
                f"Found .smoothed({self.checks!r}, by={self.by!r}); expected a number of checks "
                'from 1, and by="median" or by="ema".'
            )
            raise ConfigurationError(msg)

    def __call__(self, history: History) -> StopReason | None:
        """Ask the rule about the smoothed history."""
        shadow = history.scan(self._cast, _Shadow(History()))
        smooth = shadow.smooth[: len(history)]
        smooth.planned = history.planned
        reason = self.rule(smooth)
        if reason is None:
            return None
        message = f"smoothed over {count(self.checks, 'check')}: {reason.message}"
        return self.reason(history, message, **reason.evidence)

    def _cast(self, shadow: _Shadow, history: History) -> _Shadow:
        seen = history[-1]
        recent = (*shadow.recent, seen)[-self.checks :]
        named = zip(LOSSES, shadow.levels, strict=True)
        new = {name: self._level(name, recent, level) for name, level in named}
        kept: Any = {
            n: v if math.isfinite(getattr(seen, n)) else getattr(seen, n) for n, v in new.items()
        }
        # Grown in place, unlike other states: a fold runs in order and once a check, and its
        # readers look at no more checks than their own history has.
        shadow.smooth.append(dataclasses.replace(seen, **kept))
        return _Shadow(shadow.smooth, recent, tuple(new.values()))

    def _level(self, name: str, recent: tuple[Observation, ...], level: float) -> float:
        values = [
            value for value in (getattr(seen, name) for seen in recent) if math.isfinite(value)
        ]
        if self.by == "median":
            return median(values) if values else math.nan
        value: float = getattr(recent[-1], name)
        if not math.isfinite(value):
            return level
        return value if math.isnan(level) else level + 2 / (self.checks + 1) * (value - level)

    def view(self, history: History) -> History:
        """Look at what the rule looks at."""
        return self.rule.view(history)

    def __repr__(self) -> str:
        """Write it as it is put together."""
        by = f", by={self.by!r}" if self.by != "median" else ""
        return f"{written(self.rule)}.smoothed({self.checks}{by})"
