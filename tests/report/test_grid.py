"""Rows and columns as plain text."""

from hypothesis import given, strategies as st

from lightning_gapmon.report.grid import grid

names = st.text("ab |()", min_size=1, max_size=60)
numbers = st.text("0123.", min_size=1, max_size=6)


@given(st.lists(st.tuples(names, numbers, numbers), min_size=1, max_size=6), st.integers(40, 120))
def test_every_width_holds_every_cell(rows: list[tuple[str, str, str]], width: int) -> None:
    """No line is too long, and the numbers of a row stand together, to the right."""
    lines = grid(rows, width=width).splitlines()
    found = [line.split()[-2:] for line in lines]

    assert max(map(len, lines)) <= width
    assert all([*numbers] in found for _, *numbers in rows)


def test_a_long_name_is_folded_and_numbers_stay_with_its_first_line() -> None:
    """A rule of many parts takes several lines and pushes no column out."""
    text = grid([["rule", "n"], ["Patience(5) | Target(0.1)", "7"]], width=20)

    assert text.splitlines() == [
        "rule               n",
        "--------------------",
        "Patience(5) |      7",
        "Target(0.1)",
    ]
