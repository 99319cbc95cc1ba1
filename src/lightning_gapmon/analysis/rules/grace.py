"""A second look before the stop: losses that rise can fall again."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.rules.rule import (
    Rule,
    StopReason,
    is_count,
    need_rule,
    wrapper,
    written,
)
from lightning_gapmon.analysis.wording import number
from lightning_gapmon.errors import ConfigurationError


class _Asked(NamedTuple):
    fired: int = 0
    first: int = 0


@wrapper("grace")
@dataclass(frozen=True, repr=False)
class Grace(Rule):
    """A rule that may fire so many times before it stops the run.

    The number bounds what the second look can cost in the whole run. If the loss improves
    meanwhile, as in double descent, the rule falls silent and the run goes on, with what is
    left of the grace. The reason says what the grace bought.

    Args:
        rule: The rule.
        checks: Checks to go on for although the rule says stop.

    Example:
        >>> from lightning_gapmon import Patience, replay
        >>> run = {"train": [3, 2, 1, 1, 1], "val": [3.0, 4.0, 2.0, 3.0, 3.0]}
        >>> replay(Patience(1), **run).stopped_at
        2
        >>> second = replay(Patience(1).grace(1), **run)
        >>> second.stopped_at, second.reason.message.partition("; ")[2]
        (4, 'the grace of 1 since check 2 lowered the best loss from 3.000 to 2.000')
    """

    rule: Rule
    checks: int

    def __post_init__(self) -> None:
        """Refuse a grace that is no count."""
        need_rule(self.rule, "grace(5)")
        if not is_count(self.checks):
            msg = f"Found .grace({self.checks!r}); expected a number of checks from 1."
            raise ConfigurationError(msg)

    def __call__(self, history: History) -> StopReason | None:
        """Count how often the rule fired so far."""
        reason = self.rule(history)
        asked = history.scan(self._ask, _Asked(), key=history.planned)
        if reason is None or asked.fired <= self.checks:
            return None
        bought = self._bought(history, history[: asked.first])
        return replace(reason, rule=repr(self), message=f"{reason.message}; {bought}")

    def _ask(self, asked: _Asked, history: History) -> _Asked:
        if not self.rule(history):
            return asked
        return _Asked(asked.fired + 1, asked.first or len(history))

    def _bought(self, now: History, then: History) -> str:
        grace = f"the grace of {self.checks} since check {then[-1].check}"
        if now.best is None or now.best == then.best:
            return f"{grace} bought nothing"
        before = f"from {number(then.best.val)} " if then.best else ""
        return f"{grace} lowered the best loss {before}to {number(now.best.val)}"

    def view(self, history: History) -> History:
        """Look at what the rule looks at."""
        return self.rule.view(history)

    def __repr__(self) -> str:
        """Write it as it is put together."""
        return f"{written(self.rule)}.grace({self.checks})"
