"""What is told of the rest of a run, and what is not."""

import dataclasses
import math
import random

import pytest
from hypothesis import given, settings, strategies as st

from lightning_gapmon import History, Observation, outlook
from lightning_gapmon.errors import ConfigurationError

losses = st.lists(st.integers(1, 400).map(lambda n: n / 8), min_size=4, max_size=30)
NOTHING = ("chance", "final", "final_low", "final_high", "half_in")


def _falling(checks: int, *, planned: int | None) -> History:
    val = [1 + 3 * math.exp(-i / 20) for i in range(checks)]
    return History.from_curves(train=val, val=val, planned=planned)


def _overfit(checks: int, *, planned: int | None) -> History:
    val = [1 + math.exp(-i / 3) + 0.04 * max(0, i - 10) for i in range(checks)]
    train = [2 * math.exp(-i / 10) for i in range(checks)]
    return History.from_curves(train=train, val=val, planned=planned)


@pytest.mark.parametrize("planned", [60, None])
def test_a_run_that_falls_has_a_chance_and_one_that_overfits_has_none(planned: int | None) -> None:
    """Half-way, a smooth fall goes on, and what has risen for twenty checks does not turn."""
    assert outlook(_falling(30, planned=planned)).chance > 0.9
    assert outlook(_overfit(30, planned=planned)).chance < 0.15


def test_the_end_is_where_the_trend_goes() -> None:
    """A run that overfits ends above where it is, a run that falls below, within the interval."""
    up, down = outlook(_overfit(30, planned=60)), outlook(_falling(30, planned=60))

    assert up.final > _overfit(30, planned=60).val[-1]
    assert down.final < _falling(30, planned=60).val[-1]
    for seen in (up, down):
        assert seen.final_low <= seen.final <= seen.final_high
        assert 1 <= seen.half_in <= 30


@given(losses, st.integers(1, 100))
@settings(max_examples=100, deadline=None)
def test_more_is_never_likelier(val: list[float], left: int) -> None:
    """The chance falls, or stays, as more is asked for."""
    history = History.from_curves(train=val, val=val, planned=len(val) + left)
    told = [outlook(history, by).chance for by in (0, 0.001, 0.003, 0.005, 0.02, 0.1, 0.3, 0.5)]

    assert told == sorted(told, reverse=True)
    assert all(0 < chance < 1 for chance in told)


@given(losses, st.integers(-8, 8))
@settings(max_examples=50, deadline=None)
def test_a_loss_in_other_units_has_the_same_chance(val: list[float], power: int) -> None:
    """What is told of the end is in the loss' own units, the chance has none."""
    unit = 2.0**power
    one = outlook(History.from_curves(train=val, val=val, planned=50))
    other = outlook(
        History.from_curves(train=val, val=[unit * x for x in val], planned=50),
    )

    assert other.chance == pytest.approx(one.chance)
    assert other.final == pytest.approx(unit * one.final)


@given(losses, st.integers(0, 40))
@settings(max_examples=50, deadline=None)
def test_a_negative_loss_is_measured_against_its_range(val: list[float], shift: int) -> None:
    """Where there is no natural zero, it does not matter where the zero is."""
    below = [x - 60 for x in val]
    one = outlook(History.from_curves(train=val, val=below, planned=50))
    other = outlook(History.from_curves(train=val, val=[x - shift for x in below], planned=50))

    assert one.reason == other.reason
    assert other.chance == pytest.approx(one.chance, nan_ok=True)


@given(losses, st.integers(4, 30))
@settings(max_examples=50, deadline=None)
def test_a_prefix_is_told_what_was_told_then(val: list[float], size: int) -> None:
    """What came later changes nothing."""
    whole = History.from_curves(train=val, val=val, planned=60)
    outlook(whole)
    then = History.from_curves(train=val[:size], val=val[:size], planned=60)

    assert repr(outlook(whole[:size])) == repr(outlook(then))


def test_a_slice_knows_nothing_of_what_it_leaves_out() -> None:
    """An early best that means little is out of sight, and the plan's end stays where it is."""
    rest = [2 + math.exp(-i / 10) for i in range(20)]
    runs = [
        History.from_curves(train=[*early, *rest], val=[*early, *rest], planned=40)
        for early in ([0.1] * 5, [9.0, 8.0, 7.0, 6.0, 5.0])
    ]
    with_early, without = (outlook(run[5:]) for run in runs)

    assert with_early == without
    assert outlook(runs[0]).chance < 0.2
    assert with_early.chance > 0.8


