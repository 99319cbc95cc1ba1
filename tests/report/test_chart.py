"""The plot with its axes and names."""

import math

import pytest

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.report import glyphs
from lightning_gapmon.report.chart import draw
from lightning_gapmon.report.styled import Styled


def _plain(lines: list[Styled]) -> list[str]:
    return [line.plain.rstrip() for line in lines]


def test_best_check_is_marked_on_the_curve_and_numbered() -> None:
    """The mark lies at the best loss, above its number on the axis."""
    lines = _plain(draw(History.from_curves(train=[2, 1, 0], val=[2.0, 1.0, 2.0]), width=40))
    marked = [line for line in lines if "●" in line]

    assert len(marked) == 1
    assert marked[0].index("●") == lines[-2].index("┴") == lines[-1].index("2")


def test_names_stand_beside_the_ends_of_their_curves() -> None:
    """Each curve is named where it ends, in its own colour, with its last loss."""
    lines = draw(History.from_curves(train=[2, 1, 0], val=[2.0, 1.0, 2.0]), width=40)

    assert lines[0].plain.endswith(" val 2.000")
    assert lines[7].plain.endswith(" train 0.000")
    assert lines[0].pieces[-1][1] == glyphs.VAL
    assert lines[7].pieces[-1][1] == glyphs.TRAIN


@pytest.mark.parametrize(("train", "val"), [(1.0, 1.0), (0.0, 0.001), (2.0, 1.999)])
def test_names_that_meet_stand_below_each_other(train: float, val: float) -> None:
    """Equal losses, at the top and at the bottom too, keep both names, the larger on top."""
    lines = _plain(draw(History.from_curves(train=[2.0, 0, train], val=[2.0, 0.0, val])))
    rows = {name: n for name in ("train", "val") for n, line in enumerate(lines) if name in line}

    assert abs(rows["train"] - rows["val"]) == 1
    assert (rows["val"] < rows["train"]) == (val > train) or val == train


def test_every_line_fits_the_width() -> None:
    """Labels count, on both sides."""
    history = History.from_curves(train=[1e30, 2, 1], val=[1e30, 3.0, 2.0])
    lines = _plain(draw(history, width=50))

    assert max(map(len, lines)) == 50
    assert lines[-1].endswith("check; log scale")


def test_numbers_of_the_axis_do_not_run_together() -> None:
    """A best check beside the first or last is left to its mark."""
    val = [2.0] * 1000
    val[998] = 1.0
    lines = _plain(draw(History.from_curves(train=val, val=val), width=60))

    assert lines[-1].split() == ["1", "1000", "check"]


def test_ascii_is_ascii() -> None:
    """Where the encoding is no Unicode, every character is one that any terminal has."""
    lines = _plain(draw(History.from_curves(train=[2, 1, 0], val=[2.0, 1.0, 2.0]), plain=True))

    assert all(map(str.isascii, lines))
    assert "O" in "".join(lines)


def test_nothing_finite_draws_nothing() -> None:
    """A run without a finite loss has no plot."""
    assert draw(History.from_curves(train=[math.nan], val=[math.inf])) == []
    assert draw(History()) == []
