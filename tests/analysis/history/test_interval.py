"""The interval of a gap, against scipy and by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from lightning_gapmon.analysis.history.interval import Estimate, difference

LOSSES = st.integers(-1000, 1000).map(lambda hundredths: hundredths / 100)
VALUES = st.floats(-1e3, 1e3)
ERRORS = st.floats(1e-3, 1e3)
SKEWS = st.floats(-1, 1)
ESTIMATES = st.builds(Estimate, VALUES, ERRORS, SKEWS, st.floats(2, 1e6))


def _estimate(sample: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> Estimate:
    mean, count = sample.mean(), len(sample)
    away = sample - mean
    skew = (away**3).mean() / (away**2).mean() ** 1.5 / math.sqrt(count)
    return Estimate(float(mean), float(sample.std(ddof=1) / math.sqrt(count)), float(skew), count)


@given(
    st.lists(LOSSES, min_size=3, max_size=20),
    st.lists(LOSSES, min_size=3, max_size=20),
)
def test_without_skew_it_is_welchs(one: list[float], other: list[float]) -> None:
    """Where both samples are symmetric it is the interval of Welch's t test."""
    ours = [np.array([*half, *(-x for x in half)]) for half in (one, other)]
    if min(side.std() for side in ours) < 1e-3:
        return
    oracle = stats.ttest_ind(*ours, equal_var=False).confidence_interval()

    low, high = difference(*(_estimate(side) for side in ours))

    assert low == pytest.approx(oracle.low, rel=1e-3, abs=1e-3)
    assert high == pytest.approx(oracle.high, rel=1e-3, abs=1e-3)


@given(ESTIMATES, ESTIMATES)
def test_it_holds_the_estimate_and_turns_with_the_sides(one: Estimate, other: Estimate) -> None:
    """Exchange the sides, and its ends are exchanged with the sign."""
    low, high = difference(one, other)

    assert low < one.value - other.value < high
    assert difference(other, one) == pytest.approx((-high, -low))


@given(ESTIMATES, st.floats(0.01, 0.9))
def test_it_reaches_further_where_the_tail_is(one: Estimate, skew: float) -> None:
    """A validation loss with a long upper tail may be much higher than it looks."""
    certain = Estimate(0.0, 0.0)
    skewed = Estimate(one.value, one.stderr, skew, one.units)
    low, high = difference(skewed, certain)

    assert high - one.value > one.value - low


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_what_is_not_known_has_no_interval(odd: float) -> None:
    """Neither a value nor an error that is not a number gives one."""
    known = Estimate(1.0, 0.1)
    for unknown in (Estimate(odd, 0.1), Estimate(1.0, odd)):
        assert all(map(math.isnan, difference(known, unknown)))


def test_two_certain_values_differ_by_what_they_differ() -> None:
    """Without any error the interval is a point."""
    assert difference(Estimate(3.0, 0.0), Estimate(1.0, 0.0)) == (2.0, 2.0)


# Losses of networks that have learnt a little, well, and almost by heart.
WORLDS = {
    "symmetric": lambda rng, size: rng.normal(1, 0.3, size),
    "skewed": lambda rng, size: rng.gamma(0.8, 0.5, size),
    "long tail": lambda rng, size: rng.gamma(0.1, 1.0, size),
}


@pytest.mark.parametrize("samples", [100, 400, 1600])
@pytest.mark.parametrize("val", WORLDS)
def test_it_holds_the_truth_in_95_of_100(val: str, samples: int) -> None:
    """In repeated samples from known worlds, as a validation set and a probe would be."""
    rng = np.random.default_rng(0)
    truth = WORLDS[val](rng, 2_000_000).mean() - 0.5
    held = []
    for _ in range(1500):
        low, high = difference(
            _estimate(WORLDS[val](rng, samples)), _estimate(rng.gamma(2, 0.25, samples))
        )
        held.append(low <= truth <= high)

    assert 0.93 <= np.mean(held) <= 0.97
