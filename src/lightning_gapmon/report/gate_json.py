"""What came of a gate, for programs: strict JSON with a version."""

import math
from typing import Any, get_args

from lightning_gapmon.analysis.gate.findings import FINDINGS
from lightning_gapmon.analysis.gate.result import GateResult, Judged, Result, RunResult, Status

FORMAT, VERSION = "gapmon.check", 1


def plain(outcome: GateResult) -> dict[str, Any]:
    """Turn what came of a gate into what JSON can hold; a number that is not finite is null.

    Example:
        >>> plain(GateResult())["code"], plain(GateResult())["counts"]
        (2, {'passed': 0, 'warned': 0, 'failed': 0, 'skipped': 0})
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "code": outcome.code,
        "counts": {status: outcome.counts[status] for status in get_args(Status)},
        "runs": [_run(one) for one in outcome.runs],
        "whole": [_result(result) for result in outcome.whole],
        "unread": [
            {"name": one.name, "reason": one.reason, "broken": one.broken}
            for one in outcome.unread
        ],
    }


def _run(one: RunResult) -> dict[str, Any]:
    run, diagnosis = one.run, one.run.diagnosis
    return {
        "name": run.name,
        "path": run.path,
        "group": run.group,
        "checks": len(run.history),
        "planned": run.history.planned,
        "verdict": diagnosis.verdict,
        "form": diagnosis.form,
        "severity": diagnosis.severity,
        "message": diagnosis.message,
        "since": diagnosis.since,
        "remedies": [*diagnosis.remedies],
        "best": best(run),
        "results": [_result(result) for result in one.results],
    }


def best(run: Judged) -> dict[str, Any] | None:
    """Give the best check in numbers; None where no validation loss is finite."""
    seen = run.history.best
    if seen is None:
        return None
    gap = seen.measured_gap
    return {
        "check": seen.check,
        "epoch": seen.epoch,
        "step": seen.step,
        "val": seen.val,
        "train_fair": known(gap.train_fair),
        "gap": known(gap.absolute),
        "gap_relative": known(gap.relative),
        "basis": gap.basis,
    }


def known(value: float) -> float | None:
    """Turn what is not finite into None."""
    return value if math.isfinite(value) else None


def _result(result: Result) -> dict[str, Any]:
    return {
        "check": result.check,
        "finding": result.finding,
        "status": result.status,
        "message": result.message,
        "help": FINDINGS[result.finding].address if result.finding in FINDINGS else "",
    }
