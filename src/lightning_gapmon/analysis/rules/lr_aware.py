"""A rule that knows what the learning rate is doing."""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.rules.rule import Rule, StopReason, need_rule, wrapper, written

JUMP = 2.0
MOST_FRESH = 10  # starts in a run
MOST_PENDING = 10  # checks that a stop is held for a drop that is about to come


class _Phase(NamedTuple):
    """Where the checks begin that count.

    `best` is the lowest loss from before that, and `change` what the rate did there.
    """

    start: int = 0
    lr: float = math.nan
    warming: bool | None = None
    fresh: int = 0
    best: float = math.inf
    change: str = ""


@wrapper("lr_aware")
@dataclass(frozen=True, repr=False)
class LrAware(Rule):
    """A rule that waits for the learning rate.

    While the rate has only risen since the first check, it is a warm-up and the rule waits.
    Where the rate falls to half or less from one check to the next (a drop), or at least doubles
    (a warm restart), the rule starts afresh and sees only the checks from there on; the reason
    says so. A stop is held while a `ReduceLROnPlateau` is about to act. Both are given again
    only if the last fresh start has brought a new best, and at most ten times, so that rates
    that fall for nothing cannot keep a run alive. Without a known rate it is the rule itself.

    Args:
        rule: The rule.

    Example:
        >>> from lightning_gapmon import Patience, replay
        >>> run = {"train": [3, 2, 2, 2, 1], "val": [3.0, 2.0, 2.1, 2.1, 1.0]}
        >>> run = History.from_curves(**run, lr=[0.1, 0.1, 0.1, 0.01, 0.01])
        >>> replay(Patience(2), run).stopped_at, replay(Patience(2).lr_aware(), run).stopped_at
        (4, None)
    """

    rule: Rule

    def __post_init__(self) -> None:
        """Refuse what is no rule."""
        need_rule(self.rule, "lr_aware()")

    def __call__(self, history: History) -> StopReason | None:
        """Ask the rule about the checks of this phase of the learning rate."""
        phase = history.scan(_follow, _Phase())
        if phase.warming or not history:
            return None
        reason = self.rule(history[phase.start :])
        if reason is None or (_is_pending(history) and _has_paid(phase, history)):
            return None
        if not phase.change:
            return reason
        afresh = f"counted afresh from check {history[phase.start].check}, where the learning rate"
        return replace(reason, message=f"{reason.message} ({afresh} {phase.change})")

    def view(self, history: History) -> History:
        """Look at this phase of the learning rate."""
        return self.rule.view(history[history.scan(_follow, _Phase()).start :])

    def __repr__(self) -> str:
        """Write it as it is put together."""
        return f"{written(self.rule)}.lr_aware()"


def _follow(phase: _Phase, history: History) -> _Phase:
    checks, lr = len(history), history[-1].lr
    if not 0 < lr < math.inf:
        return phase
    here = phase._replace(lr=lr)
    if math.isnan(phase.lr):
        return here
    if phase.warming is not False:
        rises = lr > phase.lr
        start = checks - 1 if phase.warming and not rises else phase.start
        here = here._replace(warming=rises, start=start)
        return here if rises else _jump(phase, here, history)
    return _jump(phase, here, history)


def _jump(before: _Phase, here: _Phase, history: History) -> _Phase:
    falls, rises = here.lr * JUMP <= before.lr, here.lr >= JUMP * before.lr
    earlier = history[:-1]
    if not (falls or rises) or not _has_paid(before, earlier):
        return here
    return here._replace(
        start=len(earlier),
        fresh=before.fresh + 1,
        best=earlier.best.val if earlier.best else math.inf,
        change="fell" if falls else "rose",
    )


def _has_paid(phase: _Phase, history: History) -> bool:
    """Tell whether another fresh start may be given: the last one has brought a new best."""
    best = history.best
    return phase.fresh < MOST_FRESH and (best is None or best.val < phase.best)


def _is_pending(history: History) -> bool:
    # A countdown that does not count down would hold the stop for ever.
    before, now = history.lr_drop_in[-2:][0], history[-1].lr_drop_in
    return now < before and now <= MOST_PENDING
