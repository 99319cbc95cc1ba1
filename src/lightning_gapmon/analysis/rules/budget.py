"""Stop when what is left of the plan is not worth waiting for."""

import math
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.rules.rule import Rule, StopReason, is_number
from lightning_gapmon.analysis.rules.span import val_span
from lightning_gapmon.analysis.trend import noise
from lightning_gapmon.analysis.wording import count, number
from lightning_gapmon.errors import ConfigurationError

# Measured on 474 training logs; docs/rules.md has the study behind each number.
LEAST, FLOOR = 2, 0.03
UNPLANNED_LEAST, UNPLANNED_SHARE = 10, 0.1
STILL, LONGER = 0.1, 2
RISE_WAIT, RISE_LEVEL, RISE_EFFECT, RISE_NOISE, NOISE_WINDOW = 20, 5, 0.002, 12, 22


class _Memory(NamedTuple):
    """What the rule remembers of a run.

    `best` is the lowest loss, `mark` the lowest that was an improvement worth the name.
    """

    first: float = math.nan
    best: float = math.inf
    best_check: int = 0
    best_age: int = 0
    mark: float = math.inf
    mark_check: int = 0
    mark_age: int = 0
    train_first: float = math.nan
    train_low: float = math.inf
    train_at_best: float = math.nan


@dataclass(frozen=True, repr=False)
class Budget(Rule):
    """Stop when the wait for an improvement is long against what is left of the plan.

    The wait that is granted is `2 + 3 % of the plan + share of the checks that are left`: an
    early best is easily beaten later, a late one hardly. It is doubled while training stands
    still, for then it is not overfitting that keeps validation from falling: that is, while
    the train loss has fallen since the best check by less than a tenth of its whole fall.
    Without a plan, 10 checks or 10 % of the run so far take its place, whichever is more.

    A clear rise ends the wait: after 20 checks without a new best, when the median of the last
    five is above it by 0.2 % and by 12 times the noise of single checks.

    Args:
        share: Share of the checks that are left to wait.
        tolerance: An improvement by less is none: a share of the best loss and of its fall
            since the first check, whichever is less. The best checkpoint is kept all the same.

    Example:
        >>> Budget()
        Budget()
        >>> Budget.eager()
        Budget(0.08, tolerance=0.02)
        >>> history = History.from_curves(
        ...     train=[5, 4, 3, 2, 1, 1, 1, 1], val=[5, 3, 4, 4, 4, 4, 4, 4], planned=10
        ... )
        >>> Budget()(history[:4]) is None
        True
        >>> Budget()(history).message
        'no improvement for 6 checks since check 2, with 2 of 10 planned checks left'
    """

    share: float = 0.2
    tolerance: float = 0.0

    @classmethod
    def eager(cls) -> "Budget":
        """Save about a quarter of the epochs, and give a little away."""
        return cls(share=0.08, tolerance=0.02)

    @classmethod
    def careful(cls) -> "Budget":
        """Save about a seventh of the epochs, and give next to nothing away: the default."""
        return cls()

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        if not (is_number(self.share, least=0, most=1) and self._is_tolerance()):
            msg = (
                f"Found Budget({self.share!r}, tolerance={self.tolerance!r}); expected shares "
                "between 0 and 1, such as Budget(0.2) or Budget.eager()."
            )
            raise ConfigurationError(msg)

    def _is_tolerance(self) -> bool:
        return is_number(self.tolerance, least=0, most=1) and self.tolerance < 1

    def __call__(self, history: History) -> StopReason | None:
        """Compare the wait with what is left, then look for a clear rise."""
        if not history:
            return None
        known = history.scan(self._update, _Memory())
        longer = LONGER if self._stands_still(known, history) else 1
        if known.mark_age >= longer * self.patience(history[-1].check, history.planned):
            return self.reason(
                history, self._waited(known, history), **self._evidence(known, history)
            )
        rise = self._rise(known, history)
        if not rise:
            return None
        above = f"rose by {number(rise)} above the best, {number(known.best)} at check"
        message = f"validation loss {above} {known.best_check}"
        return self.reason(history, message, val_best=known.best, val_rise=rise)

    def patience(self, check: int, planned: int | None) -> float:
        """Give the checks to wait at a check, before any doubling.

        Example:
            >>> [Budget().patience(check, planned=100) for check in (10, 50, 90)]
            [23.0, 15.0, 7.0]
            >>> [Budget().patience(check, planned=None) for check in (10, 150)]
            [10, 15.0]
        """
        if planned is None:
            return max(UNPLANNED_LEAST, round(UNPLANNED_SHARE * check, 9))
        left = max(0, planned - check)
        return round(LEAST + FLOOR * planned + self.share * left, 9)

    def _update(self, known: _Memory, history: History) -> _Memory:
        seen = history[-1]
        here = known._replace(best_age=known.best_age + 1, mark_age=known.mark_age + 1)
        here = _with_train(here, seen)
        return self._with_val(here, seen) if math.isfinite(seen.val) else here

    def _with_val(self, known: _Memory, seen: Observation) -> _Memory:
        val = seen.val
        if math.isnan(known.first):
            known = known._replace(first=val)
        if val < known.mark - self._least(known):
            known = known._replace(mark=val, mark_check=seen.check, mark_age=0)
        if val < known.best:
            known = known._replace(
                best=val, best_check=seen.check, best_age=0, train_at_best=_train(seen)
            )
        return known

    def _least(self, known: _Memory) -> float:
        # A loss at or below zero has no natural unit; any improvement counts there.
        positive = 0 < known.mark < math.inf
        return self.tolerance * min(known.mark, known.first - known.mark) if positive else 0.0

    def _stands_still(self, known: _Memory, history: History) -> bool:
        last = [value for value in map(_train, history[-3:]) if math.isfinite(value)]
        whole = known.train_first - known.train_low
        return not (last and known.train_at_best - median(last) > STILL * whole)

    def _rise(self, known: _Memory, history: History) -> float:
        if known.best_age < RISE_WAIT:
            return 0.0
        recent = [value for value in history.val[-NOISE_WINDOW:] if math.isfinite(value)]
        if not math.isfinite(known.best) or len(recent) < RISE_LEVEL:
            return 0.0
        rise = median(recent[-RISE_LEVEL:]) - known.best
        effect = RISE_EFFECT * val_span(history).reference
        return rise if rise > max(effect, RISE_NOISE * noise(recent)) else 0.0

    def _evidence(self, known: _Memory, history: History) -> dict[str, float]:
        best = {"val_best": known.mark} if known.mark_check else {}
        planned = {"checks_planned": history.planned} if history.planned else {}
        return {**best, "checks_waited": known.mark_age, **planned}

    def _waited(self, known: _Memory, history: History) -> str:
        said = "not enough" if self.tolerance else "no"
        wait = f"{said} improvement for {count(known.mark_age, 'check')}"
        since = f" since check {known.mark_check}"
        since = since if known.mark_check else " and no finite validation loss yet"
        if history.planned is None:
            return wait + since
        left = max(0, history.planned - history[-1].check)
        return f"{wait}{since}, with {left} of {history.planned} planned checks left"


def _train(seen: Observation) -> float:
    return seen.probe if math.isnan(seen.train) else seen.train


def _with_train(known: _Memory, seen: Observation) -> _Memory:
    train = _train(seen)
    if not math.isfinite(train):
        return known
    first = train if math.isnan(known.train_first) else known.train_first
    return known._replace(train_first=first, train_low=min(known.train_low, train))
