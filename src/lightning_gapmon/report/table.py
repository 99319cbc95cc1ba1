"""The first, the best and the last check, below each other."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.wording import number, with_interval
from lightning_gapmon.report import glyphs
from lightning_gapmon.report.curves import READ, measured, names
from lightning_gapmon.report.styled import Styled

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


def checks(history: History, *, width: int = 80, plain: bool = False) -> list[Styled]:
    """Set the checks that matter below each other, and say how their gap was measured.

    Args:
        history: At least one check.
        width: Characters across; where they are few the columns stand closer.
        plain: Use ASCII only.
    """
    rows = milestones(history)
    cells = dict(zip(COLUMNS, _cells(history, rows), strict=True))
    shown = {name: cells[name] for name in COLUMNS if "".join(cells[name]).strip()}
    heads = dict(zip(("train", "val"), names(history), strict=True))
    columns = {n: _column(heads.get(n, n), texts, plain=plain) for n, texts in shown.items()}
    whole = sum(len(texts[0]) + len(BETWEEN) for texts in columns.values()) - len(BETWEEN)
    between = BETWEEN if whole <= width else " "
    lines = [Styled() for _ in range(len(rows) + 1)]
    for name, texts in columns.items():
        for n, (line, text) in enumerate(zip(lines, texts, strict=True)):
            line.append(text + between, COLUMNS[name] if n else glyphs.FAINT)
    explained = (f"gap by {basis}: {BASES[basis]}" for basis in _bases(rows.values()))
    return lines + [Styled.of((line, glyphs.FAINT)) for line in explained]


def _column(name: str, cells: list[str], *, plain: bool) -> list[str]:
    """Put the heading over a column, all of one width."""
    head = f"{name} [95 %]" if any("[" in text for text in cells) else name
    texts = [glyphs.safe(text, plain=plain) for text in (head, *cells)]
    width = max(map(len, texts))
    return [text.ljust(width) for text in texts]


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
        yield aligned([number(read(seen)) if known else "" for seen in rows])
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
