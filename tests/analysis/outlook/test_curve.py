"""The few numbers that a run is folded into, against closed forms in NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lightning_gapmon import History
from lightning_gapmon.analysis.outlook.curve import (
    LONG,
    NAMES,
    SHORT,
    Curve,
    features,
    follow,
    swing,
)

losses = st.lists(st.integers(1, 400).map(lambda n: n / 8), min_size=4, max_size=40)


def _forgetting_mean(values: np.ndarray, gain: float) -> float:
    """Weigh value i of k by its gain and by all that later ones have left of it."""
    gains = np.minimum(1, gain / np.arange(1, len(values) + 1))
    kept = np.append(np.cumprod((1 - gains)[::-1])[::-1][1:], 1.0)
    return float(np.sum(values * gains * kept))


@given(losses)
@settings(max_examples=100, deadline=None)
def test_memories_forget_by_shares_of_the_run(val: list[float]) -> None:
    """Each level is a weighted mean whose weights follow from its gain alone."""
    curve = follow(History.from_curves(train=val, val=val))
    values, best = np.array(val), np.minimum.accumulate(val)

    assert curve.long == pytest.approx(_forgetting_mean(values, LONG))
    assert curve.short == pytest.approx(_forgetting_mean(values, SHORT))
    assert curve.best_long == pytest.approx(_forgetting_mean(best, LONG))
    assert curve.train_short == pytest.approx(_forgetting_mean(values, SHORT))
    assert (curve.span.low, curve.span.high) == (min(val), max(val))
    assert curve.age == len(val) - 1 - val.index(min(val))


def test_the_noise_follows_the_noise() -> None:
    """Ten times the noise around the same line reads as ten times the noise."""
    draw = np.random.default_rng(0)
    noise, line = draw.normal(size=200), np.linspace(50, 40, 200)
    runs = [(line + size * noise).tolist() for size in (0.01, 0.1)]
    rough = [follow(History.from_curves(train=val, val=val)).roughness for val in runs]

    assert rough[1] - rough[0] == pytest.approx(math.log(10), rel=1e-3)


def test_a_loss_that_is_not_finite_moves_no_level() -> None:
    """A NaN makes the best older and changes nothing else."""
    before = follow(History.from_curves(train=[4, 3, 2, 2], val=[4.0, 3.0, 2.0, 2.5]))
    after = follow(History.from_curves(train=[4, 3, 2, 2, math.nan], val=[4, 3, 2, 2.5, math.nan]))

    assert after == before._replace(checks=5, age=2)


@given(losses, st.integers(-8, 8), st.booleans())
@settings(max_examples=100, deadline=None)
def test_features_have_no_unit(val: list[float], power: int, planned: bool) -> None:  # noqa: FBT001
    """A loss in other units has the same features, and its swing is in these units."""
    one = follow(History.from_curves(train=val, val=val))
    other = follow(History.from_curves(train=val, val=[2.0**power * x for x in val]))

    assert features(other, 7, planned=planned) == pytest.approx(
        features(one, 7, planned=planned), abs=1e-6
    )
    assert swing(other) == pytest.approx(2.0**power * swing(one))
    assert len(features(one, 7, planned=planned)) == len(NAMES)


def test_one_more_check_costs_one_update(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of a long run is not worked out anew."""
    history = History.from_curves(train=[1.0] * 500, val=[1 / (i + 1) for i in range(500)])
    follow(history[:499])
    asked = []

    def note(before: Curve, val: float) -> Curve:
        asked.append(val)
        return before

    monkeypatch.setattr("lightning_gapmon.analysis.outlook.curve._with_val", note)
    follow(history)

    assert asked == [1 / 500]
