"""What the axes of a picture span."""

from hypothesis import given, strategies as st
from tests.report.strategies import LOSSES

from lightning_gapmon.report.axis import LARGEST, Axis


@given(st.lists(LOSSES))
def test_an_axis_holds_the_later_half(values: list[float]) -> None:
    """Whatever is cut off, the later half of the finite losses never is."""
    axis = Axis.over(values)
    later = [value for value in values[len(values) // 2 :] if abs(value) < LARGEST]

    assert axis.low < axis.high
    assert all(axis.low <= value <= axis.high for value in later)


@given(st.lists(st.floats(-1e6, 1e6).map(lambda loss: round(loss, 6))))
def test_ticks_lie_on_the_axis(values: list[float]) -> None:
    """Ticks are few, rise, and lie between the ends."""
    axis = Axis.over(values)
    ticks = axis.ticks()

    assert ticks == sorted(ticks)
    assert len(ticks) <= 7
    assert all(-1e-6 <= axis.share(tick) <= 1 + 1e-6 for tick in ticks)


def test_equal_ratios_are_equal_lengths_on_a_log_axis() -> None:
    """A decade is as long at the bottom as at the top."""
    axis = Axis(0.01, 100.0, logarithmic=True)

    assert [round(axis.share(10.0**power), 9) for power in range(-2, 3)] == [0, 0.25, 0.5, 0.75, 1]
