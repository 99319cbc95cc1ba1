"""The default rule: how long it waits, and what counts as an improvement."""

import math

import pytest
from hypothesis import given, settings, strategies as st

from lightning_gapmon import Budget, History, Patience, replay
from lightning_gapmon.errors import ConfigurationError

losses = st.lists(st.integers(1, 400).map(lambda n: n / 8), min_size=1, max_size=60)


def _stop(rule: Budget, val: list[float], planned: int | None) -> int | None:
    return replay(rule, train=val, val=val, planned=planned).stopped_at


@pytest.mark.parametrize(("planned", "check"), [(20, 10), (50, 5), (100, 40), (500, 300)])
def test_waits_a_share_of_the_plan_and_of_what_is_left(planned: int, check: int) -> None:
    """The wait is read off the formula, by hand."""
    left = planned - check

    assert Budget().patience(check, planned) == pytest.approx(0.3 * (planned + left))
    assert Budget.eager().patience(check, planned) == pytest.approx(0.15 * (planned + left))
    assert Budget(0.0).patience(check, planned) == 3


def test_early_best_is_waited_for_longer_than_a_late_one() -> None:
    """What is left of the plan counts, not the plan alone."""
    early = [2.0] * 4 + [1.0] + [1.001] * 95
    late = [2.0 - i / 100 for i in range(59)] + [1.0] + [1.001] * 40
    waits = [(_stop(Budget.eager(), val, 100) or 99) - at for val, at in ((early, 5), (late, 60))]

    # w >= 0.15 (200 - 5 - w) gives 26, w >= 0.15 (200 - 60 - w) gives 19
    assert waits == [26, 19]


@given(losses, st.integers(0, 40), st.sampled_from([Budget(), Budget.eager(), Budget(0.2)]))
@settings(max_examples=200, deadline=None)
def test_stops_where_the_formula_does(val: list[float], more: int, rule: Budget) -> None:
    """Check for check, written down once more with a loop over all earlier losses."""
    planned = len(val) + more
    expected = None
    mark, at = math.inf, 0
    for check, loss in enumerate(val, start=1):
        unit = min(mark, val[0] - mark) if mark < math.inf else 0.0
        if loss < mark - rule.tolerance * unit:
            mark, at = loss, check
        left = planned - check
        if check - at >= round(max(3, rule.share * (planned + left)), 9) and left >= 3:
            expected = check
            break

    assert _stop(rule, val, planned) == expected


@pytest.mark.parametrize("planned", [10, 15, 60])
def test_with_one_or_two_checks_left_it_goes_on(planned: int) -> None:
    """A stop that saves nothing is none, however long the wait; with three left it is one."""
    val = [1.0] + [2.0] * (planned - 1)
    stops = {
        left: Budget(0.0)(
            History.from_curves(train=val, val=val, planned=planned)[: planned - left]
        )
        for left in range(4)
    }

    assert [left for left, reason in stops.items() if reason] == [3]


def test_a_short_plan_is_not_cut_after_a_few_bad_checks() -> None:
    """A plan of 10 with its best at check 1 goes on past check 5."""
    val = [1.0, *[1.1] * 9]

    assert (_stop(Budget(), val, 10) or 10) > 5


def test_small_improvements_are_none() -> None:
    """Creeping on by less than the tolerance ends as a standstill does."""
    creeping = [2.0, 1.0, *(1.0 - 1e-5 * i for i in range(98))]
    still = [2.0, 1.0, *[1.0] * 98]

    assert _stop(Budget(), creeping, 100) == _stop(Budget(), still, 100) is not None
    assert _stop(Budget(0.3, tolerance=0.0), creeping, 100) is None


def test_tolerance_never_exceeds_the_fall_so_far() -> None:
    """A loss with a large constant part is judged by its fall, not by its level."""
    val = [1000.0 - 0.1 * i for i in range(100)]

    assert _stop(Budget.eager(), val, 100) is None


def test_any_improvement_of_a_negative_loss_counts() -> None:
    """A log-likelihood has no natural unit."""
    val = [5.0, *(-1000.0 - 1e-6 * i for i in range(99))]

    assert _stop(Budget.eager(), val, 100) is None


@pytest.mark.parametrize(("rule", "wait"), [(Budget(), 15), (Budget.eager(), 8)])
def test_without_a_plan_it_waits_as_at_the_end_of_one(rule: Budget, wait: int) -> None:
    """Of 50 checks at least, and of the checks so far where these are more."""
    fall = [200.0 - i for i in range(100)]

    assert _stop(rule, [2.0, 1.0, *[1.0] * 90], None) == 2 + wait
    assert rule.patience(400, None) == pytest.approx(400 * rule.share)
    assert _stop(Budget(rule.share, tolerance=0.0), fall + [101.0] * 90, None) == next(
        check for check in range(101, 200) if check - 100 >= rule.share * check
    )


def test_never_finite_is_said() -> None:
    """Where no loss was ever finite, the reason does not speak of a best."""
    result = replay(Budget(), train=[1.0] * 40, val=[math.nan] * 40)

    assert result.stopped_at == 15
    assert "for 15 checks and no finite validation loss yet" in str(result.reason)
    assert result.reason is not None
    assert result.reason.evidence == {"checks_waited": 15}


def test_reason_gives_the_wait_the_mark_and_the_plan() -> None:
    """The sentence and the evidence hold the same numbers."""
    history = History.from_curves(train=[1.0] * 60, val=[2.0, 1.0] + [1.001] * 58, planned=100)
    reason = replay(Budget(), history).reason

    # w >= 0.3 (200 - 2 - w) gives 46 checks after check 2
    assert reason is not None
    assert reason.message == (
        "no improvement by 3 % for 46 checks since check 2, with 52 of 100 planned checks left"
    )
    assert reason.evidence == {"val_best": 1.0, "checks_waited": 46, "checks_planned": 100}


def test_saves_more_than_patience_at_the_same_regret() -> None:
    """On overfit runs of many lengths the wait suits the length, which one patience cannot."""
    runs = [
        History.from_curves(
            train=[3.0 / (i + 1) for i in range(n)],
            val=[1.0 + abs(i - n // 3) / n + (0.02 if i % 7 else 0.0) for i in range(n)],
            planned=n,
        )
        for n in (20, 60, 200, 400)
    ]
    ours, theirs = ([replay(rule, run) for run in runs] for rule in (Budget.eager(), Patience(50)))

    assert sum(r.regret for r in ours) <= sum(r.regret for r in theirs)
    assert sum(r.saved for r in ours) > sum(r.saved for r in theirs)


@pytest.mark.parametrize(
    ("share", "tolerance"), [(-0.1, 0.0), (1.5, 0.0), (0.2, 1.0), (0.2, -0.1), (math.nan, 0.0)]
)
def test_refuses_what_is_no_share(share: float, tolerance: float) -> None:
    """Shares are between 0 and 1."""
    with pytest.raises(ConfigurationError, match=r"expected shares between 0 and 1, such as"):
        Budget(share, tolerance)
