"""Rows and columns as plain text, for a terminal."""

import textwrap
from collections.abc import Sequence

GAP = "  "
LEAST_FIRST = 10


def grid(rows: Sequence[Sequence[str]], *, width: int = 80, gap: str = GAP) -> str:
    """Set rows below each other: the first column as long as fits, numbers to the right.

    Args:
        rows: The headings, then the rows; all of one length.
        width: Characters across.
        gap: What stands between two columns.

    Example:
        >>> print(grid([["rule", "used"], ["Patience(5) | Target(0.1)", "51.2"]], width=22))
        rule              used
        ----------------------
        Patience(5) |     51.2
        Target(0.1)
    """
    columns = list(zip(*rows, strict=True))
    others = [max(map(len, column)) for column in columns[1:]]
    room = width - sum(others) - len(gap) * len(others)
    first = max(LEAST_FIRST, min(room, max(map(len, columns[0]))))
    lines = [line for row in rows for line in _lines(row, [first, *others], gap)]
    rule = "-" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:]])


def _lines(row: Sequence[str], widths: Sequence[int], gap: str) -> list[str]:
    folded = textwrap.wrap(row[0], widths[0]) or [""]
    numbers = [f"{text:>{width}}" for text, width in zip(row[1:], widths[1:], strict=True)]
    return [gap.join([folded[0].ljust(widths[0]), *numbers]).rstrip(), *folded[1:]]
