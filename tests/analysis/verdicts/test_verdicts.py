"""What holds of every verdict: its evidence, its invariances, and that it needs no future."""

import math
from dataclasses import replace
from typing import TypedDict

import numpy as np
import pytest
from hypothesis import given, strategies as st
from tests import curves

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.verdicts.diagnose import Diagnosis, diagnose

SHAPES = st.sampled_from(
    [*curves.HEALTHY.values(), curves.u_shape, curves.stall, curves.flat, curves.blow_up]
)
loss = st.floats(0.01, 100)
losses = st.lists(st.tuples(loss, loss), max_size=40)
wild = st.lists(st.tuples(st.floats(), st.floats()), max_size=40)


class Run(TypedDict):
    """The two curves."""

    train: list[float]
    val: list[float]


def halves(points: list[tuple[float, float]]) -> Run:
    """Turn points into the two curves."""
    return {"train": [t for t, _ in points], "val": [v for _, v in points]}


def drawn(shape: curves.Shape, checks: int, noise: float, seed: int) -> Run:
    """Draw a run of a shape."""
    train, val = curves.draw(shape, checks=checks, noise=noise, seed=seed)
    return {"train": train, "val": val}


@given(SHAPES, st.integers(1, 80), st.sampled_from([0.0, 0.02, 0.1]), st.integers(0, 99))
def test_verdict_needs_no_future(
    shape: curves.Shape, checks: int, noise: float, seed: int
) -> None:
    """A prefix of a longer history has the diagnosis of a history that ends there."""
    run = drawn(shape, 80, noise, seed)
    whole = History.from_curves(**run)
    diagnose(whole)

    assert diagnose(whole[:checks]) == diagnose(
        train=run["train"][:checks], val=run["val"][:checks]
    )


@given(losses, st.sampled_from([2.0**-40, 2.0**-3, 2.0**10, 2.0**100]))
def test_unit_of_the_loss_does_not_count(points: list[tuple[float, float]], unit: float) -> None:
    """In another unit of the loss the verdict is the same, with the same beginning."""
    found = diagnose(**halves(points))
    other = diagnose(**halves([(t * unit, v * unit) for t, v in points]))

    assert (found.verdict, found.since, found.best, found.severity) == (
        other.verdict,
        other.since,
        other.best,
        other.severity,
    )


@given(losses, st.integers(101, 1000), st.integers(1, 1000))
def test_origin_of_a_loss_without_zero_does_not_count(
    points: list[tuple[float, float]], down: int, more: int
) -> None:
    """For losses below zero, another origin below zero gives the same verdict."""
    points = [(round(t, 3), round(v, 3)) for t, v in points]
    found, other = (
        diagnose(**halves([(t - by, v - by) for t, v in points])) for by in (down, down + more)
    )

    if _far_from_a_threshold(found) and _far_from_a_threshold(other):
        assert (found.verdict, found.since, found.best) == (
            other.verdict,
            other.since,
            other.best,
        )


def _far_from_a_threshold(found: Diagnosis) -> bool:
    """Whether rounding cannot turn the verdict: it is none of those that hang on a number."""
    return found.verdict == "undecided" or bool(found.evidence)


@given(wild)
def test_any_numbers_give_a_verdict(points: list[tuple[float, float]]) -> None:
    """Whatever the numbers, there is a verdict whose checks are checks of the run."""
    found = diagnose(**halves(points))

    assert found.message
    assert found.since is None or 1 <= found.since <= len(points)
    assert (found.best is None) == (not any(math.isfinite(v) for _, v in points))
    assert found.verdict in {"good_fit", "undecided"} or found.remedies
    if points and not all(map(math.isfinite, (points[-1][1],))):
        assert found.verdict == "non_finite"


@pytest.mark.parametrize("live", [False, True])
def test_losses_near_the_smallest_number_give_a_verdict(live: bool) -> None:  # noqa: FBT001
    """Where a standard error underflows to zero, there is still an answer."""
    tiny = 5e-324
    val = [16 * tiny, *[13 * tiny] * 40, *[15 * tiny] * 20]
    train = [(70 - i) * tiny for i in range(61)]

    assert diagnose(train=train, val=val, live=live).message


@pytest.mark.parametrize("seed", range(20))
def test_lost_values_do_not_turn_a_verdict(seed: int) -> None:
    """A tenth of the values lost, overfitting is still told and a good fit not accused."""
    bad, good = (drawn(shape, 60, 0.01, seed) for shape in (curves.u_shape, curves.good))
    for run in (bad, good):
        run["val"][:-1] = curves.with_gaps(run["val"][:-1], seed=seed, share=0.1)
        run["train"][:-1] = curves.with_gaps(run["train"][:-1], seed=seed + 1, share=0.1)

    assert diagnose(**bad).verdict == "overfitting"
    assert diagnose(**good).severity == "info"


