"""Many runs as rows, for tables of all kinds and for programs."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.outlook.outlook import Outlook, in_words
from lightning_gapmon.analysis.wording import difference, number, with_interval
from lightning_gapmon.report import safe
from lightning_gapmon.report.gate_json import known
from lightning_gapmon.report.sparkline import sparkline

FORMAT, VERSION = "gapmon.report", 1
WIDTH, NARROW = 12, 8  # of the line that draws a loss
COLUMNS = {
    "run": "left",
    "verdict": "left",
    "checks": "right",
    "best val": "right",
    "at": "right",
    "gap there": "right",
    "outlook": "right",
    "val loss": "left",
}


@dataclass(frozen=True, kw_only=True)
class Named:
    """A run and what to call it.

    Attributes:
        name: Its name.
        outcome: All that is known of it.
    """

    name: str
    outcome: Outcome

    @property
    def outlook(self) -> Outlook:
        """What is still to be expected of it."""
        return self.outcome.outlook


def cells(run: Named, *, plain: bool = False, short: bool = False) -> list[str]:
    """Write a run as the cells of its row.

    Args:
        run: The run.
        plain: Draw with ASCII only.
        short: Leave out the interval of the gap and draw less, where there is little room.

    Example:
        >>> from lightning_gapmon import History, diagnose
        >>> history = History.from_curves(train=[2.0, 1.0], val=[2.0, 1.5], planned=9)
        >>> cells(Named(name="a", outcome=Outcome(history=history, diagnosis=diagnose(history))))
        ['a', 'undecided', '2 of 9', '1.500', '2', '+0.5000', '-', '█▁']
    """
    history, diagnosis = run.outcome.history, run.outcome.diagnosis
    best = history.best
    planned = f" of {history.planned}" if history.planned else ""
    return [
        run.name,
        diagnosis.verdict.replace("_", " ") + (f" ({diagnosis.form})" if diagnosis.form else ""),
        f"{len(history)}{planned}",
        number(best.val) if best else "-",
        str(best.check) if best else "-",
        _gap(run, short=short),
        "-" if run.outlook.reason else in_words(run.outlook.chance),
        sparkline(history.val, width=NARROW if short else WIDTH, plain=plain),
    ]


def _gap(run: Named, *, short: bool) -> str:
    best = run.outcome.history.best
    if best is None or not math.isfinite(best.gap):
        return "-"
    gap = best.measured_gap
    if short:
        return difference(gap.absolute, stderr=gap.stderr)
    return with_interval(gap.absolute, low=gap.low, high=gap.high, stderr=gap.stderr)


def markdown(runs: list[Named]) -> str:
    """Write a table in Markdown, and below it what is said of each run.

    Example:
        >>> from lightning_gapmon import History, diagnose
        >>> history = History.from_curves(train=[2.0, 1.0], val=[2.0, 1.5])
        >>> outcome = Outcome(history=history, diagnosis=diagnose(history))
        >>> print(markdown([Named(name="a", outcome=outcome)]))
        | run | verdict | checks | best val | at | gap there | outlook | val loss |
        |---|---|---:|---:|---:|---:|---:|---|
        | `a` | undecided | 2 | 1.500 | 2 | +0.5000 | - | `█▁` |
        <BLANKLINE>
        - `a`: undecided: too early to tell after 2 checks
        <BLANKLINE>
    """
    lines = [
        f"| {' | '.join(COLUMNS)} |",
        f"|{'|'.join('---:' if side == 'right' else '---' for side in COLUMNS.values())}|",
    ]
    for run in runs:
        name, *middle, drawn = cells(run)
        row = [safe.code(name), *map(safe.markdown, middle), safe.code(drawn)]
        lines.append(f"| {' | '.join(row)} |")
    said = [f"- {safe.code(run.name)}: {safe.markdown(verdict(run))}" for run in runs]
    return "\n".join([*lines, "", *said]) + "\n"


def verdict(run: Named) -> str:
    """Say a run's verdict, and its outlook where there is one, in a line."""
    diagnosis, told = run.outcome.diagnosis, run.outlook
    ahead = "" if told.reason else f"; {told}"
    return f"{diagnosis.verdict.replace('_', ' ')}: {diagnosis.message}{ahead}"


def plain(run: Named) -> dict[str, Any]:
    """Turn a run into what JSON can hold; a number that is not finite is null."""
    outcome = run.outcome
    history, diagnosis, best = outcome.history, outcome.diagnosis, outcome.history.best
    gap = best.measured_gap if best else None
    return {
        "name": run.name,
        "checks": len(history),
        "planned": history.planned,
        "verdict": diagnosis.verdict,
        "form": diagnosis.form,
        "severity": diagnosis.severity,
        "message": diagnosis.message,
        "since": diagnosis.since,
        "remedies": [*diagnosis.remedies],
        "outlook": {
            name: known(value) if isinstance(value, float) else value
            for name, value in asdict(run.outlook).items()
        },
        "best": None
        if best is None or gap is None
        else {
            "check": best.check,
            "epoch": best.epoch,
            "step": best.step,
            "val": best.val,
            "train": known(best.train_fair),
            "gap": known(gap.absolute),
            "gap_relative": known(gap.relative),
            "gap_low": known(gap.low),
            "gap_high": known(gap.high),
            "basis": gap.basis,
        },
        "last": known(history[-1].val) if history else None,
        "stopped_by": str(outcome.stop_reason) if outcome.stop_reason else "",
        "interrupted_by": outcome.interrupted_by,
        "best_path": outcome.best_path,
    }
