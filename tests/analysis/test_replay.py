"""A rule over a finished run."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lightning_gapmon import Budget, History, Patience, Target, replay
from lightning_gapmon.analysis.replay import outcome, replay_all
from lightning_gapmon.errors import HistoryError

curves = st.lists(st.integers(-40, 40).map(float), min_size=1, max_size=30)


@given(curves, st.integers(1, 6))
@settings(max_examples=200, deadline=None)
def test_costs_are_those_of_the_prefix(val: list[float], patience: int) -> None:
    """Regret and savings follow from where the run was cut."""
    result = replay(Patience(patience), train=val, val=val)
    used = result.stopped_at or len(val)
    given_away = min(val[:used]) - min(val)

    assert result.regret == given_away
    assert result.best_at == int(np.argmin(val[:used])) + 1
    assert result.saved == pytest.approx(1 - used / len(val))
    assert result.regret_relative == pytest.approx(_share(given_away, abs(min(val))))
    assert result.regret_range == pytest.approx(_share(given_away, val[0] - min(val)))


def _share(part: float, whole: float) -> float:
    if not part:
        return 0.0
    return min(1.0, part / whole) if whole else 1.0


@pytest.mark.parametrize(
    ("given_", "found"),
    [
        ({}, "no run"),
        ({"history": History()} | {"val": [1.0]}, "a history and val"),
        ({"val": [1.0]}, "val"),
        ({"train": [1.0]}, "train"),
        ({"history": History(), "train": [1.0], "val": [1.0]}, "a history and train and val"),
    ],
)
def test_a_run_is_given_once(given_: dict[str, Any], found: str) -> None:
    """Nothing to replay, half of it and twice the same are refused, with what to write."""
    with pytest.raises(HistoryError) as error:
        replay(Patience(1), **given_)

    assert str(error.value) == (
        f"Found {found} in replay(rule, ...); expected a history or both curves: "
        "replay(rule, history), or replay(rule, train=[...], val=[...])."
    )


def test_a_plan_can_be_given_beside_a_history() -> None:
    """It takes the place of the plan that the history has, and leaves that as it was."""
    history = History.from_curves(train=[1.0] * 30, val=[1.0] * 30, planned=200)
    rule = Patience("20%")

    assert replay(rule, history).stopped_at is None
    assert replay(rule, history, planned=50).stopped_at == 11
    assert history.planned == 200


def test_several_rules_are_asked_like_one_each() -> None:
    """Asking rules together changes nothing."""
    val = [3.0, 2.0, 2.5, 2.4, 1.0, 1.1, 1.2, 1.3]
    rules = {"a": Patience(2), "b": Target(1.05), "c": Budget(), "d": Patience(3)}
    together = replay_all(rules, History.from_curves(train=val, val=val, planned=8))

    for name, rule in rules.items():
        assert together[name] == replay(rule, train=val, val=val, planned=8)


def test_rule_that_never_fires_saves_nothing() -> None:
    """Where a rule never stops the run, nothing is saved and nothing lost."""
    result = replay(Target(-1.0), train=[1.0, 0.5], val=[1.0, 0.5])

    assert (result.stopped_at, result.reason, result.saved, result.regret) == (None, None, 0, 0)


def test_empty_run() -> None:
    """A run without a check has no best and no regret."""
    result = replay(Patience(2), train=[], val=[])

    assert (result.stopped_at, result.best_at, result.saved) == (None, None, 0.0)
    assert math.isnan(result.regret)
    assert math.isnan(result.regret_relative)


def test_run_without_a_finite_loss() -> None:
    """Where no loss is finite there is nothing to regret."""
    run = History.from_curves(train=[1.0] * 3, val=[math.nan] * 3)

    assert math.isnan(outcome(run, 2).regret_range)
