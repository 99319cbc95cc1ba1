"""How a number, a difference, a percentage, a count, a time or a list of names is put in words.

One number is written in one way wherever it stands: in a rule's reason, in a verdict, in a
table, in a report. Whoever has something to say of a number says it through these.
"""

import math
from collections.abc import Collection, Iterable

DIGITS = 4  # significant: two losses that matter differ by more
PERCENT_DIGITS = 3
ERROR_DIGITS = 2
MOST_DECIMALS = 9
LARGE = 1e6
MINUTE, HOUR = 60, 3600
MOST_NAMES = 20


def number(value: float) -> str:
    """Write a loss, or any other number that was measured, with four significant digits.

    Example:
        >>> number(0.48213), number(2), number(12345.6), number(3e-7), number(math.nan)
        ('0.4821', '2.000', '12346', '3.000e-07', 'nan')
    """
    return _significant(value, "")


def with_error(value: float, stderr: float) -> str:
    """Write a number with its standard error, where that is known.

    Example:
        >>> with_error(0.48213, 0.0214), with_error(0.48213, math.nan)
        ('0.4821 ± 0.021', '0.4821')
    """
    return f"{number(value)} ± {error(stderr)}" if 0 < stderr < math.inf else number(value)


def error(stderr: float) -> str:
    """Write a standard error, with two significant digits.

    Example:
        >>> error(0.0214), error(3.0)
        ('0.021', '3.0')
    """
    if not math.isfinite(stderr) or not stderr:
        return f"{stderr:g}"
    return f"{stderr:#.{ERROR_DIGITS}g}".rstrip(".")


def difference(value: float, *, stderr: float = math.nan) -> str:
    """Write a difference with its sign, down to the second digit of its standard error.

    Example:
        >>> difference(0.17213), difference(-0.17213, stderr=0.021), difference(0.17213, stderr=3)
        ('+0.1721', '-0.172', '+0.2')
    """
    decimals = _decimals(stderr)
    if math.isfinite(value) and decimals is not None and abs(value) < LARGE:
        return f"{value:+.{decimals}f}"
    return _significant(value, "+")


def with_interval(value: float, *, low: float, high: float, stderr: float) -> str:
    """Write a difference with the interval that it lies in, where one is known.

    Example:
        >>> with_interval(0.17213, low=0.1358, high=0.2511, stderr=0.021)
        '+0.172 [+0.136, +0.251]'
        >>> with_interval(0.17213, low=math.nan, high=math.nan, stderr=math.nan)
        '+0.1721'
    """
    written = difference(value, stderr=stderr)
    if not (math.isfinite(value) and math.isfinite(low) and math.isfinite(high)):
        return written
    return f"{written} [{', '.join(difference(end, stderr=stderr) for end in (low, high))}]"


def percent(share: float) -> str:
    """Write a share, where 1 is the whole, as a percentage of three significant digits.

    Example:
        >>> percent(0.66667), percent(0.05), percent(0), percent(12.345), percent(1e-9)
        ('66.7 %', '5 %', '0 %', '1234 %', '1e-07 %')
    """
    whole = 100 * share
    written = f"{whole:.{PERCENT_DIGITS}g}"
    return f"{whole:.0f} %" if "e+" in written and abs(whole) < LARGE else f"{written} %"


def read_percent(text: object) -> float | None:
    """Read a percentage such as `"20%"` as a share; None for none, 0 % and above 100 %.

    Example:
        >>> read_percent("20%"), read_percent("200%"), read_percent(20)
        (0.2, None, None)
    """
    if not (isinstance(text, str) and text.endswith("%")):
        return None
    try:
        share = float(text[:-1]) / 100
    except ValueError:
        return None
    return share if 0 < share <= 1 else None


def given(value: float) -> str:
    """Write a number that somebody has set, as it was set.

    Example:
        >>> given(0.5), given(10.0), given(3), given(1e-12)
        ('0.5', '10', '3', '1e-12')
    """
    return repr(value).removesuffix(".0")


def count(amount: float, noun: str) -> str:
    """Write a count with its noun.

    Example:
        >>> count(1, "check"), count(3000, "check"), count(2, "batch")
        ('1 check', '3000 checks', '2 batches')
    """
    if amount == 1:
        return f"{amount} {noun}"
    return f"{amount} {noun}{'es' if noun.endswith(('ch', 's', 'x')) else 's'}"


def names(found: Iterable[str], *, most: int = MOST_NAMES) -> str:
    """List names, in quotes and in their order; of very many only the first.

    Example:
        >>> names(["val_loss", "lr"]), names([]), names("abcde", most=2)
        ("'val_loss', 'lr'", 'nothing', "'a', 'b' and 3 more")
    """
    every = [repr(name) for name in found]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return f"{', '.join(every[:most])}{more}" or "nothing"


def did_you_mean(found: str, known: Collection[str]) -> str:
    """Ask for the nearest of the names that are known, as the end of a message; "" for none.

    Example:
        >>> did_you_mean("patience", ["Patience", "Plateau"])
        ' Did you mean Patience?'
        >>> did_you_mean("loss", ["Patience"])
        ''
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only where something is amiss

    folded = {name.casefold(): name for name in sorted(known, reverse=True)}
    near = get_close_matches(found.casefold(), folded, n=1)
    return f" Did you mean {folded[near[0]]}?" if near else ""


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


def _significant(value: float, plus: str) -> str:
    if not math.isfinite(value):
        return f"{value:{plus}}"
    if 10**DIGITS <= abs(value) < LARGE:
        return f"{value:{plus}.0f}"
    return f"{value:{plus}#.{DIGITS}g}".rstrip(".")


def _decimals(stderr: float) -> int | None:
    """Give the decimals that show two digits of an error; None where that says nothing."""
    if not 0 < stderr < math.inf:
        return None
    # Formatting rounds first: 0.0996 has its first digit one place further left.
    exponent = int(f"{stderr:.{ERROR_DIGITS - 1}e}".partition("e")[2])
    decimals = max(0, ERROR_DIGITS - 1 - exponent)
    return decimals if decimals <= MOST_DECIMALS else None
