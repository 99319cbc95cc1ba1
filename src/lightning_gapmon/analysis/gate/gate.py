"""The gate: runs, judged and measured by a policy, each check with what came of it."""

import math
from collections.abc import Iterable, Iterator, Sequence

from lightning_gapmon.analysis.compare.compare import Comparison, compare
from lightning_gapmon.analysis.compare.group import Group
from lightning_gapmon.analysis.gate.findings import FINDINGS, HEALTHY, found_by
from lightning_gapmon.analysis.gate.policy import Policy
from lightning_gapmon.analysis.gate.result import (
    GateResult,
    Judged,
    Result,
    RunResult,
    Status,
    Unread,
)
from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.study import Run
from lightning_gapmon.analysis.wording import count, difference, given, number, percent

LIMITS = ("max_val", "max_gap", "min_checks")
VERDICT_CHECKS = (
    "non_finite",
    "leakage_suspected",
    "overfitting",
    "diverging",
    "underfitting",
    "plateau",
    "undecided",
)
STATUS: dict[str, Status] = {"fail": "failed", "warn": "warned", "pass": "passed"}


def gate(
    runs: Sequence[Judged],
    policy: Policy,
    *,
    baseline: Sequence[Run] | None = None,
    unread: Iterable[Unread] = (),
) -> GateResult:
    """Ask every check of every run.

    Args:
        runs: The runs with their verdicts; one without a check that measured a validation loss
            is listed with the logs of which nothing can be judged.
        policy: What fails and what warns.
        baseline: Runs of before, which the runs may not be worse than; None where there is none
            to compare with. Both sides are compared as wholes, or group by group where runs of
            both belong to groups of one name.
        unread: Logs of which nothing can be judged.

    Example:
        >>> from lightning_gapmon import History, diagnose
        >>> history = History.from_curves(train=[0.8, 0.4, 0.1], val=[0.9, 0.7, float("nan")])
        >>> run = Judged(name="a", history=history, diagnosis=diagnose(history))
        >>> outcome = gate([run], Policy(min_checks=3))
        >>> outcome.code, outcome.counts["failed"]
        (1, 1)
        >>> next(result.check for _, result in outcome.everything if result.status == "failed")
        'non_finite'
    """
    known = [run for run in runs if _measured(run.history)]
    judged = tuple(
        RunResult(run=run, results=(*_verdict(run, policy), *_limits(run, policy)))
        for run in known
    )
    empty = (
        Unread(name=run.name, reason="no check measured a validation loss", broken=False)
        for run in runs
        if not _measured(run.history)
    )
    skipped = (*unread, *empty)
    whole = (*_baseline(known, baseline, policy), *_readable(skipped, policy))
    return GateResult(runs=judged, whole=whole, unread=skipped)


def _measured(history: History) -> bool:
    return history.best is not None or (len(history) > 0 and history[-1].val_n != 0)


def _result(check: str, status: Status, message: str, *, finding: str = "") -> Result:
    return Result(check=check, finding=finding or check, status=status, message=message)


def _found(finding: str, policy: Policy, message: str) -> Result:
    status = STATUS[policy.level(finding)]
    return _result(FINDINGS[finding].check, status, message, finding=finding)


def _verdict(run: Judged, policy: Policy) -> Iterator[Result]:
    """Say for each verdict whether it was given, ruled out, or never asked for."""
    diagnosis = run.diagnosis
    found = found_by(diagnosis)
    verdict = FINDINGS[found].check
    for check in VERDICT_CHECKS:
        if check != verdict:
            yield _not_given(check, verdict)
        else:
            yield _found(found, policy, diagnosis.message)
    if verdict in HEALTHY:
        told = policy.level(found) if diagnosis.severity == "info" else _graver(found, policy)
        yield _result(verdict, STATUS[told], diagnosis.message)


def _not_given(check: str, verdict: str) -> Result:
    """Tell a verdict that was ruled out from one that was not asked for."""
    answered = check in {"non_finite", "undecided"} and verdict != "non_finite"
    if verdict in HEALTHY or answered:
        return _result(check, "passed", f"not so: {verdict.replace('_', ' ')}")
    return _result(check, "skipped", f"a run has one verdict, and it is {verdict}")


def _graver(found: str, policy: Policy) -> str:
    """A healthy verdict that is qualified, by samples on both sides say, warns at least."""
    level = policy.level(found)
    return "warn" if level == "pass" else level


