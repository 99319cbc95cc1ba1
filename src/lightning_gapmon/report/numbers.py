"""How numbers are written: with the digits that their error leaves meaningful."""

import math
from collections.abc import Sequence

DIGITS = 4  # significant, where no error is known
ERROR_DIGITS = 2
MOST_DECIMALS = 9
LARGE = 1e6
MINUTE, HOUR = 60, 3600


def number(value: float, *, stderr: float = math.nan, sign: bool = False) -> str:
    """Write a number: two digits of its standard error, or four significant ones without it.

    Args:
        value: Any float; what is not finite is named.
        stderr: Its standard error, in the same unit.
        sign: Write a `+` too.

    Example:
        >>> number(0.48213), number(0.48213, stderr=0.021), number(12345.6), number(3e-7)
        ('0.4821', '0.482', '12346', '3.000e-07')
    """
    plus = "+" if sign else ""
    if not math.isfinite(value):
        return f"{value:{plus}}"
    decimals = _decimals(stderr)
    if decimals is not None and abs(value) < LARGE:
        return f"{value:{plus}.{decimals}f}"
    if 10**DIGITS <= abs(value) < LARGE:
        return f"{value:{plus}.0f}"
    return f"{value:{plus}#.{DIGITS}g}".rstrip(".")


def with_interval(value: float, *, low: float, high: float, stderr: float) -> str:
    """Write a signed number with the interval that it lies in, where one is known.

    Example:
        >>> with_interval(0.17213, low=0.1358, high=0.2511, stderr=0.021)
        '+0.172 [+0.136, +0.251]'
        >>> with_interval(0.17213, low=math.nan, high=math.nan, stderr=math.nan)
        '+0.1721'
    """
    written = number(value, stderr=stderr, sign=True)
    if not (math.isfinite(value) and math.isfinite(low) and math.isfinite(high)):
        return written
    ends = (number(end, stderr=stderr, sign=True) for end in (low, high))
    return f"{written} [{', '.join(ends)}]"


def aligned(numbers: Sequence[str]) -> list[str]:
    """Pad numbers so that their points stand below each other.

    Example:
        >>> aligned(["12.5", "0.125", "nan"])
        [' 12.5  ', '  0.125', 'nan    ']
    """
    ahead = [len(text.split(" ")[0].partition(".")[0]) for text in numbers]
    left = [" " * (max(ahead) - n) + text for n, text in zip(ahead, numbers, strict=True)]
    width = max(map(len, left), default=0)
    return [text.ljust(width) for text in left]


def duration(seconds: float) -> str:
    """Write a time in the units that one would say it in.

    Example:
        >>> duration(0.42), duration(12.3), duration(200), duration(7500)
        ('0.42 s', '12 s', '3 min 20 s', '2 h 5 min')
    """
    if not 1 <= seconds < math.inf:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"


def count(number: int, noun: str) -> str:
    """Write a count with its noun.

    Example:
        >>> count(1, "check"), count(3000, "check")
        ('1 check', '3000 checks')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _decimals(stderr: float) -> int | None:
    """Give the decimals that show two digits of an error; None where that says nothing."""
    if not 0 < stderr < math.inf:
        return None
    # Formatting rounds first: 0.0996 has its first digit one place further left.
    exponent = int(f"{stderr:.{ERROR_DIGITS - 1}e}".partition("e")[2])
    decimals = max(0, ERROR_DIGITS - 1 - exponent)
    return decimals if decimals <= MOST_DECIMALS else None
