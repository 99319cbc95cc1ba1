"""How numbers are written."""

import math
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from lightning_gapmon.report.numbers import aligned, count, duration, number, with_interval


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.31, "0.3100"),
        (-2.294321, "-2.294"),
        (0.0, "0.000"),
        (1234.56, "1235"),
        (54321.6, "54322"),
        (1.5e6, "1.500e+06"),
        (3e-7, "3.000e-07"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
    ],
)
def test_number_without_an_error_has_four_digits(value: float, written: str) -> None:
    """Losses of any size take about the same room, and trailing zeros stay."""
    assert number(value) == written


@pytest.mark.parametrize(
    ("stderr", "written"),
    [
        (0.021, "0.482"),
        (0.0996, "0.48"),
        (0.00999, "0.482"),
        (0.0000321, "0.482130"),
        (7.0, "0.5"),
        (70.0, "0"),
        (0.0, "0.4821"),
        (math.inf, "0.4821"),
        (1e-30, "0.4821"),
    ],
)
def test_error_decides_the_digits(stderr: float, written: str) -> None:
    """Two digits of the standard error are shown; an error that says nothing is left aside."""
    assert number(0.48213, stderr=stderr) == written


def test_large_numbers_are_short_whatever_their_error() -> None:
    """A loss of nine digits does not push the table apart."""
    assert number(2e8, stderr=1.0) == "2.000e+08"


def test_sign_is_written_where_it_is_asked_for() -> None:
    """A gap shows its direction."""
    assert [number(x, sign=True) for x in (0.5, -0.5, math.nan)] == ["+0.5000", "-0.5000", "+nan"]


@pytest.mark.parametrize(
    ("value", "low", "high", "stderr", "written"),
    [
        (0.17213, 0.12, 0.25, 0.021, "+0.172 [+0.120, +0.250]"),
        (0.02, -0.11, 0.15, 0.066, "+0.020 [-0.110, +0.150]"),
        (math.inf, 0.12, 0.25, 0.021, "+inf"),
        (0.17213, math.nan, math.nan, math.nan, "+0.1721"),
        (0.0, 0.0, 0.0, 0.0, "+0.000 [+0.000, +0.000]"),
    ],
)
def test_an_interval_is_written_where_there_is_one(
    value: float, low: float, high: float, stderr: float, written: str
) -> None:
    """A gap shows its direction, and how far it may be off to each side."""
    assert with_interval(value, low=low, high=high, stderr=stderr) == written


@given(st.floats(-1e5, 1e5), st.floats(1e-6, 1e5))
def test_what_is_written_lies_within_a_tenth_of_the_error(value: float, stderr: float) -> None:
    """Rounding costs nothing against the noise, and all three have equally many digits."""
    ends = value - 2 * stderr, value + 3 * stderr
    text = with_interval(value, low=ends[0], high=ends[1], stderr=stderr)
    shown = text.strip("]").replace(" [", ", ").split(", ")

    for written, exact in zip(shown, (value, *ends), strict=True):
        assert abs(Decimal(written) - Decimal(exact)) <= max(Decimal(stderr) / 10, Decimal("0.5"))
    assert len({len(written.partition(".")[2]) for written in shown}) == 1


def test_points_stand_below_each_other() -> None:
    """A column of numbers is read by its points; whole numbers end where the point would be."""
    column = aligned(["12.5", "0.125 [0.1, 0.2]", "nan", ""])

    assert [text.find(".") for text in column] == [3, 3, -1, -1]
    assert column[2].rstrip() == "nan"
    assert len(set(map(len, column))) == 1


def test_nothing_is_aligned_to_nothing() -> None:
    """An empty column stays empty."""
    assert aligned([]) == []


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0, "0 s"),
        (0.4321, "0.43 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3599.6, "1 h 0 min"),
        (90061.0, "25 h 1 min"),
        (math.inf, "inf s"),
    ],
)
def test_time_is_written_as_one_would_say_it(seconds: float, written: str) -> None:
    """The units grow with the time."""
    assert duration(seconds) == written


def test_one_is_not_plural() -> None:
    """A noun goes with its count."""
    assert [count(n, "check") for n in (0, 1, 2)] == ["0 checks", "1 check", "2 checks"]
