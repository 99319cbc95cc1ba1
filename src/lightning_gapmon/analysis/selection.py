"""Which check to keep: the lowest loss, or the lowest trend of it, among fair gaps."""

import math
from dataclasses import dataclass
from statistics import median
from typing import Literal, NamedTuple

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.errors import ConfigurationError

WINDOW = 5


class _Kept(NamedTuple):
    seen: Observation | None = None
    level: float = math.inf
    recent: tuple[float, ...] = ()


@dataclass(frozen=True)
class Selection:
    """Choose the check whose weights are worth keeping, so that it can be kept as it comes.

    Args:
        by: `raw`, the validation loss itself, or `trend`, the median of the last five, for a
            validation loss so noisy that its lowest value is luck. The trend lags two checks
            behind, which costs more than it helps where the loss is smooth.
        max_gap: Largest relative gap of a check that is kept; a gap that is not known passes.

    Example:
        >>> run = History.from_curves(train=[5] * 7, val=[5.0, 4.0, 1.0, 4.0, 3.0, 2.5, 2.0])
        >>> Selection()(run).check, Selection(by="trend")(run).check
        (3, 7)
    """

    by: Literal["raw", "trend"] = "raw"
    max_gap: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot choose."""
        gap = 0.0 if self.max_gap is None else self.max_gap
        if self.by not in ("raw", "trend") or not -1 <= gap <= 1:
            msg = (
                f"Found a selection of {self.by!r} with max_gap={self.max_gap!r}; expected "
                '"raw" or "trend", and a relative gap between -1 and 1 or None.'
            )
            raise ConfigurationError(msg)

    def __call__(self, history: History) -> Observation | None:
        """Give the check to keep so far; None while no finite loss has a gap within bounds."""
        return history.scan(self._update, _Kept()).seen

    def level(self, history: History) -> float:
        """Give the loss, or the trend, at the check that is kept; infinite where there is none."""
        return history.scan(self._update, _Kept()).level

    def rank(self, history: History) -> float:
        """Give the loss, or the trend, at the last check: what it is ranked by."""
        recent = history.scan(self._update, _Kept()).recent
        return median(recent) if self.by == "trend" and recent else history[-1].val

    def _update(self, kept: _Kept, history: History) -> _Kept:
        seen = history[-1]
        if not math.isfinite(seen.val):
            return kept
        recent = (*kept.recent, seen.val)[-WINDOW:]
        level = median(recent) if self.by == "trend" else seen.val
        if level < kept.level and self.admits(seen):
            return _Kept(seen, level, recent)
        return kept._replace(recent=recent)

    def admits(self, seen: Observation) -> bool:
        """Tell whether a check's gap is within bounds, as far as it is known."""
        return self.max_gap is None or not seen.gap_relative > self.max_gap