def test_without_a_plan_as_many_checks_again_are_looked_at() -> None:
    """Half of what is still to come lies within these."""
    assert 1 <= outlook(_falling(12, planned=None)).half_in <= 12


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        (History(planned=9), "fewer than 4 checks with a finite loss"),
        (
            History.from_curves(train=[1] * 5, val=[3, math.nan, 2, math.inf, 1], planned=9),
            "fewer than 4 checks with a finite loss",
        ),
        (
            History.from_curves(train=[1] * 5, val=[4, 3, 2, 1, math.nan], planned=9),
            "the last validation loss is not finite",
        ),
        (_falling(9, planned=9), "nothing is left of the plan"),
        (_falling(10, planned=9), "nothing is left of the plan"),
        (
            History.from_curves(train=[0] * 5, val=[0.0] * 5, planned=9),
            "the loss has never moved",
        ),
    ],
)
def test_where_too_little_is_known_nothing_is_told(history: History, reason: str) -> None:
    """The numbers are NaN and the reason says why."""
    seen = outlook(history, 0.01)

    assert seen.reason == reason
    assert all(math.isnan(getattr(seen, name)) for name in NOTHING)
    assert str(seen) == f"no outlook: {reason}"
    assert seen.by == 0.01


@pytest.mark.parametrize(("change", "reason"), [(29.0, "in 29 checks"), (0.4, "in 1 check")])
def test_nothing_is_told_while_a_planned_drop_is_to_come(change: float, reason: str) -> None:
    """What the learning rate will do then is in no log that was fitted."""
    run = _falling(20, planned=50)
    waiting = History([*run[:19], dataclasses.replace(run[19], lr_change_in=change)], planned=50)
    beyond = History([*run[:19], dataclasses.replace(run[19], lr_change_in=30.0)], planned=50)

    assert outlook(waiting).reason == f"the learning rate is still to change, as planned, {reason}"
    assert outlook(beyond) == outlook(run)


@pytest.mark.parametrize("by", [-0.1, 0.6, math.nan])
def test_a_level_that_was_not_fitted_is_refused(by: float) -> None:
    """The message says what can be asked."""
    with pytest.raises(ConfigurationError, match=r"expected a share from 0 to 0.5, such as 0.005"):
        outlook(_falling(20, planned=50), by)


def test_the_plan_of_the_last_check_counts() -> None:
    """A plan that changes is followed, and a prefix asks with the plan of its own last check."""
    run = [
        dataclasses.replace(seen, planned=20 + 10 * (seen.check > 10))
        for seen in _falling(15, planned=None)
    ]
    history = History(run)

    assert outlook(history) == outlook(_falling(15, planned=30))
    assert outlook(history[:10]) == outlook(_falling(10, planned=20))


def test_it_is_calibrated_on_walks_that_no_log_holds() -> None:
    """Of random curves that fall and turn, those told little rarely improve, the others do."""
    draw = random.Random(0)  # noqa: S311 - to simulate
    told, seen = [], []
    for _ in range(300):
        turn, noise = draw.randint(3, 30), draw.choice((0.001, 0.003, 0.01))
        rise = draw.choice((0.005, 0.01, 0.02))
        val = [
            1 + 2 * math.exp(-i / turn) + rise * max(0, i - turn) + draw.gauss(0, noise)
            for i in range(50)
        ]
        train = [0.8 + 2 * math.exp(-i / turn) for i in range(50)]
        cut = draw.randint(8, 46)
        run = History.from_curves(train=train[:cut], val=val[:cut], planned=50)
        told.append(outlook(run).chance)
        seen.append(min(val[cut:]) < 0.995 * min(val[:cut]))
    low = [better for chance, better in zip(told, seen, strict=True) if chance < 0.3]
    high = [better for chance, better in zip(told, seen, strict=True) if chance > 0.7]

    assert min(len(low), len(high)) > 30
    assert sum(low) / len(low) < 0.35
    assert sum(high) / len(high) > 0.65


def test_an_observation_without_a_plan_asks_the_history() -> None:
    """Curves whose checks hold no plan are told that of their history."""
    seen = [Observation(check=i, epoch=0, step=i, train=1, val=9 - i) for i in range(1, 8)]

    assert outlook(History(seen, planned=8)).chance != outlook(History(seen)).chance
