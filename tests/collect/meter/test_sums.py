"""The sums behind a mean and its standard error, against numpy and scipy."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from lightning_gapmon.collect.meter.sums import Sums

LOSSES = st.floats(-1e6, 1e6, allow_subnormal=False)
UNITS = st.lists(st.tuples(LOSSES, st.floats(1e-3, 1e3)), min_size=1, max_size=30)


def _unit(loss: float, weight: float = 1.0) -> Sums:
    return Sums(
        n=weight,
        loss=weight * loss,
        square=weight**2,
        square_loss=weight**2 * loss,
        square_loss2=(weight * loss) ** 2,
        cube=weight**3,
        cube_loss=weight**3 * loss,
        cube_loss2=weight**3 * loss**2,
        cube_loss3=(weight * loss) ** 3,
        units=1.0,
        bad=float(not math.isfinite(loss)),
        position=0.0,
    )


@given(UNITS)
def test_the_mean_weighs_each_unit(units: list[tuple[float, float]]) -> None:
    """The mean is numpy's weighted average."""
    total = Sums.total([_unit(*unit) for unit in units])
    losses, weights = zip(*units, strict=True)

    assert total.mean == pytest.approx(np.average(losses, weights=weights), rel=1e-9, abs=1e-9)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30))
def test_the_error_of_equal_weights_is_the_textbook_one(losses: list[float]) -> None:
    """Where all units weigh the same the standard error is scipy's `sem`."""
    total = Sums.total([_unit(loss, 3.0) for loss in losses])

    assert total.stderr == pytest.approx(stats.sem(losses), rel=1e-6, abs=1e-5)


@given(UNITS.filter(lambda units: len(units) > 1))
def test_the_error_of_unequal_weights_is_cochrans(units: list[tuple[float, float]]) -> None:
    """With unequal weights it is the ratio estimator, computed here from the residuals."""
    losses, weights = map(np.array, zip(*units, strict=True))
    residuals = weights * (losses - np.average(losses, weights=weights))
    k = len(units)
    expected = math.sqrt(k / (k - 1) * (residuals**2).sum()) / weights.sum()

    scale = max(map(abs, losses))  # the sums cancel: right to half the digits of the losses

    assert Sums.total([_unit(*unit) for unit in units]).stderr == pytest.approx(
        expected, rel=1e-6, abs=1e-6 * scale
    )


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=30))
def test_the_skew_of_equal_weights_is_the_textbook_one(losses: list[float]) -> None:
    """The skewness of a mean of `k` is that of what it is the mean of, over `sqrt(k)`."""
    total = Sums.total([_unit(loss, 3.0) for loss in losses])
    expected = stats.skew(losses) / math.sqrt(len(losses)) if np.std(losses) > 1e-3 else None

    if expected is not None:
        assert total.skew == pytest.approx(expected, rel=1e-5, abs=1e-5)


@given(UNITS)
def test_the_skew_turns_with_the_losses(units: list[tuple[float, float]]) -> None:
    """It stays within its bounds, and changes its sign with them."""
    total = Sums.total([_unit(*unit) for unit in units])
    mirrored = Sums.total([_unit(-loss, weight) for loss, weight in units])

    assert -1 <= total.skew <= 1
    assert mirrored.skew == pytest.approx(-total.skew, abs=1e-6)


def test_losses_near_the_smallest_number_have_a_skew_too() -> None:
    """What underflows is no reason to raise."""
    assert -1 <= Sums.total([_unit(loss) for loss in (0.0, 0.0, 2e-150)]).skew <= 1


@pytest.mark.parametrize("losses", [[], [1.0], [2.0] * 9, [1e9, 1e9 + 1e-3, 1e9], [math.inf, 1.0]])
def test_no_skew_where_nothing_is_to_be_told(losses: list[float]) -> None:
    """Without a spread, or with one that rounding has eaten, a mean is taken as symmetric."""
    assert Sums.total([_unit(loss) for loss in losses]).skew == 0.0


def test_one_unit_has_no_error() -> None:
    """From a single unit nothing is known of the spread."""
    assert math.isnan(_unit(2.0).stderr)


def test_nothing_has_no_mean() -> None:
    """Without any unit there is neither a mean nor an error."""
    empty = Sums.total([])

    assert math.isnan(empty.mean)
    assert math.isnan(empty.stderr)


def test_infinities_of_both_signs_are_not_a_number() -> None:
    """They add up to NaN as in any other arithmetic, and are counted."""
    total = Sums.total([_unit(math.inf), _unit(-math.inf), _unit(1.0)])

    assert math.isnan(total.mean)
    assert total.bad == 2


@given(UNITS, st.randoms())
def test_the_order_of_parts_does_not_matter(
    units: list[tuple[float, float]],
    random: Random,
) -> None:
    """Ranks and batches may come in any order: the sums are the same to the last bit."""
    parts = [_unit(*unit) for unit in units]
    shuffled = random.sample(parts, len(parts))

    assert Sums.total(parts) == Sums.total(shuffled)
