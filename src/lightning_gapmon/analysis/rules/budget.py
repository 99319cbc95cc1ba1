"""Stop when the wait for an improvement is long against the plan and what is left of it."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.rules.rule import Rule, StopReason, is_number
from lightning_gapmon.analysis.wording import count
from lightning_gapmon.errors import ConfigurationError

# Chosen on one part of the training logs, measured on another: docs/rules.md has the tables.
LEAST_WAIT = 3
LEAST_LEFT = 3  # with fewer checks left, a stop saves nothing
UNPLANNED = 50


class _Mark(NamedTuple):
    """What the rule remembers of a run: the last improvement that was worth the name."""

    first: float = math.nan
    loss: float = math.inf
    check: int = 0
    age: int = 0


@dataclass(frozen=True, repr=False)
class Budget(Rule):
    """Stop when the wait for an improvement is long against the plan and what is left of it.

    The wait that is granted is `share * (plan + checks that are left)`, at least 3 checks: an
    early best is easily beaten later, a late one hardly. With one or two checks left the run
    goes on, for a stop would save nothing. Without a plan it waits as at the end of one: of as
    many checks as have been, at least 50.

    Args:
        share: Share of the plan, and of the checks that are left, to wait.
        tolerance: An improvement by less is none: a share of the best loss and of its fall
            since the first check, whichever is less. The best checkpoint is kept all the same.
            A loss that has been at or below zero has no natural unit: there any improvement
            counts.

    Example:
        >>> Budget()
        Budget()
        >>> Budget.eager()
        Budget(0.15, tolerance=0.05)
        >>> history = History.from_curves(
        ...     train=[5, 4, 3, 2, 1, 1, 1, 1], val=[5, 3, 4, 4, 4, 4, 4, 4], planned=12
        ... )
        >>> Budget()(history[:6]) is None
        True
        >>> Budget()(history).message
        'no improvement by 3 % for 6 checks since check 2, with 4 of 12 planned checks left'
    """

    share: float = 0.3
    tolerance: float = 0.03

    @classmethod
    def eager(cls) -> "Budget":
        """Save about a quarter of the checks, and give a little away."""
        return cls(share=0.15, tolerance=0.05)

    @classmethod
    def careful(cls) -> "Budget":
        """Save about a tenth of the checks, and give next to nothing away: the default."""
        return cls()

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        shares = all(is_number(n, least=0, most=1) for n in (self.share, self.tolerance))
        if not shares or self.tolerance == 1:
            msg = (
                f"Found Budget({self.share!r}, tolerance={self.tolerance!r}); expected shares "
                "between 0 and 1, such as Budget(0.3) or Budget.eager()."
            )
            raise ConfigurationError(msg)

    def __call__(self, history: History) -> StopReason | None:
        """Compare the wait with what is granted."""
        if not history:
            return None
        mark, planned = history.scan(self._follow, _Mark()), history.planned
        left = math.inf if planned is None else planned - history[-1].check
        if left < LEAST_LEFT or mark.age < self.patience(history[-1].check, planned):
            return None
        best = {"val_best": mark.loss} if mark.check else {}
        plan = {} if planned is None else {"checks_planned": planned}
        of_plan = "" if planned is None else f", with {left} of {planned} planned checks left"
        return self.reason(
            history, self._waited(mark) + of_plan, **best, checks_waited=mark.age, **plan
        )

    def patience(self, check: int, planned: int | None) -> float:
        """Give the checks to wait at a check.

        Example:
            >>> [Budget().patience(check, planned=100) for check in (10, 50, 90)]
            [57.0, 45.0, 33.0]
            >>> [Budget().patience(check, planned=None) for check in (10, 50, 500)]
            [15.0, 15.0, 150.0]
        """
        left = 0 if planned is None else max(0, planned - check)
        plan = max(UNPLANNED, check) if planned is None else planned
        return max(LEAST_WAIT, round(self.share * (plan + left), 9))

    def _follow(self, mark: _Mark, history: History) -> _Mark:
        val, mark = history[-1].val, mark._replace(age=mark.age + 1)
        if not math.isfinite(val):
            return mark
        first = val if math.isnan(mark.first) else mark.first
        if val < mark.loss - self._least(mark):
            return _Mark(first, val, history[-1].check)
        return mark

    def _least(self, mark: _Mark) -> float:
        positive = 0 < mark.loss < math.inf
        return self.tolerance * min(mark.loss, mark.first - mark.loss) if positive else 0.0

    def _waited(self, mark: _Mark) -> str:
        by = f" by {100 * self.tolerance:g} %" if self.tolerance else ""
        since = f"since check {mark.check}" if mark.check else "and no finite validation loss yet"
        return f"no improvement{by} for {count(mark.age, 'check')} {since}"
