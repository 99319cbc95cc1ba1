"""A rule over a finished run: where it would have stopped, and what that would have cost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.run_given import run_given
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
        regret_relative: `regret` as a share of the lowest loss of the whole run, at most 1.
        regret_range: `regret` as a share of what the run gained over its first check, at most 1.
    """

    stopped_at: int | None
    reason: StopReason | None
    best_at: int | None
    regret: float
    saved: float
    regret_relative: float = math.nan
    regret_range: float = math.nan


def replay(
    rule: Rule,
    history: History | None = None,
    *,
    train: Sequence[float] | None = None,
    val: Sequence[float] | None = None,
    planned: int | None = None,
) -> Replay:
    """Ask a rule after each check of a finished run, as it would have been asked live.

    Args:
        rule: The rule.
        history: The run; or give its curves.
        train: Train loss at each check.
        val: Validation loss at each check.
        planned: Checks that the run intended, where the history does not say so.

    Raises:
        HistoryError: Neither a history nor both curves were given, or both were.

    Example:
        >>> from lightning_gapmon import Patience
        >>> replay(Patience(2), train=[5, 4, 3, 2, 1], val=[3.0, 2.0, 2.5, 2.1, 1.0])
        ... # doctest: +ELLIPSIS
        Replay(stopped_at=4, ..., best_at=2, regret=1.0, saved=0.19999999999999996, ...)
    """
    run = run_given("replay(rule, {})", history, train=train, val=val)
    if planned is not None:
        run = History(run, planned=planned)
    return replay_all({"": rule}, run)[""]


def replay_all(rules: Mapping[str, Rule], run: History) -> dict[str, Replay]:
    """Ask several rules about one run, each until it stops."""
    going = dict(rules)
    stops: dict[str, tuple[int, StopReason | None]] = dict.fromkeys(rules, (len(run), None))
    for used in range(1, len(run) + 1):
        seen = run[:used]
        for name in [*going]:
            if reason := going[name](seen):
                stops[name] = used, reason
                del going[name]
        if not going:
            break
    return {name: outcome(run, used, reason) for name, (used, reason) in stops.items()}


def outcome(run: History, used: int, reason: StopReason | None = None) -> Replay:
    """Say what it costs and saves to stop a run after so many checks.

    Example:
        >>> run = History.from_curves(train=[3, 2, 1, 1], val=[5.0, 2.0, 3.0, 1.0])
        >>> cut = outcome(run, 3)
        >>> cut.regret, cut.regret_relative, cut.regret_range, cut.saved
        (1.0, 1.0, 0.25, 0.25)
    """
    best, kept = run.best, run[:used].best
    regret = kept.val - best.val if kept and best else math.nan
    low = best.val if best else math.nan
    first = next(filter(math.isfinite, run.val), math.nan)
    return Replay(
        stopped_at=reason.check if reason else None,
        reason=reason,
        best_at=kept.check if kept else None,
        regret=regret,
        saved=1 - used / len(run) if run else 0.0,
        regret_relative=_share(regret, abs(low)),
        regret_range=_share(regret, first - low),
    )


def _share(part: float, whole: float) -> float:
    if part == 0 or math.isnan(part):
        return part
    return min(1.0, part / whole) if whole else 1.0
