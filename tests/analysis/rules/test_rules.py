"""What each rule fires on, against oracles written down from the formulas."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lightning_gapmon import (
    Custom,
    GapLimit,
    History,
    Observation,
    Patience,
    Rule,
    StopReason,
    Target,
    replay,
)
from lightning_gapmon.analysis.rules import Divergence, NonFinite

curves = st.lists(st.integers(1, 200).map(lambda n: n / 8), min_size=1, max_size=40)


def _stop(rule: Rule, val: list[float], train: list[float] | None = None) -> int | None:
    return replay(rule, train=train or val, val=val).stopped_at


def _first(fires: list[bool]) -> int | None:
    return fires.index(True) + 1 if True in fires else None


def test_gap_limit_takes_the_fairest_basis() -> None:
    """The gap is that of the probe where there is one."""
    seen = Observation(check=1, epoch=0, step=1, train=0.2, end=0.5, probe=0.9, val=1.0)

    assert GapLimit(0.5)(History([seen])) is None
    assert GapLimit(0.05)(History([seen])) is not None


def test_gap_limit_counts_checks_in_a_row() -> None:
    """One check within the limit starts the count afresh."""
    val = [1.0, 1.0, 1.0, 1.0, 1.0]
    train = [0.2, 0.9, 0.2, 0.2, 0.2]

    assert _stop(GapLimit(0.5, checks=3), val, train) == 5


def test_gap_limit_in_standard_errors() -> None:
    """The gap is compared with the root of both squared errors; without errors it never stops."""
    seen = {"check": 1, "epoch": 0, "step": 1, "train": 1.0, "val": 2.0}
    history = History([Observation(**seen, train_stderr=0.3, val_stderr=0.4)])  # type: ignore[arg-type]

    assert GapLimit(1.9, mode="stderr")(history) is not None
    assert GapLimit(2.1, mode="stderr")(history) is None
    assert GapLimit(0.1, mode="stderr")(History([Observation(**seen)])) is None  # type: ignore[arg-type]


def test_gap_limit_of_a_negative_loss_needs_another_unit() -> None:
    """A relative gap is not known for negative losses; the absolute one is."""
    history = History.from_curves(train=[-9.0], val=[-1.0])

    assert GapLimit(0.1)(history) is None
    assert GapLimit(7.9, mode="absolute")(history) is not None


def test_smoothing_passes_over_a_wild_value() -> None:
    """A median keeps a single lucky check from being the best."""
    val = [5.0, 4.0, 3.0, 0.1, 2.9, 2.8, 2.7, 2.6]

    assert _stop(Patience(3), val) == 7
    assert _stop(Patience(3).smoothed(3), val) is None


@given(curves)
@settings(max_examples=100, deadline=None)
def test_smoothing_is_a_running_median(val: list[float]) -> None:
    """Each check is judged by the median of the last three."""
    medians = [float(np.median(val[max(0, i - 2) : i + 1])) for i in range(len(val))]

    assert _stop(Target(5.3).smoothed(3), val) == _first([m <= 5.3 for m in medians])


def test_smoothing_by_exponential_mean() -> None:
    """The newest check weighs 2 / (checks + 1), and NaN is passed over."""
    val = [8.0, 4.0, math.nan, 2.0]

    assert _stop(Target(6.0).smoothed(3, by="ema"), val) == 2
    assert _stop(Target(5.9).smoothed(3, by="ema"), val) == 4
    assert _stop(Target(3.9).smoothed(3, by="ema"), val) is None


def test_smoothing_reads_the_plan() -> None:
    """The rule within knows the plan of the run."""
    history = History.from_curves(train=[1.0] * 30, val=[1.0] * 30, planned=100)

    assert replay(Patience("20%").smoothed(3), history).stopped_at == 21


def test_grace_says_what_it_bought() -> None:
    """A second descent within the grace is kept and named; its length is bounded."""
    val = [3.0, 2.0, 2.5, 2.5, 1.0, 2.0, 2.0, 2.0]
    short, long = (replay(Patience(2).grace(checks), train=val, val=val) for checks in (1, 2))

    assert (short.stopped_at, long.stopped_at) == (7, 8)
    assert str(short.reason).startswith("no improvement for 2 checks since the best")
    assert "the grace of 1 since check 4 lowered the best loss from 2.000 to 1.000" in str(
        short.reason
    )


def test_grace_that_bought_nothing_says_so() -> None:
    """Where the loss did not come back, the reason says that too."""
    val = [2.0, 3.0, 3.0, 3.0]
    result = replay(Patience(1).grace(2), train=val, val=val)

    assert result.stopped_at == 4
    assert "the grace of 2 since check 2 bought nothing" in str(result.reason)


def test_grace_from_no_finite_loss() -> None:
    """A run that recovers from NaN within the grace has nothing to compare with."""
    val = [math.nan, math.nan, 2.0, 3.0, 3.0]

    assert "since check 1 lowered the best loss to 2.000" in str(
        replay(Patience(1).grace(3), train=val, val=val).reason
    )


def _with_lr(val: list[float], lr: list[float], drop_in: list[float] | None = None) -> History:
    drops = drop_in or [math.nan] * len(val)
    return History(
        Observation(check=i + 1, epoch=i, step=i, val=v, lr=r, lr_drop_in=d)
        for i, (v, r, d) in enumerate(zip(val, lr, drops, strict=True))
    )


def test_lr_warm_up_is_waited_for() -> None:
    """While the rate has only risen nothing stops, and the count begins at its peak."""
    history = _with_lr([1.0] * 9, [0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5, 0.5])

    assert replay(Patience(2), history).stopped_at == 3
    assert replay(Patience(2).lr_aware(), history).stopped_at == 8


def test_lr_warm_restart_starts_afresh() -> None:
    """After a warm restart the loss of the new cycle is compared with its own best."""
    val = [3.0, 2.0, 1.0, 2.5, 2.0, 1.5, 0.9]
    history = _with_lr(val, [1.0, 0.6, 0.3, 1.0, 0.6, 0.4, 0.3])

    assert replay(Patience(3), history).stopped_at == 6
    assert replay(Patience(3).lr_aware(), history).stopped_at is None


def test_lr_drop_starts_afresh() -> None:
    """After a drop the count begins anew, from the first check on as later."""
    early = _with_lr([1.0] * 6, [1.0, 0.1, 0.1, 0.1, 0.1, 0.1])
    late = _with_lr([1.0] * 8, [1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.1, 0.1])

    assert replay(Patience(3), early).stopped_at == 4
    assert replay(Patience(3).lr_aware(), early).stopped_at == 5
    assert replay(Patience(3).lr_aware(), late).stopped_at == 7


def test_smooth_decay_is_no_drop() -> None:
    """A cosine or exponential decay does not keep the run alive."""
    history = _with_lr([1.0] * 40, [0.9**i for i in range(40)])

    assert replay(Patience(5).lr_aware(), history).stopped_at == 6


def test_fresh_starts_are_bounded() -> None:
    """A rate that jumps at every check cannot keep the run alive for ever."""
    history = _with_lr([1.0] * 40, [1.0 if i % 2 else 0.1 for i in range(40)])

    assert (replay(Patience(5).lr_aware(), history).stopped_at or 99) < 20


def test_stop_is_held_for_a_pending_drop() -> None:
    """A scheduler that is about to lower the rate is given the time to do so."""
    drop_in = [6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 6.0, 5.0]
    history = _with_lr([1.0] * 8, [1.0] * 6 + [0.1] * 2, drop_in)

    assert replay(Patience(4), history).stopped_at == 5
    assert replay(Patience(4).lr_aware(), history).stopped_at is None


def test_countdown_that_stands_still_does_not_hold() -> None:
    """A scheduler that never acts does not hold the stop."""
    history = _with_lr([1.0] * 8, [1.0] * 8, [3.0] * 8)

    assert replay(Patience(4).lr_aware(), history).stopped_at == 5


def test_far_drop_does_not_hold() -> None:
    """A drop further away than ten checks is not waited for."""
    history = _with_lr([1.0] * 8, [1.0] * 8, [50.0 - i for i in range(8)])

    assert replay(Patience(4).lr_aware(), history).stopped_at == 5


def test_unknown_rate_changes_nothing() -> None:
    """Without a rate, or with one that is zero, the rule is itself."""
    assert replay(Patience(2).lr_aware(), _with_lr([1.0] * 4, [math.nan] * 4)).stopped_at == 3
    assert replay(Patience(2).lr_aware(), _with_lr([1.0] * 4, [0.0] * 4)).stopped_at == 3


def test_after_epochs_and_steps() -> None:
    """A warm-up in epochs or steps leaves out the checks that fell into it."""
    history = History(
        Observation(check=i + 1, epoch=i // 2, step=10 * (i + 1), val=1.0) for i in range(12)
    )

    assert replay(Target(2.0).after(epochs=3), history).stopped_at == 7
    assert replay(Target(2.0).after(steps=40), history).stopped_at == 5
    assert replay(Target(2.0).after(2, steps=40), history).stopped_at == 5
    assert replay(Target(2.0).after(9, epochs=3), history).stopped_at == 10


@pytest.mark.parametrize(
    ("answer", "message"),
    [("enough", "enough"), (True, "say says so"), (None, None), (False, None), ("", None)],
)
def test_custom_takes_a_sentence_or_a_truth_value(answer: object, message: str | None) -> None:
    """A sentence is the reason; True names the function; anything empty goes on."""

    def say(_: History) -> Any:  # noqa: ANN401 - as users write them
        return answer

    reason = Custom(say)(History.from_curves(train=[1.0], val=[1.0]))

    assert (reason.message if reason else None) == message


def test_any_names_the_rule_that_fired() -> None:
    """The reason is that of the first rule in order that fires."""
    history = History.from_curves(train=[1.0, 1.0], val=[1.0, math.nan])
    reason = (Target(0.5) | NonFinite() | Patience(1))(history)

    assert reason == StopReason(
        "NonFinite()", "validation loss is nan", 2, {"val_now": history.val[1], "checks": 1}
    )


def test_all_needs_every_rule_at_once() -> None:
    """Both sentences are in the reason, and none alone is enough."""
    history = History.from_curves(train=[1.0, 1.0], val=[1.0, 20.0])
    both = Divergence(10.0) & Patience(1)

    assert both(history[:1]) is None
    assert (Divergence(10.0) & Patience(5))(history) is None
    assert " and no improvement for 1 check since" in str(both(history))
