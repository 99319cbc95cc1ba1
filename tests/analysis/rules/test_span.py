"""What a change of the loss is measured against."""

import math

from hypothesis import given, strategies as st

from lightning_gapmon import History
from lightning_gapmon.analysis.rules.span import val_span

values = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=20)


def _reference(val: list[float]) -> float:
    return val_span(History.from_curves(train=val, val=val)).reference


@given(values)
def test_reference_is_the_best_or_the_range(val: list[float]) -> None:
    """The lowest loss while all are positive, else the range; what is not finite is left out."""
    expected = min(val) if min(val) > 0 else max(val) - min(val)

    assert _reference([*val, math.nan, math.inf]) == expected


def test_no_loss_no_reference() -> None:
    """Before the first finite loss there is none."""
    assert math.isnan(_reference([]))
    assert math.isnan(_reference([math.nan]))
