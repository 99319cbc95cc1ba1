"""One run as plain JSON: what every chart of it draws, and what is said beside it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any

from lightning_gapmon.analysis import wording
from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.outlook.outlook import Outlook
from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis

VERSION = 1
LR_JUMP = 1.5  # a learning rate that changes by less from check to check is a schedule's slope
MOST_CHECKS = 2000  # more points than a chart has pixels
MOST_LR_MARKS = 12
RunDocument = dict[str, Any]
Numbers = Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What is known of a run beside its checks and its verdict.

    Attributes:
        name: What the run is called.
        names: The logged names behind `train` and `val`, where there are any.
        stop: Number of the check at which it was stopped, or None.
        stopped_by: Why, in words, or "".
        kept: Numbers of the checks whose checkpoints were kept.
        ended: Whether it is over.
        start: Validation loss before the first step; NaN where it was not measured.
        raw: Steps and values of the online train loss as it was logged.
        metrics: By name, a train and a validation value for each check.
        outlook: What is expected of the rest of the plan, or None.
        notes: What a reader should know of the numbers.
        own: Whether the run was watched while it trained, so that all this is its own word.
    """

    name: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    stop: int | None = None
    stopped_by: str = ""
    kept: Sequence[int] = ()
    ended: bool = True
    start: float = math.nan
    raw: tuple[Numbers, Numbers] = ((), ())
    metrics: Mapping[str, tuple[Numbers, Numbers]] = field(default_factory=dict)
    outlook: Outlook | None = None
    notes: Sequence[str] = ()
    own: bool = False


def run_document(
    history: History, diagnosis: Diagnosis, beside: Beside | None = None
) -> RunDocument:
    """Put a run together for whatever draws it, as strict JSON's own types.

    A number that was not measured is None, one that is not finite its name. Of very many checks
    only some stay, among them all that something is said of.

    Example:
        >>> from lightning_gapmon import History, diagnose
        >>> history = History.from_curves(train=[2.0, 1.0], val=[2.5, float("nan")])
        >>> document = run_document(history, diagnose(history), Beside(name="first"))
        >>> document["columns"]["val"], document["best"]["check"], document["name"]
        ([2.5, None], 1, 'first')
    """
    known = beside or Beside()
    marked = {diagnosis.since, diagnosis.best, known.stop, *known.kept, *_lr_changes(history)}
    shown = _thinned(history, marked)
    best, last = history.best, history[-1] if history else None
    return {
        "version": VERSION,
        "name": known.name,
        "names": dict(known.names),
        "own": known.own,
        "ended": known.ended,
        "planned": history.planned,
        "checks": len(history),
        "columns": _columns([history[i] for i in shown]),
        "raw": {"step": list(known.raw[0]), "value": [*map(plain, known.raw[1])]},
        "start": plain(known.start),
        "best": _told(best),
        "last": _told(last),
        "verdict": _verdict(diagnosis),
        "outlook": None if known.outlook is None else _outlook(known.outlook),
        "stop": known.stop,
        "stopped_by": known.stopped_by,
        "kept": sorted(known.kept),
        "lr_changes": _lr_changes(history),
        "metrics": {
            name: [[plain(side[i]) for i in shown] for side in sides]
            for name, sides in known.metrics.items()
        },
        "notes": list(known.notes),
        "words": words(history, diagnosis, known),
    }


def document_of(outcome: Outcome, beside: Beside | None = None) -> RunDocument:
    """Put together a run that was watched, from all that is known of it.

    Args:
        outcome: The run.
        beside: What the outcome does not say.

    Example:
        >>> from lightning_gapmon import History, diagnose
        >>> history = History.from_curves(train=[2.0, 1.0], val=[2.5, 1.5])
        >>> document_of(Outcome(history=history, diagnosis=diagnose(history)))["own"]
        True
    """
    known, reason = beside or Beside(), outcome.stop_reason
    return run_document(
        outcome.history,
        outcome.diagnosis,
        replace(
            known,
            stop=reason.check if reason else None,
            stopped_by=str(reason) if reason else "",
            outlook=None if known.ended else outcome.outlook,
            notes=outcome.notes,
            own=True,
        ),
    )


def brief(document: RunDocument) -> RunDocument:
    """Leave out what only the chart itself needs: enough to sort and filter by."""
    return {name: value for name, value in document.items() if name not in ("columns", "raw")}


