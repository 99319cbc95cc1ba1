"""Plots made of characters."""

import pytest
from hypothesis import given, strategies as st

from lightning_gapmon.report.dots import Dots


@pytest.mark.parametrize(("x", "y"), [(x, y) for x in range(2) for y in range(4)])
def test_each_dot_is_the_braille_dot_at_its_place(x: int, y: int) -> None:
    """Unicode numbers the dots 1-2-3-7 down the left and 4-5-6-8 down the right."""
    plot = Dots(1, 1)
    plot.dot((x, y), curve=0)
    number = ((1, 2, 3, 7), (4, 5, 6, 8))[x][y]

    assert plot.row(0) == [(chr(0x2800 + 2 ** (number - 1)), 0)]


def test_later_curve_lies_on_top_and_hides_no_dot() -> None:
    """Where curves meet, the character has the dots of both and the colour of the later."""
    plot = Dots(2, 1)
    plot.dot((0, 0), curve=1)
    plot.dot((1, 3), curve=0)

    assert plot.row(0) == [("⢁", 1), (" ", None)]


def test_letters_draw_one_dot_a_character() -> None:
    """Without Braille each curve has a letter, and the later one is seen."""
    plot = Dots(3, 2, letters=".*")
    plot.line([(0, 0), (2, 0)], curve=0)
    plot.dot((1, 0), curve=1)

    assert (plot.width, plot.height) == (3, 2)
    assert "".join(character for character, _ in plot.row(0)) == ".*."
    assert plot.row(1) == [(" ", None)] * 3


_points = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 11)), min_size=1, max_size=6)


@given(_points)
def test_line_goes_through_its_points_without_a_hole(points: list[tuple[int, int]]) -> None:
    """Every point is drawn, each dot touches the next, and none lies outside."""
    plot = Dots(20, 12, letters="x")
    plot.line(points, curve=0)
    rows = [plot.row(row) for row in range(12)]
    drawn = {
        (x, y) for y, row in enumerate(rows) for x, (_, curve) in enumerate(row) if curve == 0
    }

    assert set(points) <= drawn
    reached, frontier = set(), {points[0]}
    while frontier:
        reached |= frontier
        near = {(x + i, y + j) for x, y in frontier for i in (-1, 0, 1) for j in (-1, 0, 1)}
        frontier = (near & drawn) - reached
    assert reached == drawn


def test_dotted_line_draws_every_other_dot_over_all_its_parts() -> None:
    """Short parts do not fill the line up: what counts is the whole way."""
    plot = Dots(6, 1, letters="x")
    plot.line([(x, 0) for x in range(6)], curve=0, every=2)

    assert "".join(character for character, _ in plot.row(0)) == "x x x "
