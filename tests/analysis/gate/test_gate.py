"""The gate: every check of every run."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st
from tests import curves
from tests.judged import BROKEN, HEALTHY, OVERFIT, SHORT, drawn, judged

from lightning_gapmon.analysis.gate.gate import VERDICT_CHECKS, gate
from lightning_gapmon.analysis.gate.policy import Policy
from lightning_gapmon.analysis.gate.result import GateResult, Judged, Unread
from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.study import Run
from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis

CHECKS = (*VERDICT_CHECKS, "max_val", "max_gap", "min_checks")


def _statuses(outcome: GateResult) -> dict[str, str]:
    return {result.check: result.status for _, result in outcome.everything}


def _message(outcome: GateResult, check: str) -> str:
    return next(result.message for _, result in outcome.everything if result.check == check)


def _run(judged_run: Judged, *, group: str = "") -> Run:
    return Run(name=judged_run.name, history=judged_run.history, group=group)


def test_a_healthy_run_passes_every_check_that_was_asked() -> None:
    """All verdict checks ran; the limits that nobody set were skipped, and say so."""
    outcome = gate([HEALTHY], Policy())
    statuses = _statuses(outcome)

    assert outcome.code == 0
    assert {statuses[check] for check in VERDICT_CHECKS} == {"passed"}
    assert statuses["max_val"] == statuses["baseline"] == "skipped"
    assert _message(outcome, "max_val") == "no --max-val was given"


@pytest.mark.parametrize(
    ("run", "finding", "code"),
    [
        (OVERFIT, "overfitting:both", 1),
        (BROKEN, "non_finite", 1),
        (drawn(curves.blow_up), "diverging", 1),
        (SHORT, "undecided", 0),
        (replace(HEALTHY, diagnosis=Diagnosis(verdict="plateau", message="flat")), "plateau", 0),
    ],
)
def test_a_verdict_fails_or_warns(run: Judged, finding: str, code: int) -> None:
    """What the diagnosis says is the finding, with its words, and decides the code."""
    outcome = gate([run], Policy())
    found = [result for _, result in outcome.everything if result.status in {"failed", "warned"}]

    assert [result.finding for result in found] == [finding]
    assert found[0].message == run.diagnosis.message
    assert outcome.code == code


def test_what_a_verdict_hides_was_skipped_and_not_passed() -> None:
    """A run has one verdict: what comes after it was not asked for."""
    statuses = _statuses(gate([OVERFIT], Policy()))
    broken = _statuses(gate([BROKEN], Policy()))
    short = _statuses(gate([SHORT], Policy()))

    assert (statuses["non_finite"], statuses["diverging"]) == ("passed", "skipped")
    assert (broken["undecided"], broken["overfitting"]) == ("skipped", "skipped")
    assert (short["non_finite"], short["overfitting"]) == ("passed", "skipped")


def test_named_findings_turn_a_warning_into_a_failure_and_back() -> None:
    """`fail_on` and `warn_on` decide."""
    assert gate([SHORT], Policy(fail_on=("undecided",))).code == 1
    assert gate([OVERFIT], Policy(warn_on=("overfitting",))).code == 0


def test_the_forms_of_overfitting_are_told_apart() -> None:
    """A gap alone warns, and fails where it is named."""
    wide = Diagnosis(verdict="overfitting", form="gap", severity="warning", message="wide")
    run = replace(HEALTHY, diagnosis=wide)

    assert gate([run], Policy()).code == 0
    assert gate([run], Policy(fail_on=("overfitting:gap",))).code == 1


def test_praise_that_is_qualified_warns() -> None:
    """A good fit with samples on both sides is worth a warning, in its words."""
    shared = Diagnosis(verdict="good_fit", severity="warning", message="shared samples")
    outcome = gate([replace(HEALTHY, diagnosis=shared)], Policy())

    assert _statuses(outcome)["good_fit"] == "warned"
    assert _statuses(gate([HEALTHY], Policy(fail_on=("good_fit",))))["good_fit"] == "failed"


@pytest.mark.parametrize(
    ("limit", "above", "below"),
    [
        ("max_val", 0.49, 0.51),
        ("max_gap", 0.19, 0.21),
        ("min_checks", 6, 5),
    ],
)
def test_a_limit_is_on_the_best_check(limit: str, above: float, below: float) -> None:
    """The loss and the gap are those of the check with the lowest validation loss."""
    run = judged([0.9, 0.7, 0.6, 0.5, 0.55], [0.8, 0.6, 0.5, 0.4, 0.1])
    failed, passed = (
        _statuses(gate([run], Policy(**{limit: value})))[limit]  # type: ignore[arg-type]
        for value in (above, below)
    )

    assert (failed, passed) == ("failed", "passed")


@pytest.mark.parametrize(
    ("run", "check", "reason"),
    [
        (judged([math.nan]), "max_val", "no validation loss is finite"),
        (judged([0.5]), "max_gap", "no relative gap at check 1: no train loss"),
        (judged([-0.5], [-0.6]), "max_gap", "it exists for positive losses only"),
    ],
)
def test_a_limit_that_cannot_be_measured_is_skipped(run: Judged, check: str, reason: str) -> None:
    """A number that is not there is never compared."""
    outcome = gate([run], Policy(max_val=1.0, max_gap=0.5))

    assert _statuses(outcome)[check] == "skipped"
    assert reason in _message(outcome, check)


def test_logs_that_cannot_be_read_are_listed_and_fail_only_if_strict() -> None:
    """Beside readable runs they warn; alone, nothing could be judged."""
    unread = [Unread(name="bad.csv", reason="no CSV"), Unread(name="e", reason="x", broken=False)]

    assert gate([HEALTHY], Policy(), unread=unread).code == 0
    assert gate([HEALTHY], Policy(strict=True), unread=unread).code == 1
    assert gate([HEALTHY], Policy(strict=True), unread=unread[1:]).code == 0
    assert gate([], Policy(), unread=unread).code == 2
    outcome = gate([HEALTHY], Policy(), unread=unread)
    assert _message(outcome, "unreadable") == "bad.csv: no CSV"


def test_a_run_without_a_validation_loss_is_not_judged() -> None:
    """A run of no checks passes nothing: it is listed, and alone gives code 2."""
    empty = judged([], name="empty")

    assert gate([empty], Policy()).code == 2
    outcome = gate([empty, HEALTHY], Policy(strict=True))
    assert (outcome.code, outcome.unread[0].name) == (0, "empty")
    assert outcome.unread[0].reason == "no check measured a validation loss"


def _seeds(level: float, *, group: str = "") -> list[Judged]:
    losses = (level, level + 0.01, level - 0.01, level + 0.005)
    return [judged([1.0, loss], [1.0, loss], name=f"{loss}", group=group) for loss in losses]


def test_worse_than_before_beyond_noise_fails() -> None:
    """Seeds that are clearly worse fail, seeds that are as good pass, and both say by how much."""
    before = [_run(run) for run in _seeds(0.50)]
    worse, alike = (gate(_seeds(level), Policy(), baseline=before) for level in (0.60, 0.505))

    assert (worse.code, alike.code) == (1, 0)
    assert "0.6012 against 0.5012, +0.1000 (20 %)" in _message(worse, "baseline")
    assert "worse by more than noise" in _message(worse, "baseline")
    assert "no worse by more than noise" in _message(alike, "baseline")


def test_groups_are_compared_with_their_own_past() -> None:
    """Groups of one name are paired; one that is on one side only is skipped."""
    now = [*_seeds(0.50, group="a"), *_seeds(0.9, group="b"), *_seeds(0.1, group="new")]
    before = [_run(r, group="a") for r in _seeds(0.5)] + [_run(r, group="b") for r in _seeds(0.5)]
    results = [
        (result.status, result.message.partition(":")[0])
        for result in gate(now, Policy(), baseline=before).whole
        if result.check == "baseline"
    ]

    assert results == [("passed", "a"), ("failed", "b"), ("skipped", "new")]


@pytest.mark.parametrize(
    ("runs", "baseline", "reason"),
    [
        ([SHORT], [], "no run on one of the sides"),
        ([SHORT], [_run(SHORT)], "fewer than five checks shows no noise"),
        ([SHORT], [Run(name="x", history=History())], "have no finite loss"),
    ],
)
def test_a_baseline_that_says_nothing_is_skipped(
    runs: list[Judged], baseline: list[Run], reason: str
) -> None:
    """Where noise cannot be measured, nothing is called worse."""
    outcome = gate(runs, Policy(), baseline=baseline)

    assert _statuses(outcome)["baseline"] == "skipped"
    assert reason in _message(outcome, "baseline")


@given(
    st.lists(st.floats(), min_size=1, max_size=8),
    st.builds(
        Policy,
        max_val=st.none() | st.floats(-10, 10),
        max_gap=st.none() | st.floats(-1, 1),
        min_checks=st.none() | st.integers(1, 9),
    ),
)
def test_every_check_of_every_run_is_listed_once(val: list[float], policy: Policy) -> None:
    """Whatever the losses and the limits: each check has one result, with a reason in words."""
    outcome = gate([judged(val, [*reversed(val)])], policy)
    results = outcome.runs[0].results

    assert [r.check for r in results if r.check not in {"good_fit", "learning"}] == [*CHECKS]
    assert all(result.message for result in results)
    assert (outcome.code == 1) == ("failed" in _statuses(outcome).values())