def words(history: History, diagnosis: Diagnosis, beside: Beside) -> str:
    """Say what the chart shows, for those who do not see it.

    Example:
        >>> from lightning_gapmon import History, diagnose
        >>> history = History.from_curves(train=[2.0, 1.0], val=[2.5, 1.5])
        >>> words(history, diagnose(history), Beside(name="v1"))[:60]
        'Run v1, 2 checks. Validation loss: first 2.500, last 1.500, '
    """
    named = f"Run {beside.name}, " if beside.name else ""
    said = [f"{named}{wording.count(len(history), 'check')}."]
    if history.best:
        first, last, best = history[0], history[-1], history.best
        lowest = f"{wording.number(best.val)} at check {best.check}"
        said += _range("Validation", first.val, last.val, f", best {lowest}")
        said += _range("Train", first.train_fair, last.train_fair)
    since = f" since check {diagnosis.since}" if diagnosis.since else ""
    said += [f"Verdict: {diagnosis.verdict.replace('_', ' ')}{since}: {diagnosis.message}."]
    if beside.stop:
        said += [f"Stopped at check {beside.stop}."]
    return " ".join(said)


def _range(side: str, first: float, last: float, more: str = "") -> list[str]:
    ends = [wording.number(loss) for loss in (first, last)]
    known = math.isfinite(first) and math.isfinite(last)
    return [f"{side} loss: first {ends[0]}, last {ends[1]}{more}."] if known or more else []


def plain(value: float) -> float | str | None:
    """Turn a number into one that strict JSON holds; what is not finite is named.

    Example:
        >>> plain(0.5), plain(float("nan")), plain(float("-inf"))
        (0.5, None, '-Infinity')
    """
    if math.isfinite(value):
        return value
    return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _columns(checks: Iterable[Observation]) -> dict[str, list[Any]]:
    rows = [_row(seen) for seen in checks]
    names = rows[0] if rows else {}
    columns = {name: [row[name] for row in rows] for name in names}
    return {name: values for name, values in columns.items() if any(v is not None for v in values)}


def _row(seen: Observation) -> dict[str, Any]:
    gap = seen.measured_gap
    numbers = {
        "seconds": seen.seconds,
        "online": seen.train,
        "train": gap.train_fair,
        "probe": seen.probe,
        "val": seen.val,
        "val_stderr": seen.val_stderr,
        "gap": gap.absolute,
        "gap_low": gap.low,
        "gap_high": gap.high,
        "gap_stderr": gap.stderr,
        "lr": seen.lr,
    }
    counted = {"check": seen.check, "epoch": seen.epoch, "step": seen.step, "basis": gap.basis}
    return counted | {name: plain(value) for name, value in numbers.items()}


def _told(seen: Observation | None) -> RunDocument | None:
    return None if seen is None else _row(seen)


def _verdict(diagnosis: Diagnosis) -> RunDocument:
    return dict(_plainly(asdict(diagnosis)))


def _outlook(seen: Outlook) -> RunDocument | None:
    return None if seen.reason else {"message": str(seen), **_plainly(asdict(seen))}


def _plainly(value: Any) -> Any:  # noqa: ANN401 - whatever dataclasses hold
    if isinstance(value, float):
        return plain(value)
    if isinstance(value, Mapping):
        return {str(name): _plainly(part) for name, part in value.items()}
    return [*map(_plainly, value)] if isinstance(value, (list, tuple)) else value


def _lr_changes(history: History) -> list[int]:
    """List the checks by which the learning rate had jumped; none where it jumps all the time."""
    rates = [(seen.check, seen.lr) for seen in history if 0 < seen.lr < math.inf]
    jumps = [
        check for (_, before), (check, lr) in pairwise(rates) if _ratio(before, lr) >= LR_JUMP
    ]
    return jumps if len(jumps) <= MOST_LR_MARKS else []


def _ratio(one: float, other: float) -> float:
    return max(one, other) / min(one, other)


def _thinned(history: History, marked: set[int | None]) -> list[int]:
    """Pick the checks to draw: at even distances, with the ends and all that are marked."""
    count = len(history)
    stride = math.ceil(count / MOST_CHECKS) or 1
    ends = {0, count - 1}
    return [i for i in range(count) if i % stride == 0 or i in ends or history[i].check in marked]
