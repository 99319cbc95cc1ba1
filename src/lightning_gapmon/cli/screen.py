"""What commands print: plain text, with tables and colours where rich is there."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.report import safe
from lightning_gapmon.report.styled import Styled

STYLES = {
    "failed": "bold red",
    "warned": "yellow",
    "passed": "green",
    "skipped": "bright_black",
    "error": "bold red",
    "warning": "yellow",
}
ANSI = {"bold": "1", "red": "31"}
BETWEEN = "  "
ROOMY = 3  # columns between those of a table, where there is room


def say(text: str = "", *, status: str = "") -> None:
    """Print a line; its status may colour it. It is printed as it stands: make it safe first."""
    if not _rich():
        print(_encodable(text))  # noqa: T201 - this is where commands print
        return
    from rich.text import Text  # noqa: PLC0415 - not every command prints

    console = _console()
    console.print(Text(text, style=STYLES.get(status, "")), soft_wrap=True)


def painted(line: Styled) -> str:
    """Give a line with the escapes that colour it, for a terminal that is drawn on directly."""
    if os.environ.get("NO_COLOR"):
        return _encodable(line.plain)
    return "".join(_escaped(_encodable(text), style) for text, style in line.pieces)


def _escaped(text: str, style: str) -> str:
    codes = [code for word in style.split() for code in _codes(word)]
    return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes else text


def _codes(word: str) -> Sequence[str]:
    """Give the codes of a word of a style: bold, a colour by name, or one such as `#2f86d6`."""
    if word.startswith("#"):
        return ["38", "2", *(str(int(word[at : at + 2], 16)) for at in (1, 3, 5))]
    return [ANSI[word]] if word in ANSI else []


def table(
    columns: Mapping[str, str], rows: Iterable[Sequence[str]], statuses: Sequence[str] = ()
) -> None:
    """Print a table.

    Args:
        columns: `left` or `right` by heading.
        rows: A text for each column; it may be anything, and is made safe here.
        statuses: For each row what colours it.
    """
    shown = [[safe.shown(cell) for cell in row] for row in rows]
    if _rich():
        _rich_table(columns, shown, statuses)
        return
    for line in _plain_table(columns, shown):
        say(line)


def _plain_table(columns: Mapping[str, str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    cells = [[*columns], *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    is_wide = sum(widths) + len(BETWEEN) * len(widths) > shutil.get_terminal_size().columns
    for row in cells:
        aligned = (
            text.rjust(width) if side == "right" else text.ljust(width)
            for text, width, side in zip(row, widths, columns.values(), strict=True)
        )
        yield (" " if is_wide else BETWEEN).join(aligned).rstrip()


def _rich_table(
    columns: Mapping[str, str], rows: Sequence[Sequence[str]], statuses: Sequence[str]
) -> None:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = _console()
    needed = sum(max(map(len, column)) for column in zip([*columns], *rows, strict=True))
    tight = needed + (len(columns) - 1) * ROOMY > console.width
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1 - tight))
    for number, (heading, side) in enumerate(columns.items()):
        justify: Literal["left", "right"] = "right" if side == "right" else "left"
        # Only the first column, that of names, may be broken.
        drawn.add_column(heading, justify=justify, overflow="fold", no_wrap=number > 0)
    for number, row in enumerate(rows):
        style = STYLES.get(statuses[number], "") if statuses else ""
        drawn.add_row(*map(Text, row), style=style)
    console.print(drawn)


def dump(plain: Mapping[str, Any]) -> None:
    """Print JSON: strict, and in ASCII, so that no text in it can do anything to a terminal."""
    print(json.dumps(plain, indent=1, allow_nan=False))  # noqa: T201


def write(path: Path, content: str | bytes) -> None:
    """Write a file that was asked for.

    Raises:
        ConfigurationError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        msg = (
            f"Found that {safe.shown(str(path))} cannot be written ({error.strerror}); expected "
            "a path in a folder that can be written to. Name another one."
        )
        raise ConfigurationError(msg) from error


def draws_blocks() -> bool:
    """Tell whether what is printed may hold the blocks of a sparkline."""
    try:
        "▁█".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _rich() -> bool:
    return find_spec("rich") is not None


def _console() -> Any:  # noqa: ANN401 - a Console, where rich is there
    from rich.console import Console  # noqa: PLC0415

    return Console(markup=False, highlight=False, emoji=False)


def _encodable(text: str) -> str:
    encoding = sys.stdout.encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)
