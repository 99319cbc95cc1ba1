"""One run as a picture, for where no script runs: plain SVG, as the web component draws it."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from typing import NamedTuple

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.run_document import Beside, RunDocument, run_document
from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis
from lightning_gapmon.analysis.wording import number
from lightning_gapmon.report.axis import SMALLEST, Axis, can_be_drawn
from lightning_gapmon.report.ink import dark, line, paint, text
from lightning_gapmon.report.theme import theme

WIDTH, PLOT = 760, 260
LEFT, RIGHT, ROW = 62, 150, 16
MOST_POINTS = 400  # a curve has no more corners than that; the marks stay exact
SETTLED = ("good_fit", "learning", "undecided")  # verdicts that began nowhere
SVG = 'xmlns="http://www.w3.org/2000/svg" class="gap-svg" role="img"'
FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"


class _Mark(NamedTuple):
    check: int
    label: str
    colour: str
    dash: str = "none"


def draw(
    history: History, stops: Mapping[str, int | None] | None = None, *, title: str = ""
) -> str:
    """Draw both losses over the checks, the best check, and a line for each stop.

    Args:
        history: The run.
        stops: The check at which each rule would have stopped, by its name; None for never.
        title: What stands above it.

    Returns:
        The picture, as the text of an SVG file.

    Example:
        >>> history = History.from_curves(train=[2, 1, 1], val=[2.0, 1.5, 1.8])
        >>> svg = draw(history, {"Patience(1)": 3, "Target(0.1)": None})
        >>> svg[:4], "Patience(1) · 3" in svg, "never: Target(0.1)" in svg
        ('<svg', True, True)
    """
    silent = Diagnosis(verdict="undecided", message="not asked")
    return picture(run_document(history, silent, Beside(name=title)), stops or {}, title=title)


def picture(
    document: RunDocument, stops: Mapping[str, int | None] | None = None, *, title: str = ""
) -> str:
    """Draw a run's document: the losses, the gap between them, and all that stands out.

    Args:
        document: The run.
        stops: The check at which each rule would have stopped, by its name; None for never.
        title: What stands above it.

    Returns:
        The picture, as the text of an SVG file; dark where the reader's desktop is.

    Example:
        >>> from lightning_gapmon import diagnose
        >>> history = History.from_curves(train=[2, 1, 1], val=[2.0, 1.5, 1.8])
        >>> "best 1.500" in picture(run_document(history, diagnose(history)))
        True
    """
    stops = stops or {}
    marks = [*_marks(document), *_stops(stops)]
    never = [name for name, check in stops.items() if check is None]
    plot = _Plot(document, (34 if title else 14) + ROW * len(marks))
    height = plot.bottom + (62 if never else 44)
    parts = [
        f'<svg {SVG} viewBox="0 0 {WIDTH} {height:.0f}" font-family="{FONT}" font-size="12">',
        f"<title>{escape(title or document['name'] or 'Train and validation loss')}</title>",
        f"<desc>{escape(document['words'])}</desc>",
        f"<style>{dark()}</style>",
        f'<rect width="{WIDTH}" height="{height:.0f}" {paint(fill="paper")}/>',
        text(LEFT, 20, title, "ink", weight="bold"),
        *plot.axes(),
        plot.within(*plot.gap(), *plot.online(), *plot.curves()),
        *plot.names(),
        *plot.kept(),
        *(plot.mark(i, mark, 34 if title else 14) for i, mark in enumerate(marks)),
        *plot.best(),
        text(LEFT, height - 8, "never: " + ", ".join(never) if never else "", "stop"),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part)


def _marks(document: RunDocument) -> list[_Mark]:
    verdict, known = document["verdict"], set(document["columns"].get("check", ()))
    found = []
    if verdict["since"] and verdict["verdict"] not in SETTLED:
        said = f"{verdict['verdict'].replace('_', ' ')} since check {verdict['since']}"
        found.append(_Mark(verdict["since"], said, "onset", "5 4"))
    if document["stop"]:
        found.append(_Mark(document["stop"], f"stopped at check {document['stop']}", "stop"))
    found += [_Mark(check, "lr", "lr", "1 3") for check in document["lr_changes"]]
    return [mark for mark in found if mark.check in known]


def _stops(stops: Mapping[str, int | None]) -> list[_Mark]:
    fired = sorted((check, name) for name, check in stops.items() if check is not None)
    return [_Mark(check, f"{name} · {check}", "stop", "4 3") for check, name in fired]


class _Plot:
    """Where a check and a loss are on the paper."""

    def __init__(self, document: RunDocument, top: float) -> None:
        self.document, self.top, self.bottom = document, top, top + PLOT
        columns = document["columns"]
        self.checks: list[int] = columns.get("check", [])
        self.train, self.val = self.column("train"), self.column("val")
        both = [loss for pair in zip(self.train, self.val, strict=True) for loss in pair]
        self.losses = Axis.over(both)
        first, last = (self.checks[0], self.checks[-1]) if self.checks else (0, 1)
        self.along = Axis(first, last if last > first else first + 1)

    def column(self, name: str) -> list[float]:
        values = self.document["columns"].get(name) or [None] * len(self.checks)
        return [math.nan if value is None else float(value) for value in values]

    def x(self, check: float) -> float:
        return LEFT + self.along.share(check) * (WIDTH - LEFT - RIGHT)

    def y(self, loss: float) -> float:
        return self.bottom - self.losses.share(loss) * PLOT

    def drawn(self, loss: float) -> bool:
        return can_be_drawn(loss) and (loss > SMALLEST or not self.losses.logarithmic)

    def axes(self) -> list[str]:
        right = WIDTH - RIGHT
        parts = []
        for loss in self.losses.ticks():
            y = self.y(loss)
            parts += [line(LEFT, y, right, y, "grid")]
            parts += [text(LEFT - 8, y + 4, f"{loss:.6g}", "faint", anchor="end")]
        whole = [tick for tick in self.along.ticks() if tick == int(tick)]
        parts += [
            text(self.x(c), self.bottom + 17, str(int(c)), "faint", anchor="middle") for c in whole
        ]
        unit = "check; losses on a log scale" if self.losses.logarithmic else "check"
        return [
            *parts,
            text((LEFT + right) / 2, self.bottom + 35, unit, "faint", anchor="middle"),
        ]

    def gap(self) -> list[str]:
        low, high = (
            [t + g for t, g in zip(self.train, self.column(name), strict=True)]
            for name in ("gap_low", "gap_high")
        )
        shaded = self._area(self.val, self.train, "gap", theme()["light"]["gapOpacity"])
        return shaded + self._area(high, low, "val", 0.24)

    def _area(
        self, upper: Sequence[float], lower: Sequence[float], colour: str, opacity: float
    ) -> list[str]:
        areas = []
        for rows in self._stretches(upper, lower):
            corners = [(check, up) for check, (up, _) in rows]
            corners += [(check, down) for check, (_, down) in reversed(rows)]
            fill = f'{paint(fill=colour)} fill-opacity="{opacity}"'
            areas.append(f'<polygon points="{self._points(corners)}" {fill}/>')
        return areas

    def online(self) -> list[str]:
        """Draw the online train loss faint, where the gap is taken from another."""
        online = self.column("online")
        pairs = zip(online, self.train, strict=True)
        if not any(math.isfinite(one) and one != other for one, other in pairs):
            return []
        return [self._line_of(online, "train", 'stroke-opacity="0.55" stroke-dasharray="2 3"')]

    def within(self, *parts: str) -> str:
        """Cut off what reaches out of the plot: an SVG in an SVG does."""
        box = f"{LEFT} {self.top} {WIDTH - LEFT - RIGHT} {PLOT}"
        x, y, width, height = box.split()
        place = f'x="{x}" y="{y}" width="{width}" height="{height}" viewBox="{box}"'
        return f"<svg {place}>{''.join(parts)}</svg>"

    def curves(self) -> list[str]:
        sides = [("train", self.train), ("val", self.val)]
        return [self._line_of(values, colour, 'stroke-width="2"') for colour, values in sides]

    def names(self) -> list[str]:
        """Write the name and the last loss of each curve beside its end."""
        sides = [("train", "train", self.train), ("val", "validation", self.val)]
        ends = [
            (colour, name, *last)
            for colour, name, values in sides
            if (last := self._last(values)) is not None
        ]
        heights = _apart([self.y(loss) for *_, loss in ends])
        return [
            text(self.x(check) + 8, y + 4, f"{name} {number(loss)}", colour, weight="bold")
            for (colour, name, check, loss), y in zip(ends, heights, strict=True)
        ]

    def _last(self, values: Sequence[float]) -> tuple[int, float] | None:
        rows = [(c, v) for c, v in zip(self.checks, values, strict=True) if self.drawn(v)]
        return rows[-1] if rows else None

    def _line_of(self, values: Sequence[float], colour: str, more: str) -> str:
        stroke = f'{paint(stroke=colour)} stroke-linejoin="round" {more}'
        lines = []
        for rows in self._stretches(values):
            points = self._points([(check, value) for check, (value,) in rows])
            dot = len(rows) == 1
            x, _, y = points.partition(",")
            lines.append(
                f'<circle cx="{x}" cy="{y}" r="2.5" {paint(fill=colour)}/>'
                if dot
                else f'<polyline points="{points}" {stroke}/>'
            )
        return "".join(lines)

    def _points(self, corners: Sequence[tuple[int, float]]) -> str:
        return " ".join(f"{self.x(check):.1f},{self.y(loss):.1f}" for check, loss in corners)

    def _stretches(self, *lists: Sequence[float]) -> list[list[tuple[int, tuple[float, ...]]]]:
        """List the runs of checks at which all can be drawn, with no more than can be seen."""
        rows = list(zip(self.checks, zip(*lists, strict=True), strict=True))
        stride = math.ceil(len(rows) / MOST_POINTS) or 1
        shown = [row for i, row in enumerate(rows) if i % stride == 0 or i == len(rows) - 1]
        runs = groupby(shown, key=lambda row: all(map(self.drawn, row[1])))
        return [list(run) for drawn, run in runs if drawn]

    def best(self) -> list[str]:
        best = self.document["best"]
        if best is None or not self.drawn(float(best["val"])):
            return []
        x, y = self.x(best["check"]), self.y(float(best["val"]))
        ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" {paint(fill="val", stroke="paper")}'
        said = f"best {number(float(best['val']))}"
        train = self.document["best"]["train"]
        crowded = train is not None and y <= self.y(float(train)) < y + 28
        below = y + 20 if y + 24 < self.bottom and not crowded else y - 12
        anchor = "start" if x < LEFT + 40 else "middle"
        label = text(x, below, said, "val", anchor=anchor, weight="bold")
        return [f'{ring} stroke-width="2"/>', label]

    def kept(self) -> list[str]:
        marked = set(self.document["kept"]) & set(self.checks)
        places = [self.x(check) for check in sorted(marked)]
        return [text(x, self.bottom - 2, "▲", "val", anchor="middle") for x in places]

    def mark(self, index: int, mark: _Mark, top: float) -> str:
        x, y = self.x(mark.check), top + 8 + ROW * index
        turned = x > (WIDTH - RIGHT) / 2
        where = {"anchor": "end" if turned else "start"}
        label = text(x - 5 if turned else x + 5, y, mark.label, mark.colour, **where)
        return line(x, y - 9, x, self.bottom, mark.colour, dash=mark.dash) + label


def _apart(heights: list[float]) -> list[float]:
    """Move two labels apart until none covers the other."""
    if len(heights) < 2 or abs(heights[0] - heights[1]) >= ROW:  # noqa: PLR2004 - a pair
        return heights
    middle = sum(heights) / 2
    first = -1 if heights[0] <= heights[1] else 1
    return [middle + first * ROW / 2, middle - first * ROW / 2]
