"""Stop at a level of the validation loss: reached, left behind, or not a number."""

import math
from dataclasses import dataclass

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.rules.rule import Rule, StopReason, is_count, is_number
from lightning_gapmon.analysis.wording import given, number
from lightning_gapmon.errors import ConfigurationError


@dataclass(frozen=True, repr=False)
class Target(Rule):
    """Stop when the validation loss is at or below a target.

    Args:
        loss: The target, in units of the loss.

    Example:
        >>> Target(0.5)(History.from_curves(train=[1.0], val=[0.4])).message
        'validation loss 0.4000 reached the target 0.5'
    """

    loss: float

    def __post_init__(self) -> None:
        """Refuse a target that no loss can reach."""
        _need_finite("Target", self.loss)

    def __call__(self, history: History) -> StopReason | None:
        """Compare the last check with the target."""
        if not history or not history[-1].val <= self.loss:
            return None
        message = (
            f"validation loss {number(history[-1].val)} reached the target {given(self.loss)}"
        )
        return self.reason(history, message, val_now=history[-1].val, target=self.loss)


@dataclass(frozen=True, repr=False)
class Divergence(Rule):
    """Stop when the validation loss is above a bound.

    Args:
        loss: The bound, in units of the loss.

    Example:
        >>> Divergence(10.0)(History.from_curves(train=[1.0], val=[12.0])).message
        'validation loss 12.00 is above the bound 10'
    """

    loss: float

    def __post_init__(self) -> None:
        """Refuse a bound that no loss can pass."""
        _need_finite("Divergence", self.loss)

    def __call__(self, history: History) -> StopReason | None:
        """Compare the last check with the bound; NaN is for `NonFinite`."""
        if not history or not history[-1].val > self.loss:
            return None
        message = (
            f"validation loss {number(history[-1].val)} is above the bound {given(self.loss)}"
        )
        return self.reason(history, message, val_now=history[-1].val, bound=self.loss)


@dataclass(frozen=True, repr=False)
class NonFinite(Rule):
    """Stop when the validation loss has been NaN or infinite at several checks in a row.

    Args:
        checks: How many in a row.

    Example:
        >>> NonFinite()(History.from_curves(train=[1.0], val=[math.nan])).message
        'validation loss is nan'
    """

    checks: int = 1

    def __post_init__(self) -> None:
        """Refuse a number that is no count."""
        if not is_count(self.checks):
            msg = f"Found NonFinite({self.checks!r}); expected a number of checks from 1."
            raise ConfigurationError(msg)

    def __call__(self, history: History) -> StopReason | None:
        """Look at the last checks."""
        last = history.val[-self.checks :]
        unmeasured = 0 in history.val_n[-self.checks :]
        if len(last) < self.checks or unmeasured or any(map(math.isfinite, last)):
            return None
        times = f" at {self.checks} checks in a row" if self.checks > 1 else ""
        message = f"validation loss is {number(last[-1])}{times}"
        return self.reason(history, message, val_now=last[-1], checks=self.checks)


def _need_finite(rule: str, loss: float) -> None:
    if not is_number(loss):
        msg = f"Found {rule}({loss!r}); expected a finite loss, such as {rule}(0.5)."
        raise ConfigurationError(msg)
