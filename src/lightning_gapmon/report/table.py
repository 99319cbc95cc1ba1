"""The first, the best and the last check, below each other."""

import math
from collections.abc import Iterable, Iterator, Mapping

from rich.text import Text

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.report import glyphs
from lightning_gapmon.report.curves import READ, measured
from lightning_gapmon.report.numbers import aligned, number, with_interval

COLUMNS = {
    "": "",
    "check": "",
    "train": glyphs.TRAIN,
    "val": glyphs.VAL,
    "gap": "",
    "by": glyphs.FAINT,
}
BETWEEN = "  "
BASES = {
    "probe": "train in eval mode, at the weights of the check",
    "end": "train at the end of its window of steps",
    "online": "train on average over its window of steps",
}


def checks(history: History, *, plain: bool) -> list[Text]:
    """Set the checks that matter below each other, and say how their gap was measured.

    Args:
        history: At least one check.
        plain: Use ASCII only.
    """
    rows = milestones(history)
    cells = dict(zip(COLUMNS, _cells(history, rows), strict=True))
    shown = {name: cells[name] for name in COLUMNS if "".join(cells[name]).strip()}
    lines = [Text() for _ in range(len(rows) + 1)]
    for name, column in shown.items():
        head = f"{name} [95 %]" if any("[" in text for text in column) else name
        texts = [glyphs.safe(text, plain=plain) for text in (head, *column)]
        width = max(map(len, texts))
        for n, (line, text) in enumerate(zip(lines, texts, strict=True)):
            line.append(f"{text:<{width}}{BETWEEN}", COLUMNS[name] if n else glyphs.FAINT)
    explained = (f"gap by {basis}: {BASES[basis]}" for basis in _bases(rows.values()))
    return lines + [Text(line, glyphs.FAINT) for line in explained]


def milestones(history: History) -> dict[str, Observation]:
    """Name the first, the best and the last check; one row has the names of all that it is.

    Example:
        >>> history = History.from_curves(train=[3.0, 2.0], val=[3.0, 2.0])
        >>> {label: seen.check for label, seen in milestones(history).items()}
        {'first': 1, 'best, last': 2}
    """
    named = {
        "first": history[0] if len(history) > 1 else None,
        "best": history.best,
        "last": history[-1],
    }
    labels: dict[int, list[str]] = {}
    for name, seen in named.items():
        if seen:
            labels.setdefault(seen.check, []).append(name)
    found = {seen.check: seen for seen in named.values() if seen}
    return {", ".join(names): found[check] for check, names in labels.items()}


def _cells(history: History, milestones: Mapping[str, Observation]) -> Iterator[list[str]]:
    """Write the columns of the table."""
    rows = list(milestones.values())
    yield [f"{label} ●" if "best" in label else label for label in milestones]
    yield aligned([str(seen.check) for seen in rows])
    for curve, read in enumerate(READ):
        known = measured(history, curve)
        yield aligned([number(x, stderr=e) if known else "" for x, e in map(read, rows)])
    yield aligned([_gap(seen) for seen in rows])
    several = len(_bases(rows)) > 1
    yield [_basis(seen) if several else "" for seen in rows]


def _gap(seen: Observation) -> str:
    gap = seen.measured_gap
    if math.isnan(gap.absolute):
        return ""
    return with_interval(gap.absolute, low=gap.low, high=gap.high, stderr=gap.stderr)


def _bases(rows: Iterable[Observation]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(_basis, rows))))


def _basis(seen: Observation) -> str:
    return "" if math.isnan(seen.gap) else seen.measured_gap.basis
