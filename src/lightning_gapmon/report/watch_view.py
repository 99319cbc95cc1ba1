"""Runs that go on, as a screenful of text: the newest drawn, the others in a list."""

import math
import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.wording import count, duration, number
from lightning_gapmon.report import chart, glyphs, safe
from lightning_gapmon.report.sparkline import sparkline
from lightning_gapmon.report.styled import Styled

LAST = 10  # checks that tell how long one takes
CHART_ROWS, LEAST_ROWS, LABEL = 12, 5, 9
LISTED = 6  # a screen's height by that is how many others are listed
NAME, LIST_SPARK = 24, 12


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A run that may be going on.

    Attributes:
        name: What to call it.
        outcome: All that is known of it.
        written: When its log was last written to, in seconds since 1970.
    """

    name: str
    outcome: Outcome
    written: float


def frame(
    runs: Sequence[Watched], *, width: int, height: int, now: float, plain: bool = False
) -> list[Styled]:
    """Lay runs out for a screen.

    Args:
        runs: The runs, the one written to last first.
        width: Columns of the screen.
        height: Rows of the screen.
        now: The time, in seconds since 1970.
        plain: Draw with ASCII only.

    Returns:
        At most so many lines, each within the width.
    """
    clock = time.strftime("%H:%M:%S", time.localtime(now))
    lines = [
        Styled.of((f"gapmon watch, {clock}; Ctrl-C ends this view, not the run", glyphs.FAINT))
    ]
    if not runs:
        lines.append(Styled.of(("waiting for a log with a validation loss ...", "")))
    else:
        others = runs[1 : 1 + max(1, height // LISTED)]
        room = height - len(lines) - len(others) - 1
        lines += _one(runs[0], width=width, rows=room, now=now, plain=plain)
        lines += [_listed(run, now=now, plain=plain) for run in others]
        more = len(runs) - 1 - len(others)
        lines += [Styled.of((f"and {count(more, 'more run')}", glyphs.FAINT))] if more else []
    return [_within(line, width) for line in lines[:height]]


def _one(run: Watched, *, width: int, rows: int, now: float, plain: bool) -> Iterator[Styled]:
    said = [*_said(run, width=width, now=now)]
    yield Styled.of((safe.shown(run.name), "bold"))
    drawn = min(CHART_ROWS, rows - len(said) - 4)
    if drawn >= LEAST_ROWS:
        yield from chart.draw(run.outcome.history, width=width, rows=drawn, plain=plain)
        yield Styled()
    yield from said


def _said(run: Watched, *, width: int, now: float) -> Iterator[Styled]:
    history, diagnosis = run.outcome.history, run.outcome.diagnosis
    last, best = history[-1], history.best
    planned = f" of {history.planned}" if history.planned else ""
    at = [f"check {last.check}{planned}", f"epoch {last.epoch}", f"step {last.step}"]
    at += [f"written {duration(max(0.0, now - run.written))} ago"]
    yield from _labelled("now", ", ".join(at), width)
    yield from _labelled("time", _time(run.outcome), width)
    loss = f"val {number(last.val)}, train {number(last.train_fair)}"
    lowest = f"; best val {number(best.val)} at check {best.check}" if best else ""
    yield from _labelled("loss", loss + lowest, width)
    verdict = f"{diagnosis.verdict.replace('_', ' ')}: {diagnosis.message}"
    yield from _labelled(
        "verdict", safe.shown(verdict), width, style=glyphs.SEVERITY[diagnosis.severity]
    )
    if diagnosis.remedies:
        yield from _labelled("try", safe.shown(diagnosis.remedies[0]), width)
    yield from _labelled("outlook", str(run.outcome.outlook).removeprefix("no outlook: "), width)
    if run.outcome.stop_reason:
        stopped = safe.shown(str(run.outcome.stop_reason))
        yield from _labelled("stopped", stopped, width)


def _labelled(label: str, text: str, width: int, *, style: str = "bold") -> Iterator[Styled]:
    """Set a sentence beside its label, broken at spaces."""
    import textwrap  # noqa: PLC0415 - slow to load, and only views need it

    room = max(LABEL, width - LABEL)
    for n, part in enumerate(textwrap.wrap(text, room) if text else ()):
        yield Styled.of((f"{'' if n else label:<{LABEL}}", style), (part, ""))


def time_left(history: History) -> float:
    """Give the seconds until the plan is through, at the pace of the last checks.

    Example:
        >>> from lightning_gapmon import Observation
        >>> seen = [Observation(check=i, epoch=i, step=i, seconds=10.0 * i) for i in range(1, 4)]
        >>> time_left(History(seen, planned=5)), time_left(History(seen))
        (20.0, nan)
    """
    if history.planned is None:
        return math.nan
    return max(0, history.planned - history[-1].check) * _pace(history)


def _pace(history: History) -> float:
    """Median seconds of a check; NaN where times are not known."""
    known = [seen for seen in history[-LAST - 1 :] if math.isfinite(seen.seconds)]
    steps = [
        (after.seconds - before.seconds) / (after.check - before.check)
        for before, after in pairwise(known)
    ]
    return median(steps) if steps else math.nan


def _time(outcome: Outcome) -> str:
    history = outcome.history
    pace, left = _pace(history), time_left(history)
    if not math.isfinite(pace):
        return "not known from this log"
    spent = duration(history[-1].seconds)
    if outcome.ended:
        return f"ended after {spent}, {duration(pace)} a check"
    said = f"{spent} so far, {duration(pace)} a check"
    if not math.isfinite(left):
        return f"{said}; how many are planned is not known"
    return f"{said}, about {duration(left)} left" if left else f"{said}; the plan is through"


def _listed(run: Watched, *, now: float, plain: bool) -> Styled:
    history, best = run.outcome.history, run.outcome.history.best
    planned = f"/{history.planned}" if history.planned else ""
    name = clipped(safe.shown(run.name), NAME, front=True)
    drawn = sparkline(history.val, width=LIST_SPARK, plain=plain)
    lowest = number(best.val) if best else "-"
    ago = duration(max(0.0, now - run.written))
    verdict = run.outcome.diagnosis.verdict.replace("_", " ")
    checks = count(len(history), "check") if not planned else f"{len(history)}{planned}"
    text = (
        f"{padded(name, NAME)} {checks:>9} {lowest:>9} {drawn:<{LIST_SPARK}} {verdict}, {ago} ago"
    )
    style = glyphs.SEVERITY[run.outcome.diagnosis.severity].removeprefix("bold")
    return Styled.of((text, style.strip()))


def _within(line: Styled, width: int) -> Styled:
    """Cut a line to the width of a screen."""
    kept = Styled()
    for text, style in line.pieces:
        part = clipped(text, width)
        kept.append(part, style)
        width -= sum(map(columns, part))
    return kept


def clipped(text: str, width: int, *, front: bool = False) -> str:
    """Cut a text to so many columns of a terminal, in which some characters take two or none.

    Example:
        >>> (
        ...     clipped("runs/version_0", 8),
        ...     clipped("runs/version_0", 8, front=True),
        ...     clipped("日本", 3),
        ... )
        ('runs/ver', 'ersion_0', '日')
    """
    kept, used = [], 0
    for character in reversed(text) if front else text:
        used += columns(character)
        if used > width:
            break
        kept.append(character)
    return "".join(reversed(kept) if front else kept)


def padded(text: str, width: int) -> str:
    """Fill a text up to so many columns."""
    return text + " " * max(0, width - sum(map(columns, text)))


def columns(character: str) -> int:
    """Give the columns of a terminal that a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
