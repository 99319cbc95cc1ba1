"""Prechelt's three stopping criteria (Early Stopping - But When?, 1998), for any loss."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.rules.rule import Rule, StopReason, is_count, is_number
from lightning_gapmon.analysis.rules.span import train_span, val_span
from lightning_gapmon.analysis.wording import count, given, number, percent
from lightning_gapmon.errors import ConfigurationError

STRIP = 5


@dataclass(frozen=True, repr=False)
class GeneralizationLoss(Rule):
    """Stop when the validation loss is so many per cent above its best (Prechelt's GL).

    `GL = 100 (val - best) / best > alpha`. For a loss that has been negative the range that it
    has covered takes the place of `best` in the denominator, so that the unit and the zero of
    the loss do not matter.

    Args:
        alpha: The limit in per cent.

    Example:
        >>> history = History.from_curves(train=[3, 2, 1], val=[3.0, 2.0, 2.2])
        >>> GeneralizationLoss(5)(history).message
        'validation loss 2.200 is 10 % above its best, 2.000 (limit 5 %)'
    """

    alpha: float = 5.0

    def __post_init__(self) -> None:
        """Refuse a limit that nothing can pass."""
        _need_positive("GeneralizationLoss", self.alpha)

    def __call__(self, history: History) -> StopReason | None:
        """Compare the last check with the best."""
        loss = generalization_loss(history)
        if not loss > self.alpha:
            return None
        best = val_span(history).low
        above = (
            f"{percent(loss / 100)} above its best, {number(best)} (limit {given(self.alpha)} %)"
        )
        message = f"validation loss {number(history[-1].val)} is {above}"
        evidence = {"val_best": best, "val_now": history[-1].val}
        return self.reason(
            history, message, generalization_loss=loss, limit=self.alpha, **evidence
        )


@dataclass(frozen=True, repr=False)
class ProgressQuotient(Rule):
    """Stop when validation suffers more than training still progresses (Prechelt's PQ).

    At the end of each strip of `strip` checks: `GL / P > alpha`, where the training progress is
    `P = 1000 (mean / min - 1)` of the train loss in the strip. For a train loss that has been
    negative the range that it has covered takes the place of `min` in the denominator.

    Args:
        alpha: The limit.
        strip: Checks in a strip.

    Example:
        >>> history = History.from_curves(train=[2, 1, 1], val=[3.0, 2.0, 2.4])
        >>> ProgressQuotient(0.05, strip=3)(history).message
        'generalisation loss 20 % against a training progress of 333.3 (limit 0.05)'
    """

    alpha: float = 0.75
    strip: int = STRIP

    def __post_init__(self) -> None:
        """Refuse a limit that nothing can pass, and a strip without a mean."""
        _need_positive("ProgressQuotient", self.alpha)
        _need_strip("ProgressQuotient", self.strip)

    def __call__(self, history: History) -> StopReason | None:
        """Look once a strip."""
        if not history or len(history) % self.strip:
            return None
        loss, progress = generalization_loss(history), self._progress(history)
        if not loss > self.alpha * progress:
            return None
        against = f"against a training progress of {number(progress)} (limit {given(self.alpha)})"
        message = f"generalisation loss {percent(loss / 100)} {against}"
        return self.reason(history, message, generalization_loss=loss, progress=progress)

    def _progress(self, history: History) -> float:
        span = train_span(history)
        strip = [value for value in history.train[-self.strip :] if math.isfinite(value)]
        if not strip:
            return math.nan
        lowest = min(strip)
        reference = lowest if span.low > 0 else span.reference
        return 1000 * (sum(strip) / len(strip) - lowest) / reference if reference else 0.0


class _Rises(NamedTuple):
    last: float = math.nan
    rises: int = 0


@dataclass(frozen=True, repr=False)
class SuccessiveRises(Rule):
    """Stop when the validation loss rose over several strips in a row (Prechelt's UP).

    At the end of each strip of `strip` checks the loss is compared with that at the end of the
    strip before. A loss that is not finite is passed over.

    Args:
        strips: Rises in a row.
        strip: Checks in a strip.

    Example:
        >>> history = History.from_curves(train=[3, 2, 1, 1], val=[1.0, 1.0, 1.0, 2.0])
        >>> SuccessiveRises(1, strip=2)(history).message
        'validation loss rose over 1 strip of 2 checks in a row'
    """

    strips: int = 4
    strip: int = STRIP

    def __post_init__(self) -> None:
        """Refuse what cannot be counted."""
        if not is_count(self.strips):
            msg = f"Found SuccessiveRises({self.strips!r}); expected a number of strips from 1."
            raise ConfigurationError(msg)
        _need_strip("SuccessiveRises", self.strip)

    def __call__(self, history: History) -> StopReason | None:
        """Look once a strip."""
        rises = history.scan(self._update, _Rises()).rises
        if not history or len(history) % self.strip or rises < self.strips:
            return None
        strips = f"{count(rises, 'strip')} of {count(self.strip, 'check')}"
        message = f"validation loss rose over {strips} in a row"
        return self.reason(history, message, rises=rises, strip=self.strip)

    def _update(self, before: _Rises, history: History) -> _Rises:
        val = history[-1].val
        if len(history) % self.strip or not math.isfinite(val):
            return before
        return _Rises(val, before.rises + 1 if val > before.last else 0)


def generalization_loss(history: History) -> float:
    """Per cent by which the last validation loss is above the best; NaN where it is not finite.

    Example:
        >>> generalization_loss(History.from_curves(train=[2, 1], val=[2.0, 2.5]))
        25.0
    """
    if not history or not math.isfinite(history[-1].val):
        return math.nan
    span = val_span(history)
    above = history[-1].val - span.low
    return 100 * above / span.reference if above else 0.0


def _need_positive(rule: str, alpha: float) -> None:
    if not is_number(alpha, least=0):
        msg = f"Found {rule}({alpha!r}); expected a finite limit from 0, such as {rule}()."
        raise ConfigurationError(msg)


def _need_strip(rule: str, strip: int) -> None:
    if not is_count(strip):
        msg = f"Found {rule}(strip={strip!r}); expected a number of checks from 1."
        raise ConfigurationError(msg)
