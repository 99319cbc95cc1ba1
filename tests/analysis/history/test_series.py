"""A series is a sequence of points, whatever its columns are made of."""

import numpy as np
from hypothesis import given, strategies as st

from lightning_gapmon.analysis.history.series import Point, Series

POINTS = st.lists(
    st.builds(Point, st.integers(-(2**63), 2**63 - 1), st.floats(), st.floats(0, 2e9)), max_size=9
)


@given(POINTS, st.slices(9))
def test_columns_give_the_points_back(points: list[Point], part: slice) -> None:
    """Lists and arrays alike, one by one and in parts, as Python's own numbers."""
    lists = Series.of(points)
    steps, values, seconds = lists.steps, lists.values, lists.seconds
    arrays = Series(np.array(steps, np.int64), np.array(values), np.array(seconds))

    for series in (lists, arrays):
        assert len(series) == len(points)
        assert repr([*series]) == repr(points)
        assert repr([*series[part]]) == repr(points[part])