def _limits(run: Judged, policy: Policy) -> Iterator[Result]:
    best = run.history.best
    for check in LIMITS:
        limit = getattr(policy, check)
        if limit is None:
            yield _result(check, "skipped", f"no --{check.replace('_', '-')} was given")
        elif check == "min_checks":
            yield _min_checks(len(run.history), limit, policy)
        elif best is None:
            yield _result(check, "skipped", "no validation loss is finite")
        elif check == "max_val":
            yield _max_val(best, limit, policy)
        else:
            yield _max_gap(best, limit, policy)


def _min_checks(checks: int, limit: int, policy: Policy) -> Result:
    message = f"{count(checks, 'check')}, at least {limit} expected"
    if checks < limit:
        return _found("min_checks", policy, message)
    return _result("min_checks", "passed", message)


def _max_val(best: Observation, limit: float, policy: Policy) -> Result:
    side = "above" if best.val > limit else "not above"
    message = (
        f"best validation loss {number(best.val)} at check {best.check}, {side} {given(limit)}"
    )
    if best.val > limit:
        return _found("max_val", policy, message)
    return _result("max_val", "passed", message)


def _max_gap(best: Observation, limit: float, policy: Policy) -> Result:
    gap = best.measured_gap
    if math.isnan(gap.relative):
        reason = (
            "no train loss" if math.isnan(gap.train_fair) else "it exists for positive losses only"
        )
        return _result("max_gap", "skipped", f"no relative gap at check {best.check}: {reason}")
    side = "above" if gap.relative > limit else "not above"
    message = (
        f"relative gap {number(gap.relative)} at the best check, {best.check} (by {gap.basis}), "
        f"{side} {given(limit)}"
    )
    if gap.relative > limit:
        return _found("max_gap", policy, message)
    return _result("max_gap", "passed", message)


def _readable(unread: Sequence[Unread], policy: Policy) -> Iterator[Result]:
    broken = [one for one in unread if one.broken]
    if not broken:
        yield _result("unreadable", "passed", "every log that was found could be read")
    for one in broken:
        yield _found("unreadable", policy, f"{one.name}: {one.reason}")


def _baseline(
    runs: Sequence[Judged], baseline: Sequence[Run] | None, policy: Policy
) -> Iterator[Result]:
    if baseline is None:
        yield _result("baseline", "skipped", "no --baseline was given")
        return
    if not (runs and baseline):
        yield _result("baseline", "skipped", "there is no run on one of the sides")
        return
    now = [Run(name=run.name, history=run.history, group=run.group) for run in runs]
    shared = {run.group for run in baseline} & {run.group for run in now} - {""}
    pairs = [_pair(baseline, now, label) for label in sorted(shared)] or [_pair(baseline, now)]
    for old, new in pairs:
        yield _compared(compare(old, new, comparisons=len(pairs)), policy)
    for label in sorted({run.group for run in (*now, *baseline)} - shared) if shared else ():
        yield _result("baseline", "skipped", f"{label or 'what has no group'}: on one side only")


def _pair(baseline: Sequence[Run], now: Sequence[Run], label: str = "") -> tuple[Group, Group]:
    """Take the runs of one group from both sides; of all groups, where none is named."""
    old, new = (
        tuple(run for run in side if not label or run.group == label) for side in (baseline, now)
    )
    return Group(label=f"{label} before".strip(), runs=old), Group(label=label or "now", runs=new)


def _compared(found: Comparison, policy: Policy) -> Result:
    old, new = found.reference, found.other
    if found.basis == "nothing":
        return _result("baseline", "skipped", f"{new.label}: {found.reason}")
    share = f" ({percent(found.difference / old.mean)})" if old.mean > 0 and new.mean > 0 else ""
    message = (
        f"{new.label}: best validation loss {number(new.mean)} against {number(old.mean)}, "
        f"{difference(found.difference)}{share}, [{difference(found.low)}, "
        f"{difference(found.high)}] at 90 %: {_in_words(found)}"
    )
    if found.answer == "worse":
        return _found("baseline", policy, message)
    return _result("baseline", "passed", message)


def _in_words(found: Comparison) -> str:
    said = {
        "better": "better",
        "worse": "worse by more than noise",
        "cannot tell": "no worse by more than noise",
    }[found.answer]
    return f"{said}; {found.reason}" if found.reason else said
