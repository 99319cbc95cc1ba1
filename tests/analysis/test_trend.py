"""Trend statistics: those of scipy and numpy, robust, and free of unit and origin."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from lightning_gapmon.analysis.trend import noise

values = st.lists(st.integers(-1000, 1000).map(float), min_size=4, max_size=30)


@pytest.mark.parametrize("trend", [0.0, 5.0, -0.3])
@pytest.mark.parametrize("sigma", [0.01, 1.0, 100.0])
def test_noise_is_the_standard_deviation_around_a_trend(sigma: float, trend: float) -> None:
    """Noise around a straight trend is found within a twentieth, from many values."""
    dice = np.random.default_rng(0)
    drawn = dice.normal(0, sigma, 20_000) + trend * sigma * np.arange(20_000)

    assert noise(drawn.tolist()) == pytest.approx(sigma, rel=0.05)


@pytest.mark.parametrize("count", range(4))
def test_noise_needs_four_values(count: int) -> None:
    """Fewer than four values tell nothing about noise."""
    assert math.isnan(noise([1.0] * count))
    assert noise([1.0] * 4) == 0.0


@given(values, st.integers(-50, 50), st.integers(-50, 50), st.sampled_from([0.5, 2.0, 8.0]))
def test_noise_follows_the_unit_and_no_straight_line(
    drawn: list[float], start: int, slope: int, unit: float
) -> None:
    """A straight line added changes nothing; a unit scales it."""
    moved = [unit * (value + start + slope * i) for i, value in enumerate(drawn)]

    assert noise(moved) == pytest.approx(unit * noise(drawn))


@given(values, st.integers(0, 50))
def test_one_wild_value_moves_the_noise_little(drawn: list[float], place: int) -> None:
    """One value touches three second differences, so it cannot carry a median of ten."""
    wild = drawn * 3
    wild[place % len(wild)] = 1e9

    assert noise(wild) < 1e5
