"""From losses to heights."""

import math

import pytest
from hypothesis import given, strategies as st

from lightning_gapmon.report.scale import Scale

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_heights_keep_the_order_and_fill_the_axis(losses: list[float]) -> None:
    """Any finite losses, the largest floats too, lie between 0 and 1 in their order."""
    scale = Scale.over(losses)
    heights = [scale.height(loss) for loss in sorted(losses)]

    assert all(0 <= height <= 1 for height in heights)
    assert heights == sorted(heights)
    if min(losses) < max(losses):
        assert (heights[0], heights[-1]) == (0, 1)


def test_axis_is_linear_for_an_ordinary_curve() -> None:
    """Equal heights are equal differences, below zero too."""
    scale = Scale.over([-4.0, 4.0, 1.0])

    assert not scale.logarithmic
    assert scale.height(2.0) == pytest.approx(0.75)


def test_axis_is_logarithmic_where_a_peak_dwarfs_the_rest() -> None:
    """One huge first loss does not flatten the curve that follows."""
    scale = Scale.over([1000.0, 1.0, 0.5, 0.4, 0.1])

    assert scale.logarithmic
    assert scale.height(1.0) == pytest.approx(math.log(10) / math.log(1e4))


def test_axis_is_logarithmic_where_each_curve_covers_decades() -> None:
    """An even decay over three decades is a straight line, and not a hook in the corner."""
    decay = [10 ** (-n / 4) for n in range(13)]
    scale = Scale.over(decay, decay[1:])

    assert scale.logarithmic
    assert scale.height(decay[6]) == pytest.approx(0.5)


def test_axis_is_linear_where_only_one_curve_covers_decades() -> None:
    """What validation does while train goes to zero would be flat on a logarithmic axis."""
    train = [10 ** (-n / 4) for n in range(13)]

    assert not Scale.over(train, [1.0, 0.5, 0.7]).logarithmic


def test_one_level_lies_in_the_middle() -> None:
    """A flat curve is no division by zero."""
    assert Scale.over([3.0, 3.0]).height(3.0) == 0.5
