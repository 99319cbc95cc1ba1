"""How numbers and names are put in words."""

import math
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from lightning_gapmon.analysis import wording
from lightning_gapmon.analysis.wording import (
    count,
    did_you_mean,
    difference,
    duration,
    error,
    names,
    number,
    percent,
    with_error,
    with_interval,
)


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
def test_number_has_four_digits(value: float, written: str) -> None:
    """Losses of any size take about the same room, and trailing zeros stay."""
    assert number(value) == written


@given(st.floats(-1e300, 1e300))
def test_number_is_right_to_its_last_digit(value: float) -> None:
    """What is read back is off by half a unit of the fourth digit at most."""
    assert math.isclose(float(number(value)), value, rel_tol=5.0001e-4, abs_tol=1e-320)


@pytest.mark.parametrize(
    ("stderr", "written"),
    [
        (0.021, "+0.482"),
        (0.0996, "+0.48"),
        (0.00999, "+0.482"),
        (0.0000321, "+0.482130"),
        (7.0, "+0.5"),
        (70.0, "+0"),
        (0.0, "+0.4821"),
        (math.nan, "+0.4821"),
        (math.inf, "+0.4821"),
        (1e-30, "+0.4821"),
    ],
)
def test_error_decides_the_digits_of_a_difference(stderr: float, written: str) -> None:
    """Two digits of the standard error are shown; an error that says nothing is left aside."""
    assert difference(0.48213, stderr=stderr) == written


def test_large_differences_are_short_whatever_their_error() -> None:
    """A gap of nine digits does not push the table apart."""
    assert difference(2e8, stderr=1.0) == "+2.000e+08"


def test_a_difference_shows_its_direction() -> None:
    """Its sign is written both ways."""
    assert [difference(x) for x in (0.5, -0.5, math.nan)] == ["+0.5000", "-0.5000", "+nan"]


@pytest.mark.parametrize(
    ("stderr", "written"),
    [
        (0.0214, "1.500 ± 0.021"),
        (12.4, "1.500 ± 12"),
        (1e-9, "1.500 ± 1.0e-09"),
        (0.0, "1.500"),
        (math.nan, "1.500"),
        (math.inf, "1.500"),
    ],
)
def test_a_standard_error_is_written_where_it_is_known(stderr: float, written: str) -> None:
    """The number itself is written as it is anywhere else."""
    assert with_error(1.5, stderr) == written


def test_an_error_has_two_digits() -> None:
    """More of them would say nothing."""
    assert [error(x) for x in (0.0999, 0.5, 0.0, math.nan)] == ["0.10", "0.50", "0", "nan"]


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


@pytest.mark.parametrize(
    ("share", "written"),
    [
        (0.0, "0 %"),
        (0.2, "20 %"),
        (1 / 3, "33.3 %"),
        (-0.0123456, "-1.23 %"),
        (9.9994, "1000 %"),
        (123.4, "12340 %"),
        (1e6, "1e+08 %"),
        (math.nan, "nan %"),
        (math.inf, "inf %"),
    ],
)
def test_a_share_is_written_as_a_percentage(share: float, written: str) -> None:
    """Three digits tell, and none is written as a power of ten that need not be."""
    assert percent(share) == written


@pytest.mark.parametrize("value", [0.1, 1e-12, 5, 700.25, -3.0, 123456789.5])
def test_what_was_set_is_written_as_it_was_set(value: float) -> None:
    """A limit is found again in the text that set it."""
    assert float(wording.given(value)) == value


def test_names_are_quoted_and_not_too_many() -> None:
    """A module that logs a hundred names does not fill the screen."""
    assert names(["val/loss", "a b"]) == "'val/loss', 'a b'"
    assert names(map(str, range(100)), most=1) == "'0' and 99 more"
    assert names(()) == "nothing"


@pytest.mark.parametrize(
    ("found", "asked"),
    [
        ("patience", " Did you mean Patience?"),
        ("PATIENCE", " Did you mean Patience?"),
        ("Patiencee", " Did you mean Patience?"),
        ("d_losss", " Did you mean d_loss?"),
        ("zebra", ""),
        ("", ""),
    ],
)
def test_a_near_name_is_asked_for(found: str, asked: str) -> None:
    """A slip of the finger or of the case is put right in the message."""
    assert did_you_mean(found, ["Plateau", "Patience", "d_loss"]) == asked


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
    assert [count(n, "batch") for n in (1, 2)] == ["1 batch", "2 batches"]
