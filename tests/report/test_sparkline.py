"""A loss as a line of characters."""

import math

from hypothesis import given, strategies as st

from lightning_gapmon.report.sparkline import BLOCKS, LETTERS, sparkline


def test_it_is_lowest_where_the_loss_is() -> None:
    """The lowest mean has the lowest block and the highest the highest; a hole is a space."""
    assert sparkline([4.0, math.nan, 1.0, 8.0]) == "▄ ▁█"
    assert sparkline([1.0, 1.0]) == "▁▁"
    assert sparkline([]) == ""


@given(losses=st.lists(st.floats(), max_size=60), width=st.integers(1, 20), plain=st.booleans())
def test_any_losses_can_be_drawn(losses: list[float], width: int, *, plain: bool) -> None:
    """At most so many characters, all of them marks."""
    drawn = sparkline(losses, width=width, plain=plain)

    assert len(drawn) == min(width, len(losses))
    assert {*drawn} <= {" ", *(LETTERS if plain else BLOCKS)}
