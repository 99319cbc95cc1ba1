"""Stop when the trend of the validation loss has turned upwards."""

import math
from dataclasses import dataclass
from statistics import median

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.rules.rule import Rule, StopReason, is_number
from lightning_gapmon.analysis.rules.span import val_span
from lightning_gapmon.analysis.trend import mann_kendall
from lightning_gapmon.analysis.wording import number, percent
from lightning_gapmon.errors import ConfigurationError

SHARE, LEAST, MOST, LEVEL = 0.4, 8, 30, 5


@dataclass(frozen=True, repr=False)
class TrendReversal(Rule):
    """Stop when the validation loss rises significantly, and by enough to matter.

    Both are asked for: a long run makes the smallest rise significant, and noise makes large
    rises of single checks. The window is the last 40 % of the run, from 8 to 30 checks.
    Significance: the Mann-Kendall score of the window, which counts rising against falling
    pairs. Effect: the median of the last five checks above the best loss, as a share of the
    best, or, where the loss has been negative, of the range that it has covered.

    Args:
        effect: Rise, as a share, from which it matters.
        score: Mann-Kendall score, a standard normal deviate where there is no trend.

    Example:
        >>> val = [3.0, 2.0, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7]
        >>> TrendReversal()(History.from_curves(train=[1] * 10, val=val)).message
        'validation loss rises (Mann-Kendall 3.340 over 8 checks), 50 % above its best'
    """

    effect: float = 0.02
    score: float = 2.0

    def __post_init__(self) -> None:
        """Refuse what is no rise."""
        if not (is_number(self.effect, least=0) and is_number(self.score, least=0)):
            msg = (
                f"Found TrendReversal(effect={self.effect!r}, score={self.score!r}); "
                "expected two finite numbers from 0."
            )
            raise ConfigurationError(msg)

    def __call__(self, history: History) -> StopReason | None:
        """Measure the effect first; the score is the costly part."""
        size = max(LEAST, min(MOST, int(SHARE * len(history))))
        if len(history) < size:
            return None
        window = [value for value in history.val[-size:] if math.isfinite(value)]
        effect = self._effect(history, window[-LEVEL:])
        if not effect > self.effect:
            return None
        score = mann_kendall(window)
        if score < self.score:
            return None
        trend = f"rises (Mann-Kendall {number(score)} over {size} checks)"
        message = f"validation loss {trend}, {percent(effect)} above its best"
        return self.reason(history, message, mann_kendall=score, rise=effect, least=self.effect)

    def _effect(self, history: History, last: list[float]) -> float:
        span = val_span(history)
        above = median(last) - span.low if last else 0.0
        return above / span.reference if above > 0 else 0.0
