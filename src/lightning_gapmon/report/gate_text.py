"""What came of a gate in lines of plain text, each with the status that may colour it."""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from lightning_gapmon.analysis.gate.result import GateResult, Result, RunResult
from lightning_gapmon.analysis.wording import count, number
from lightning_gapmon.report import safe

WORD = {"failed": "FAIL", "warned": "warn", "passed": "ok", "skipped": "skip"}


class Line(NamedTuple):
    """A line of text.

    Attributes:
        status: What it tells of, or "".
        text: The line.
    """

    status: str
    text: str


def lines(outcome: GateResult) -> Iterator[Line]:
    """Write every run with its findings, what passed, and what was skipped and why.

    Example:
        >>> from lightning_gapmon import History, diagnose
        >>> from lightning_gapmon.analysis.gate.gate import gate
        >>> from lightning_gapmon.analysis.gate.policy import Policy
        >>> from lightning_gapmon.analysis.gate.result import Judged
        >>> history = History.from_curves(train=[0.5] * 3, val=[0.6, 0.5, float("nan")])
        >>> run = Judged(name="a", history=history, diagnosis=diagnose(history))
        >>> for line in lines(gate([run], Policy(max_val=0.7))):
        ...     print(line.text)
        a: 3 checks, best validation loss 0.5000 at check 2
          FAIL  non_finite: validation loss is nan since check 3
          ok    max_val
          skip  leakage_suspected, overfitting, ...: a run has one verdict, and it is non_finite
          skip  max_gap: no --max-gap was given
          skip  min_checks: no --min-checks was given
        all runs:
          ok    unreadable
          skip  baseline: no --baseline was given
        failed: 1 check of 1 run failed, 0 warned, 2 passed, 9 skipped
    """
    for one in outcome.runs:
        yield Line("", _heading(one))
        yield from _results(one.results)
    if outcome.whole and outcome.runs:
        yield Line("", "all runs:")
        yield from _results(outcome.whole)
    for log in outcome.unread:
        yield Line("skipped", f"not judged: {safe.shown(log.name)}: {safe.shown(log.reason)}")
    yield _end(outcome)


def _heading(one: RunResult) -> str:
    run, best = one.run, one.run.history.best
    lowest = f", best validation loss {number(best.val)} at check {best.check}" if best else ""
    return f"{safe.shown(run.name)}: {count(len(run.history), 'check')}{lowest}"


def _results(results: tuple[Result, ...]) -> Iterator[Line]:
    """Give findings a line each; what passed shares one, and so does what was skipped alike."""
    for status in ("failed", "warned"):
        for result in results:
            if result.status == status:
                yield _line(status, f"{result.finding}: {safe.shown(result.message)}")
    passed = [result.check for result in results if result.status == "passed"]
    if passed:
        yield _line("passed", ", ".join(passed))
    skipped = [result for result in results if result.status == "skipped"]
    for reason, alike in groupby(skipped, key=lambda result: result.message):
        names = ", ".join(result.check for result in alike)
        yield _line("skipped", f"{names}: {safe.shown(reason)}")


def _line(status: str, text: str) -> Line:
    return Line(status, f"  {WORD[status]:<5} {text}")


def _end(outcome: GateResult) -> Line:
    if not outcome.runs:
        return Line("failed", "nothing could be judged")
    counts = outcome.counts
    said = "failed" if outcome.code else "passed"
    amount = count(counts["failed"], "check")
    return Line(
        "failed" if outcome.code else "passed",
        f"{said}: {amount} of {count(len(outcome.runs), 'run')} failed, "
        f"{counts['warned']} warned, {counts['passed']} passed, {counts['skipped']} skipped",
    )
