"""What each rule fires on, against oracles written down from the formulas."""

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from lightning_gapmon import (
    Custom,
    GapLimit,
    GeneralizationLoss,
    History,
    Observation,
    Patience,
    Plateau,
    ProgressQuotient,
    Rule,
    StopReason,
    SuccessiveRises,
    Target,
    TrendReversal,
    replay,
)
from lightning_gapmon.analysis.rules import Divergence, NonFinite

curves = st.lists(st.integers(1, 200).map(lambda n: n / 8), min_size=1, max_size=40)


def _stop(rule: Rule, val: list[float], train: list[float] | None = None) -> int | None:
    return replay(rule, train=train or val, val=val).stopped_at


def _first(fires: list[bool]) -> int | None:
    return fires.index(True) + 1 if True in fires else None


@given(curves, st.sampled_from([1.03, 5.03, 20.03]))
@settings(max_examples=200, deadline=None)
def test_generalization_loss_is_prechelts(val: list[float], alpha: float) -> None:
    """GL is the per cent above the best so far."""
    best = np.minimum.accumulate(val)
    fires = 100 * (np.array(val) / best - 1) > alpha

    assert _stop(GeneralizationLoss(alpha), val) == _first(fires.tolist())


@given(st.lists(st.tuples(st.integers(1, 80), st.integers(1, 80)), min_size=1, max_size=40))
@settings(max_examples=200, deadline=None)
def test_progress_quotient_is_prechelts(points: list[tuple[int, int]]) -> None:
    """PQ is GL over the training progress, looked at once a strip."""
    train, val = (np.array(side, float) for side in zip(*points, strict=True))
    fires = []
    for t in range(1, len(val) + 1):
        strip = train[t - 4 : t]
        gl = 100 * (val[t - 1] / val[:t].min() - 1)
        progress = 1000 * (strip.sum() / (4 * strip.min()) - 1) if t % 4 == 0 else math.inf
        fires.append(bool(t % 4 == 0 and gl > 0.3717 * progress and gl > 0))

    assert _stop(ProgressQuotient(0.3717, strip=4), [*val], [*train]) == _first(fires)


@given(curves, st.integers(1, 4), st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_successive_rises_is_prechelts(val: list[float], strips: int, strip: int) -> None:
    """UP counts strips in a row that end above the end of the one before."""
    ends = np.array(val[strip - 1 :: strip])
    rises = np.diff(ends) > 0
    fires = [False] * len(val)
    for i in range(strips, len(ends)):
        fires[(i + 1) * strip - 1] = bool(rises[i - strips : i].all())

    assert _stop(SuccessiveRises(strips, strip=strip), val) == _first(fires)


def test_rises_pass_over_nan() -> None:
    """A strip that ends in NaN neither counts nor breaks the row."""
    assert _stop(SuccessiveRises(2, strip=1), [1.0, 2.0, math.nan, 3.0]) == 4


def test_flat_training_makes_any_rise_stop() -> None:
    """Without training progress the quotient is infinite, and without a rise nothing happens."""
    assert _stop(ProgressQuotient(5.0, strip=2), [1.0, 1.1], [1.0, 1.0]) == 2
    assert _stop(ProgressQuotient(5.0, strip=2), [1.0, 1.0], [1.0, 1.0]) is None


def test_progress_of_no_finite_training_never_stops() -> None:
    """Where training is not finite there is no progress to compare with."""
    assert _stop(ProgressQuotient(0.1, strip=2), [1.0, 2.0], [math.nan, math.nan]) is None


def test_progress_of_a_negative_loss() -> None:
    """For a negative train loss the progress is measured against the range it covered."""
    reason = replay(ProgressQuotient(0.01, strip=2), train=[0.0, -2.0], val=[1.0, 2.0]).reason

    assert "generalisation loss 100 % against a training progress of 500" in str(reason)


@given(curves, st.integers(3, 8))
@settings(max_examples=100, deadline=None)
def test_plateau_is_a_theil_sen_line(val: list[float], checks: int) -> None:
    """The fall over the window is that of scipy's Theil-Sen slope."""
    fires = []
    for t in range(1, len(val) + 1):
        window = val[t - checks : t] if t >= checks else None
        slope = stats.theilslopes(window).slope if window else -math.inf
        fires.append(bool(-slope * (checks - 1) / min(val[:t]) <= 0.0371))

    assert _stop(Plateau(checks, 0.0371), val) == _first(fires)


def test_plateau_measures_from_the_first_to_the_last_check() -> None:
    """Five checks that fall by 0.1 each have fallen by 0.4, which is 4.2 % of 9.6."""
    val = [10.0, 9.9, 9.8, 9.7, 9.6]

    assert _stop(Plateau(5, 0.043), val) == 5
    assert _stop(Plateau(5, 0.041), val) is None


def test_plateau_of_a_constant_negative_loss() -> None:
    """A loss that never moves is a plateau, also where there is no range to measure against."""
    assert _stop(Plateau(4), [-1.0] * 6) == 4


def test_trend_reversal_needs_size_and_significance() -> None:
    """A tiny steady rise and a large single jump both go on; a lasting large rise stops."""
    fall = [2.0 - 0.05 * i for i in range(20)]
    tiny = [1.05 + 1e-5 * i for i in range(30)]
    jumps = [1.05 if i % 5 else 1.9 for i in range(30)]
    large = [1.05 + 0.02 * i for i in range(30)]

    assert _stop(TrendReversal(), fall + tiny) is None
    assert _stop(TrendReversal(), fall + jumps) is None
    assert 20 < (_stop(TrendReversal(), fall + large) or 0) < 32


def test_trend_reversal_names_the_score() -> None:
    """The score is Kendall's S, made normal, of the last 8 to 30 checks."""
    val = [3.0, 1.0, 1.2, 1.1, 1.4, 1.3, 1.6, 1.5, 1.8, 1.7]
    reason = TrendReversal(0.01, 0.0)(History.from_curves(train=val, val=val))
    s = sum(np.sign(b - a) for a, b in combinations(val[-8:], 2))
    score = (s - 1) / math.sqrt(8 * 7 * 21 / 18)

    assert f"Mann-Kendall {score:#.4g} over 8 checks" in str(reason)


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