@pytest.mark.parametrize("seed", range(20))
def test_one_wild_value_is_no_verdict(seed: int) -> None:
    """One value a hundred times too large accuses nobody, wherever it stands."""
    run = drawn(curves.good, 60, 0.01, seed)
    run["val"][3 * seed] *= 100

    for checks in range(1, 61):
        for live in (False, True):
            found = diagnose(train=run["train"][:checks], val=run["val"][:checks], live=live)
            assert found.severity == "info", (checks, live)


def test_evidence_of_overfitting_can_be_computed_anew() -> None:
    """The numbers of a rise are those that numpy gives for medians over a twentieth."""
    run = drawn(curves.u_shape, 100, 0.02, 3)
    found = diagnose(**run)
    train, val = np.array(run["train"]), np.array(run["val"])
    spans = [max(1, round(0.05 * n)) for n in range(1, 101)]
    levels = np.array([np.median(val[n - k : n]) for n, k in enumerate(spans, 1)])
    best = int(levels.argmin())
    first, centre = best + 1 - spans[best], best - (spans[best] - 1) // 2
    around = slice(centre - 2, centre + 3)
    bends = np.abs(np.diff(val[25:], 2))
    stderr = np.median(bends) / 0.6745 / math.sqrt(6) * math.sqrt(math.pi / 2 * 2 / 5)
    rise = np.median(val[-5:]) - np.median(val[around])

    assert (found.verdict, found.form) == ("overfitting", "both")
    assert found.since == 1 + first + int(val[first : best + 1].argmin())
    assert found.best == int(val.argmin()) + 1
    assert found.evidence["val_best"] == pytest.approx(np.median(val[around]))
    assert found.evidence["val_now"] == pytest.approx(np.median(val[-5:]))
    assert found.evidence["val_rise"] == pytest.approx(rise)
    assert found.evidence["val_rise_share"] == pytest.approx(rise / np.median(val[around]))
    assert found.evidence["val_rise_stderrs"] == pytest.approx(rise / stderr, rel=1e-3)
    assert found.evidence["train_at_best"] == pytest.approx(np.median(train[around]))
    assert found.evidence["train_now"] == pytest.approx(np.median(train[-5:]))


