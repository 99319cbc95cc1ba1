"""Stop after a number of checks without improvement."""

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.rules.rule import Rule, StopReason, is_count, is_number
from lightning_gapmon.analysis.wording import count, duration, number, read_percent
from lightning_gapmon.errors import ConfigurationError

LEAST_CHECKS = 5
UNPLANNED_CHECKS = 10


class _Wait(NamedTuple):
    best: float = math.inf
    at: int = 0
    checks: int = 0
    steps: int = 0
    seconds: float = 0.0
    since: Observation | None = None


@dataclass(frozen=True, repr=False)
class Patience(Rule):
    """Stop when the validation loss has not improved for a number of checks.

    A check improves if its loss is finite and lies more than `min_delta` below the best so far
    (the definition of Lightning's `EarlyStopping` and of Keras). A loss that is not finite
    counts as no improvement and is never compared.

    Args:
        checks: Checks to wait, or a share of the planned checks such as `"20%"`, then at least
            5; where the plan is not known, a share waits 10 checks.
        min_delta: What counts as an improvement.
        mode: Unit of `min_delta`: `absolute`, in the loss' own unit, `relative`, as a share of
            the absolute value of the best loss, which is right for negative losses too, or
            `stderr`, in standard errors of the check's validation loss where they are known.
        steps: Optimiser steps to wait, instead of checks.
        seconds: Time in `fit` to wait, instead of checks.

    Raises:
        ConfigurationError: An argument is out of range.

    Example:
        >>> history = History.from_curves(train=[3, 2, 1, 1], val=[3.0, 2.0, 2.5, 2.1])
        >>> Patience(2)(history).message
        'no improvement for 2 checks since the best validation loss 2.000 at check 2'
        >>> Patience(steps=1000).grace(5) | Patience(seconds=3600)
        Patience(steps=1000).grace(5) | Patience(seconds=3600)
    """

    checks: int | str = "20%"
    min_delta: float = 0.0
    mode: Literal["absolute", "relative", "stderr"] = "absolute"
    steps: int | None = field(default=None, kw_only=True)
    seconds: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Refuse what cannot be waited for."""
        share = read_percent(self.checks)
        if share is None and not is_count(self.checks):
            msg = (
                f"Found Patience({self.checks!r}); expected a number of checks from 1, such as "
                'Patience(10), or a share of the plan between "0%" and "100%", such as '
                'Patience("20%").'
            )
            raise ConfigurationError(msg)
        if not is_number(self.min_delta, least=0):
            msg = f"Found min_delta={self.min_delta!r}; expected a finite number from 0."
            raise ConfigurationError(msg)
        if self.mode not in ("absolute", "relative", "stderr"):
            msg = f'Found mode={self.mode!r}; expected "absolute", "relative" or "stderr".'
            raise ConfigurationError(msg)
        self._refuse_odd_unit()

    def _refuse_odd_unit(self) -> None:
        given = [amount for amount in (self.steps, self.seconds) if amount is not None]
        if len(given) > 1 or any(not is_number(x, least=0) or x == 0 for x in given):
            msg = (
                f"Found Patience(steps={self.steps!r}, seconds={self.seconds!r}); expected one "
                "of them, above 0. To wait for either, write "
                "Patience(steps=1000) | Patience(seconds=600)."
            )
            raise ConfigurationError(msg)

    def __call__(self, history: History) -> StopReason | None:
        """Compare the wait so far with the patience."""
        wait = history.scan(self._update, _Wait())
        waited = self._waited(wait, history.planned)
        if waited is None:
            return None
        # Checks that improved by less than min_delta may be better than the last that counted.
        said, loss = ("not enough", "the") if self.min_delta else ("no", "the best")
        since = f"since {loss} validation loss {number(wait.best)} at check {wait.at}"
        since = since if wait.at else "and no finite validation loss yet"
        message = f"{said} improvement for {waited} {since}"
        return self.reason(history, message, **self._evidence(wait, history))

    def _evidence(self, wait: _Wait, history: History) -> dict[str, float]:
        best = {"val_best": wait.best} if wait.at else {}
        if self.steps is not None:
            return {**best, "steps_waited": wait.steps, "patience": self.steps}
        if self.seconds is not None:
            return {**best, "seconds_waited": wait.seconds, "patience": self.seconds}
        return {**best, "checks_waited": wait.checks, "patience": self.patience(history.planned)}

    def _waited(self, wait: _Wait, planned: int | None) -> str | None:
        if self.steps is not None:
            return count(wait.steps, "step") if wait.steps >= self.steps else None
        if self.seconds is not None:
            return duration(wait.seconds) if wait.seconds >= self.seconds else None
        return count(wait.checks, "check") if wait.checks >= self.patience(planned) else None

    def patience(self, planned: int | None) -> int:
        """Give the checks to wait under a plan.

        Example:
            >>> Patience("20%").patience(planned=100), Patience("20%").patience(planned=None)
            (20, 10)
        """
        share = read_percent(self.checks)
        if share is None:
            return int(self.checks)
        if planned is None:
            return UNPLANNED_CHECKS
        return max(LEAST_CHECKS, math.ceil(round(share * planned, 9)))

    def _update(self, wait: _Wait, history: History) -> _Wait:
        seen = history[-1]
        if math.isfinite(seen.val) and seen.val < wait.best - self._delta(wait.best, seen):
            return _Wait(best=seen.val, at=seen.check, since=seen)
        since = wait.since or seen
        return wait._replace(
            checks=wait.checks + 1,
            steps=seen.step - since.step,
            seconds=seen.seconds - since.seconds,
            since=since,
        )

    def _delta(self, best: float, seen: Observation) -> float:
        if self.mode == "relative" and math.isfinite(best):
            return self.min_delta * abs(best)
        if self.mode == "stderr":
            return 0.0 if math.isnan(seen.val_stderr) else self.min_delta * seen.val_stderr
        return self.min_delta
