"""A verdict on its way out of a run: plain data, and one sentence."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from lightning_gapmon.analysis.outcome import Outcome

FORMAT, VERSION = "gapmon.verdict", 1
Kind = Literal["verdict", "stop", "end"]
Hear = Callable[[Mapping[str, Any]], object]  # takes what `plain` gives
OnVerdict = Hear | Sequence[Hear]


def plain(outcome: Outcome, *, kind: Kind) -> dict[str, Any]:
    """Say what is known of a run when its verdict changes, when it stops and when it ends.

    Args:
        outcome: The run as far as it went.
        kind: Why this is said: `verdict` has changed, a rule said `stop`, or the `end` is there.

    Returns:
        Strings, numbers, lists and dicts that JSON can hold; a number that is not finite is None.

    Example:
        >>> from lightning_gapmon import History, diagnose
        >>> history = History.from_curves(train=[2.0], val=[3.0], planned=5)
        >>> said = plain(Outcome(history=history, diagnosis=diagnose(history)), kind="end")
        >>> said["event"], said["verdict"], said["best"]
        ('end', 'undecided', {'check': 1, 'val': 3.0})
        >>> said["text"]
        'ended after 1 check of 5: undecided, too early to tell after 1 check'
    """
    history, diagnosis, reason = outcome.history, outcome.diagnosis, outcome.stop_reason
    last, best = (history[-1] if history else None), history.best
    return {
        "format": FORMAT,
        "version": VERSION,
        "event": kind,
        "text": _text(outcome, kind),
        "verdict": diagnosis.verdict,
        "form": diagnosis.form,
        "severity": diagnosis.severity,
        "message": diagnosis.message,
        "since": diagnosis.since,
        "remedies": [*diagnosis.remedies],
        "check": last.check if last else 0,
        "epoch": last.epoch if last else 0,
        "step": last.step if last else 0,
        "planned": history.planned,
        "train": _known(last.train_fair) if last else None,
        "val": _known(last.val) if last else None,
        "best": {"check": best.check, "val": best.val} if best else None,
        "stopped_by": str(reason) if reason else "",
        "interrupted_by": outcome.interrupted_by,
        "log_dir": outcome.log_dir,
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _text(outcome: Outcome, kind: Kind) -> str:
    history = outcome.history
    checks = len(history)
    so_far = f"{checks} check{'s' * (checks != 1)}"
    so_far += f" of {history.planned}" if history.planned else ""
    said = f"{outcome.diagnosis.verdict.replace('_', ' ')}, {outcome.diagnosis.message}"
    if kind == "stop" and outcome.stop_reason:
        return f"stopped after {so_far} ({outcome.stop_reason}): {said}"
    if kind == "end":
        by = f" by {outcome.interrupted_by}" if outcome.interrupted_by else ""
        return f"ended{by} after {so_far}: {said}"
    return f"after {so_far}: {said}"
