"""Student's t without numpy."""

import math

import pytest
from hypothesis import given, strategies as st
from scipy import stats

from lightning_gapmon.analysis.compare.student import student_cdf, student_quantile

DEGREES = st.floats(0.3, 1e5)


@given(t=st.floats(-200, 200), degrees=DEGREES)
def test_the_distribution_is_scipy_s(t: float, degrees: float) -> None:
    """The distribution agrees with scipy's to nine digits."""
    assert student_cdf(t, degrees) == pytest.approx(stats.t.cdf(t, degrees), abs=1e-9)


@given(chance=st.floats(0.005, 0.995), degrees=DEGREES)
def test_quantiles_are_scipy_s(chance: float, degrees: float) -> None:
    """Quantiles agree with scipy's, from a third of a degree of freedom on."""
    expected = stats.t.ppf(chance, degrees)

    assert student_quantile(chance, degrees) == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_what_is_infinitely_far_is_certain() -> None:
    """An infinite value has everything or nothing below it."""
    assert (student_cdf(math.inf, 3), student_cdf(-math.inf, 3)) == (1.0, 0.0)
