"""What a change of the loss is measured against, whatever its unit and its sign."""

import math
from typing import NamedTuple

from lightning_gapmon.analysis.history.history import History


class Span(NamedTuple):
    """Lowest and highest finite loss so far; infinite where there is none."""

    low: float = math.inf
    high: float = -math.inf

    @property
    def reference(self) -> float:
        """The unit for relative changes; NaN while there is none.

        The lowest loss while all are positive. A loss that has been negative (a
        log-likelihood) has no natural zero: there it is the range that was covered.
        """
        if self.low > self.high:
            return math.nan
        return self.low if self.low > 0 else self.high - self.low

    def widen(self, value: float) -> "Span":
        """Take one more value in, if it is finite."""
        if not math.isfinite(value):
            return self
        return Span(min(self.low, value), max(self.high, value))


def val_span(history: History) -> Span:
    """Span of the validation loss.

    Example:
        >>> val_span(History.from_curves(train=[3, 2], val=[4.0, 2.0])).reference
        2.0
        >>> val_span(History.from_curves(train=[3, 2], val=[1.0, -2.0])).reference
        3.0
    """
    return history.scan(_widen_val, Span())


def train_span(history: History) -> Span:
    """Span of the online train loss."""
    return history.scan(_widen_train, Span())


def _widen_val(span: Span, history: History) -> Span:
    return span.widen(history[-1].val)


def _widen_train(span: Span, history: History) -> Span:
    return span.widen(history[-1].train)
