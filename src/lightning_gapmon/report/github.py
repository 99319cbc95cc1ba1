"""What came of a gate as GitHub shows it: annotations, and a summary of the job in Markdown."""

import math
from collections.abc import Iterator

from lightning_gapmon.analysis.gate.findings import FINDINGS
from lightning_gapmon.analysis.gate.result import GateResult, Judged, Result, RunResult, Status
from lightning_gapmon.analysis.wording import count, difference, number
from lightning_gapmon.report import mermaid, safe

COMMAND = {"failed": "error", "warned": "warning"}
MARK = {"failed": "❌", "warned": "⚠️", "passed": "✅", "skipped": "⏭️"}
SAID = {0: "✅ passed", 1: "❌ failed", 2: "⏭️ nothing could be judged"}
ORDER: tuple[Status, ...] = ("failed", "warned", "passed")
CHARTS = 6  # in a summary: GitHub keeps 1 MiB of it, and draws no more than a few


def annotations(outcome: GateResult) -> list[str]:
    """Write a workflow command for each finding.

    Example:
        >>> from lightning_gapmon import History, diagnose
        >>> from lightning_gapmon.analysis.gate.gate import gate
        >>> from lightning_gapmon.analysis.gate.policy import Policy
        >>> history = History.from_curves(train=[0.5], val=[0.6])
        >>> run = Judged(name="a", history=history, diagnosis=diagnose(history))
        >>> for line in annotations(gate([run], Policy(max_val=0.5))):
        ...     print(line)
        ::warning title=gapmon undecided::a: too early to tell after 1 check
        ::error title=gapmon max_val::a: best validation loss 0.6000 at check 1, above 0.5
    """
    return [
        f"::{COMMAND[result.status]} title={safe.command_property(f'gapmon {result.finding}')}::"
        f"{safe.command(f'{run.name}: ' if run else '')}{safe.command(result.message)}"
        for run, result in outcome.everything
        if result.status in COMMAND
    ]


def summary(outcome: GateResult) -> str:
    """Write the summary of a job, or a comment: a table of runs, findings, charts, every check.

    Example:
        >>> print(summary(GateResult()).splitlines()[0])
        ## gapmon: ⏭️ nothing could be judged
    """
    return "\n\n".join(_parts(outcome)) + "\n"


def _parts(outcome: GateResult) -> Iterator[str]:
    counts = outcome.counts
    yield f"## gapmon: {SAID[outcome.code]}"
    yield (
        f"{count(len(outcome.runs), 'run')}; checks: {counts['failed']} failed, "
        f"{counts['warned']} warned, {counts['passed']} passed, {counts['skipped']} skipped."
    )
    if outcome.runs:
        yield _table(outcome)
    found = [pair for pair in outcome.everything if pair[1].status in COMMAND]
    if found:
        yield "\n".join(_finding(run, result) for run, result in found)
    if outcome.unread:
        yield "Not judged:"
        yield "\n".join(
            f"- {safe.code(one.name)}: {safe.markdown(one.reason)}" for one in outcome.unread
        )
    yield from _charts(outcome)
    yield _every_check(outcome)


def _table(outcome: GateResult) -> str:
    rows = ["| | run | verdict | checks | best val | at check | gap there |"]
    rows.append("|---|---|---|---:|---:|---:|---:|")
    rows += [_row(one) for one in outcome.runs]
    return "\n".join(rows)


def _row(one: RunResult) -> str:
    run = one.run
    best = run.history.best
    cells = [
        MARK[_worst(one)],
        safe.code(run.name),
        safe.markdown(run.diagnosis.verdict.replace("_", " ")),
        str(len(run.history)),
        number(best.val) if best else "",
        str(best.check) if best else "",
        difference(best.gap) if best and math.isfinite(best.gap) else "",
    ]
    return f"| {' | '.join(cells)} |"


def _finding(run: Judged | None, result: Result) -> str:
    name = f"{safe.code(run.name)}: " if run else ""
    title = f"[{safe.markdown(result.finding)}]({FINDINGS[result.finding].address})"
    advice = run.diagnosis.remedies[:1] if run and result.check == run.diagnosis.verdict else ()
    tried = "".join(f" Try: {safe.markdown(remedy)}." for remedy in advice)
    return f"- {MARK[result.status]} {name}{title}: {safe.markdown(result.message)}.{tried}"


def _charts(outcome: GateResult) -> Iterator[str]:
    """Draw the first runs, those that failed or warned before others."""
    order = sorted(outcome.runs, key=lambda one: ORDER.index(_worst(one)))
    drawn = [(one, mermaid.chart(one.run.history, title=one.run.name)) for one in order[:CHARTS]]
    drawn = [(one, chart) for one, chart in drawn if chart]
    if drawn:
        yield "Validation loss is orange, train loss blue."
    for _, chart in drawn:
        yield f"```mermaid\n{chart}\n```"
    if len(outcome.runs) > CHARTS:
        yield f"{len(outcome.runs) - CHARTS} more runs are not drawn."


def _worst(one: RunResult) -> Status:
    statuses = {result.status for result in one.results}
    return next((status for status in ORDER if status in statuses), "passed")


def _every_check(outcome: GateResult) -> str:
    rows = ["| | run | check | what was seen |", "|---|---|---|---|"]
    rows += [
        f"| {MARK[result.status]} | {safe.code(run.name) if run else ''} | {result.check} "
        f"| {safe.markdown(result.message)} |"
        for run, result in outcome.everything
    ]
    table = "\n".join(rows)
    return f"<details><summary>Every check</summary>\n\n{table}\n\n</details>"