@pytest.mark.parametrize("checks", [9, 30, 100, 400])
@pytest.mark.parametrize("seed", range(3))
def test_evidence_never_contradicts_an_alarm(checks: int, seed: int) -> None:
    """The look that told is the one that is shown, and it is more than was needed there."""
    run = drawn(curves.u_shape, checks, 0.02, seed)
    history = History.from_curves(**run)

    for n in range(1, checks + 1, max(1, checks // 30)):
        found = diagnose(history[:n], live=True)
        if found.form in ("rise", "both"):
            told, eased = found.evidence["told_at"], 2.0
            needed = 2 + math.sqrt(2 * math.log(told))
            assert found.evidence["stderrs_needed"] == pytest.approx(needed)
            assert found.evidence["val_rise_stderrs"] > needed - eased
            assert told <= n


def test_a_rise_that_was_told_stays_told() -> None:
    """A noisy check does not take an alarm back; a return to the best or a new best does."""
    train = [1 / (1 + i) + 0.4 for i in range(40)]
    val = [1.0, 0.7, *[0.5] * 10, *[0.5 + 0.02 * i for i in range(1, 15)]]
    told = diagnose(train=train[:26], val=val, live=True)
    noisy = diagnose(train=train[:29], val=[*val, 0.55, 0.9, 0.515], live=True)
    back = diagnose(train=train[:31], val=[*val, 0.5, 0.51, 0.5, 0.51, 0.5], live=True)
    better = diagnose(train=train[:30], val=[*val, 0.4, 0.38, 0.39, 0.38], live=True)

    assert told.verdict == noisy.verdict == "overfitting"
    assert back.verdict != "overfitting"
    assert better.verdict != "overfitting"


def test_evidence_of_a_gap_can_be_computed_anew() -> None:
    """The numbers of a gap are the medians over the last twentieth."""
    run = drawn(curves.stall, 80, 0.01, 0)
    found = diagnose(**run)
    val, train = np.array(run["val"]), np.array(run["train"])

    assert (found.verdict, found.form) == ("overfitting", "gap")
    assert found.evidence["val_now"] == pytest.approx(np.median(val[-4:]))
    assert found.evidence["train_now"] == pytest.approx(np.median(train[-4:]))
    assert found.evidence["gap"] == pytest.approx(np.median(val[-4:]) - np.median(train[-4:]))
    assert found.since is not None
    assert val[: found.since].min() == pytest.approx(0.6, abs=0.05 * val.max())


def test_memorising_shows_through_dropout() -> None:
    """Judged by the probe where there is one: dropout hides no gap, one lost probe neither."""
    train, val = curves.draw(curves.stall, checks=80, noise=0.0, seed=0)
    hidden = History.from_curves(train=[loss + 1.0 for loss in train], val=val)
    seen = [replace(one, probe=loss) for one, loss in zip(hidden, train, strict=True)]
    found = diagnose(History(seen))

    assert diagnose(hidden).severity == "info"
    assert (found.verdict, found.form) == ("overfitting", "gap")
    assert found.evidence["train_now"] == pytest.approx(np.median(train[-4:]))
    assert diagnose(History([*seen[:78], hidden[78], seen[79]])).form == "gap"


@pytest.mark.parametrize("seed", range(10))
def test_slow_start_is_no_underfitting(seed: int) -> None:
    """A run that comes down by a thousandth a check is not called halted."""
    run = drawn(curves.slow, 3000, 0.01, seed)
    history = History.from_curves(train=run["train"][:120], val=run["val"][:120])

    seen = {diagnose(history[:checks], live=True).severity for checks in range(1, 121)}
    assert seen == {"info"}


def test_what_falls_slowly_but_surely_has_not_halted() -> None:
    """An alarm says of a loss that comes down by 0.8 % a quarter that it learns."""
    fall = [1.5 + 0.8 * math.exp(-i / 4) for i in range(80)]
    slow = [loss - 0.0006 * i for i, loss in enumerate(fall)]

    assert diagnose(train=fall, val=fall, live=True).verdict == "good_fit"
    assert diagnose(train=slow, val=slow, live=True).verdict == "learning"


@pytest.mark.parametrize("live", [False, True])
def test_nothing_is_underfitting_while_most_of_the_plan_is_ahead(live: bool) -> None:  # noqa: FBT001
    """A fifth of the plan must be over before a run is said to learn nothing."""
    run = drawn(curves.underfit, 80, 0.01, 0)
    half, early = (History.from_curves(**run, planned=planned) for planned in (400, 401))

    assert diagnose(half, live=live).verdict == "underfitting"
    assert diagnose(early, live=live).verdict != "underfitting"


def test_one_wild_value_hides_no_rise() -> None:
    """One value a thousand times too large does not drown overfitting in noise."""
    run = drawn(curves.u_shape, 80, 0.01, 0)
    run["val"][12] *= 1000

    assert diagnose(**run).verdict == "overfitting"


def test_a_run_in_the_middle_of_its_fall_is_no_good_fit() -> None:
    """A run that has come far and still falls by a tenth of that goes on learning."""
    run = drawn(curves.slow, 90, 0.005, 0)
    found = diagnose(train=run["train"][:45], val=run["val"][:45])

    assert found.verdict == "learning"
    assert found.message.startswith("validation loss still comes down, by ")


def test_remedies_fit_the_run() -> None:
    """No dropout is advised where train mode costs already; an early turn asks for small steps."""
    late = drawn(curves.u_shape, 40, 0.0, 0)
    early = Run(train=late["train"], val=[0.5 + 0.01 * i for i in range(40)])
    busy = [
        replace(check, probe=check.train - 0.5, end=check.train, probe_stderr=0.0, val_stderr=0.0)
        for check in History.from_curves(**late)
    ]

    assert "add dropout" in diagnose(**late).remedies
    assert "add dropout" not in diagnose(History(busy)).remedies
    assert "lower the learning rate: the best check came early" in diagnose(**early).remedies
    assert not any("learning rate" in remedy for remedy in diagnose(**late).remedies)


@pytest.mark.parametrize("live", [False, True])
def test_a_check_costs_the_same_however_long_the_run_is(
    live: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Diagnosing one more check reads a bounded number of checks."""
    train, val = curves.draw(curves.good, checks=4000, noise=0.01, seed=0)
    reads: list[object] = []
    read = History.__getitem__

    def counted(history: History, index: int) -> object:
        reads.append(index)
        return read(history, index)

    costs = []
    for checks in (1000, 4000):
        history = History.from_curves(train=train[:checks], val=val[:checks])
        diagnose(history[:-1], live=live)
        with monkeypatch.context() as patch:
            patch.setattr(History, "__getitem__", counted)
            diagnose(history, live=live)
        costs.append(len(reads))
        reads.clear()

    assert 10 < costs[1] <= 1.2 * costs[0] < 5000
