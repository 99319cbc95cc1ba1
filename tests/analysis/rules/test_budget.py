"""The default rule: how long it waits, and what ends the wait."""

import math
import random

import pytest

from lightning_gapmon import Budget, History, Patience, replay
from lightning_gapmon.errors import ConfigurationError

DOWN = [10.0 - 0.1 * i for i in range(100)]


def _stop(rule: Budget, val: list[float], train: list[float], planned: int | None) -> int | None:
    return replay(rule, train=train[: len(val)], val=val, planned=planned).stopped_at


@pytest.mark.parametrize(("planned", "check"), [(20, 10), (50, 5), (100, 40), (500, 300)])
def test_waits_two_three_per_cent_and_a_share_of_what_is_left(planned: int, check: int) -> None:
    """The wait is read off the formula, by hand."""
    left = planned - check

    assert Budget().patience(check, planned) == pytest.approx(2 + 0.03 * planned + 0.2 * left)
    assert Budget.eager().patience(check, planned) == pytest.approx(
        2 + 0.03 * planned + 0.08 * left
    )


def test_early_best_is_waited_for_longer_than_a_late_one() -> None:
    """What is left of the plan counts, not the plan alone."""
    early = [2.0] * 4 + [1.0] + [1.001] * 90
    late = [2.0 - i / 100 for i in range(59)] + [1.0] + [1.001] * 35
    waits = [(_stop(Budget(), val, DOWN, 100) or 99) - at for val, at in ((early, 5), (late, 60))]

    assert waits == [20, 11]


def test_wait_is_doubled_while_training_stands_still() -> None:
    """A plateau of both losses is given twice the time of an overfit."""
    val = [2.0, 1.0] + [1.001] * 98
    still = [2.0, 1.0] + [1.0] * 98

    learning, plateau = (_stop(Budget(), val, train, 100) for train in (DOWN, still))

    # w >= 5 + 0.2 (98 - w) gives 21 checks after check 2; twice the right-hand side gives 36
    assert (learning, plateau) == (2 + 21, 2 + 36)


def test_unknown_training_is_no_learning() -> None:
    """Where the train loss is not known, the longer wait is granted."""
    val = [2.0, 1.0] + [1.001] * 98

    assert _stop(Budget(), val, [math.nan] * 100, 100) == 38


def test_clear_rise_ends_the_wait() -> None:
    """In a long run a rise above all noise stops after 20 checks; noise itself does not."""
    fall = [2.0 - i / 100 for i in range(100)]
    clear = fall + [1.0 + i / 1000 for i in range(200)]
    draw = random.Random(0)  # noqa: S311 - a test needs no secret
    noisy = fall + [1.02 + draw.gauss(0, 0.01) for _ in range(200)]
    train = [3.0 - i / 1000 for i in range(300)]

    assert _stop(Budget(), clear, train, 1000) == 121
    assert _stop(Budget(), noisy, train, 1000) is None


def test_rise_is_named() -> None:
    """The reason of a clear rise gives its size and where the best was."""
    val = [2.0 - i / 100 for i in range(100)] + [1.0 + i / 1000 for i in range(200)]
    reason = replay(Budget(), train=[1.0] * 300, val=val, planned=1000).reason

    assert "validation loss rose by 0.01800 above the best, 1.000 at check 101" in str(reason)


def test_small_improvements_are_none_for_the_eager() -> None:
    """Creeping on by less than the tolerance is waited for by the careful setting alone."""
    val = [2.0, 1.0] + [1.0 - 1e-5 * i for i in range(98)]

    assert _stop(Budget(), val, DOWN, 100) is None
    assert (_stop(Budget.eager(), val, DOWN, 100) or 99) < 30


def test_tolerance_never_exceeds_the_fall_so_far() -> None:
    """A loss with a large constant part is judged by its fall, not by its level."""
    val = [1000.0 - 0.1 * i for i in range(100)]

    assert _stop(Budget.eager(), val, DOWN, 100) is None


@pytest.mark.parametrize(("length", "wait"), [(40, 10), (400, 40)])
def test_without_a_plan_the_run_so_far_counts(length: int, wait: int) -> None:
    """Ten checks or a tenth of the run, whichever is more."""
    assert Budget().patience(length, None) == wait


def test_never_finite_is_said() -> None:
    """Where no loss was ever finite, the reason does not speak of a best."""
    result = replay(Budget(), train=[1.0] * 40, val=[math.nan] * 40)

    assert result.stopped_at == 20
    assert "no improvement for 20 checks and no finite validation loss yet" in str(result.reason)


def test_rise_among_nan_needs_five_finite_losses() -> None:
    """A best that is followed by NaN alone is no rise."""
    val = [2.0, 1.0] + [math.nan] * 30

    assert _stop(Budget(), val, DOWN, 1000) is None


def test_reason_speaks_of_the_plan() -> None:
    """The reason gives the wait and what was left."""
    history = History.from_curves(train=DOWN[:30], val=[2.0, 1.0] + [1.001] * 28, planned=100)

    assert "no improvement for 21 checks since check 2, with 77 of 100 planned checks left" in str(
        replay(Budget(), history).reason
    )


def test_reason_of_a_tolerance_does_not_deny_small_improvements() -> None:
    """The loss still falls, by less than the tolerance."""
    val = [2.0, 1.0, *(0.999 - 0.0001 * i for i in range(38))]
    reason = replay(Budget.eager(), train=[1.0] * 40, val=val).reason

    assert reason is not None
    assert reason.message.startswith("not enough improvement for ")


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
    ours, theirs = ([replay(rule, run) for run in runs] for rule in (Budget(), Patience(20)))

    assert sum(r.regret for r in ours) <= sum(r.regret for r in theirs)
    assert sum(r.saved for r in ours) > sum(r.saved for r in theirs)


@pytest.mark.parametrize(("share", "tolerance"), [(-0.1, 0.0), (1.5, 0.0), (0.2, 1.0)])
def test_refuses_what_is_no_share(share: float, tolerance: float) -> None:
    """Shares are between 0 and 1."""
    with pytest.raises(ConfigurationError, match=r"expected shares between 0 and 1, such as"):
        Budget(share, tolerance)


def test_default_is_the_careful_setting() -> None:
    """Who asks for nothing gets the careful one."""
    assert Budget() == Budget.careful() != Budget.eager()
