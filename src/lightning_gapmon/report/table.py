"""The first, the best and the last check, below each other."""

import math
from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lightning_gapmon.analysis.history import History
from lightning_gapmon.analysis.observation import Observation
from lightning_gapmon.report import glyphs
from lightning_gapmon.report.curves import READ, measured
from lightning_gapmon.report.numbers import aligned, number, with_error

COLUMNS = {"check": "", "train": glyphs.TRAIN, "val": glyphs.VAL, "gap": "", "by": glyphs.FAINT}
BASES = {
    "probe": "train in eval mode, at the weights of the check",
    "end": "train at the end of the window before the check",
    "online": "train on average over the window before the check",
}


def checks(history: History, *, plain: bool) -> Iterator[RenderableType]:
    """Set the checks that matter below each other, and say how their gap was measured."""
    rows = milestones(history)
    table = Table(box=None, pad_edge=False, header_style=glyphs.FAINT, padding=(0, 3, 0, 0))
    table.add_column("", no_wrap=True)
    cells = dict(zip(COLUMNS, _cells(history, list(rows.values())), strict=True))
    shown = {name: column for name, column in cells.items() if "".join(column).strip()}
    for name in shown:
        table.add_column(name, style=COLUMNS[name], no_wrap=True)
    for label, *row in zip(rows, *shown.values(), strict=True):
        mark = Text(label)
        mark.append(" ●" if "best" in label else "", glyphs.BEST)
        table.add_row(
            glyphs.drawn(mark, plain=plain), *(glyphs.safe(cell, plain=plain) for cell in row)
        )
    yield table
    for basis in dict.fromkeys(map(_basis, rows.values())):
        if basis:
            yield Text(f"by {basis}: {BASES[basis]}", glyphs.FAINT)


def milestones(history: History) -> dict[str, Observation]:
    """Name the first, the best and the last check; one row has the names of all that it is.

    Example:
        >>> history = History.from_curves(train=[3.0, 2.0], val=[3.0, 2.0])
        >>> {label: seen.check for label, seen in milestones(history).items()}
        {'first': 1, 'best, last': 2}
    """
    named = {"first": history[0], "best": history.best, "last": history[-1]}
    labels: dict[int, list[str]] = {}
    for name, seen in named.items():
        if seen:
            labels.setdefault(seen.check, []).append(name)
    found = {seen.check: seen for seen in named.values() if seen}
    return {", ".join(names): found[check] for check, names in labels.items()}


def _cells(history: History, rows: list[Observation]) -> Iterator[list[str]]:
    """Write the columns of the table."""
    yield aligned([str(seen.check) for seen in rows])
    for curve, read in enumerate(READ):
        known = measured(history, curve)
        yield aligned([number(x, stderr=e) if known else "" for x, e in map(read, rows)])
    yield aligned([_gap(seen) for seen in rows])
    yield [_basis(seen) for seen in rows]


def _gap(seen: Observation) -> str:
    known = not math.isnan(seen.gap)
    return with_error(seen.gap, stderr=seen.gap_stderr, sign=True) if known else ""


def _basis(seen: Observation) -> str:
    return "" if math.isnan(seen.gap) else seen.measured_gap.basis
