"""Functions of the user that hear of a verdict."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from lightning_utilities.core.rank_zero import rank_zero_only

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.rules.rule import StopReason
from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis
from lightning_gapmon.monitor.output.verdict_calls import VerdictCalls

HISTORY = History.from_curves(train=[1.0], val=[1.0])
RANK: Any = SimpleNamespace(is_global_zero=True)
OTHER: Any = SimpleNamespace(is_global_zero=False)
STOP = StopReason(rule="Patience(1)", message="no better", check=1)


@pytest.fixture(autouse=True)
def _rank_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be the rank that speaks, as Lightning says once it is there."""
    monkeypatch.setattr(rank_zero_only, "rank", 0, raising=False)


def _outcome(verdict: Any, form: Any = None, stop: StopReason | None = None) -> Outcome:  # noqa: ANN401
    said = Diagnosis(verdict=verdict, form=form, message="so it is")
    return Outcome(history=HISTORY, diagnosis=said, stop_reason=stop, ended=False)


def _heard() -> tuple[list[str], Any]:
    events: list[str] = []

    def hear(event: Mapping[str, Any]) -> None:
        form = f" {event['form']}" if event["form"] else ""
        events.append(f"{event['event']}: {event['verdict']}{form}")

    return events, hear


def test_each_change_the_stop_and_the_end_are_told_once() -> None:
    """What stays as it was is not told again; another form of overfitting is a change."""
    events, hear = _heard()
    calls = VerdictCalls([hear])
    rise = _outcome("overfitting", "rise")
    stopped = _outcome("overfitting", "both", STOP)
    for outcome in (_outcome("undecided"), _outcome("learning"), rise, rise, stopped, stopped):
        calls.check(RANK, outcome)
    calls.end(RANK, replace(stopped, ended=True))

    assert events == [
        "verdict: learning",
        "verdict: overfitting rise",
        "verdict: overfitting both",
        "stop: overfitting both",
        "end: overfitting both",
    ]


def test_every_function_is_called_and_none_can_end_the_fit() -> None:
    """What one raises is said with its name, once, and the next is called all the same."""
    events, hear = _heard()

    def fail(_: Mapping[str, Any]) -> None:
        msg = "no route"
        raise ValueError(msg)

    calls = VerdictCalls([fail, hear])
    with pytest.warns(UserWarning, match=r"fail, which raised ValueError: no route"):
        calls.check(RANK, _outcome("plateau"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        calls.check(RANK, _outcome("good_fit"))

    assert events == ["verdict: plateau", "verdict: good_fit"]


def test_an_interruption_is_not_caught() -> None:
    """Ctrl-C in a function is the user's, not the function's."""

    def interrupt(_: Mapping[str, Any]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        VerdictCalls([interrupt]).check(RANK, _outcome("plateau"))


def test_other_ranks_call_nothing() -> None:
    """Only global rank 0 tells."""
    events, hear = _heard()
    calls = VerdictCalls([hear])
    calls.check(OTHER, _outcome("plateau", stop=STOP))
    calls.end(OTHER, _outcome("plateau"))

    assert events == []


def test_a_fit_without_a_check_has_nothing_to_tell() -> None:
    """The end of nothing is not told."""
    events, hear = _heard()
    empty = Outcome(history=History(), diagnosis=Diagnosis(verdict="undecided", message="early"))
    VerdictCalls([hear]).end(RANK, empty)

    assert events == []
