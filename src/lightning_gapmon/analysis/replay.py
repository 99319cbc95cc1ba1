"""A rule over a finished run: where it would have stopped, and what that would have cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lightning_gapmon.analysis.history import History
from lightning_gapmon.analysis.rules.rule import Rule, StopReason


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """What a rule would have done.

    Attributes:
        stopped_at: The check at which it would have stopped, from 1; None if it never would.
        reason: Why, or None.
        best_at: The check with the lowest validation loss up to the stop, from 1; None if no
            loss is finite.
        regret: Loss given away: lowest loss up to the stop minus lowest of the whole run.
        saved: Share of the run's checks that the stop would have saved, from 0 to 1.
    """

    stopped_at: int | None
    reason: StopReason | None
    best_at: int | None
    regret: float
    saved: float


def replay(
    rule: Rule,
    history: History | None = None,
    *,
    train: Sequence[float] = (),
    val: Sequence[float] = (),
    planned: int | None = None,
) -> Replay:
    """Ask a rule after each check of a finished run, as it would have been asked live.

    Args:
        rule: The rule.
        history: The run; or give its curves.
        train: Train loss at each check.
        val: Validation loss at each check.
        planned: Checks that the run intended.

    Example:
        >>> from lightning_gapmon import Patience
        >>> replay(Patience(2), train=[5, 4, 3, 2, 1], val=[3.0, 2.0, 2.5, 2.1, 1.0])
        ... # doctest: +ELLIPSIS
        Replay(stopped_at=4, ..., best_at=2, regret=1.0, saved=0.19999999999999996)
    """
    run = history or History.from_curves(train=train, val=val, planned=planned)
    reasons = ((used, rule(run[:used])) for used in range(1, len(run) + 1))
    used, reason = next(((n, why) for n, why in reasons if why), (len(run), None))
    best, kept = run.best, run[:used].best
    return Replay(
        stopped_at=reason.check if reason else None,
        reason=reason,
        best_at=kept.check if kept else None,
        regret=kept.val - best.val if kept and best else math.nan,
        saved=1 - used / len(run) if run else 0.0,
    )
