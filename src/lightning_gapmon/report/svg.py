"""One run as a picture, with the checks at which rules would have stopped it; plain SVG."""

import math
from collections.abc import Mapping, Sequence
from html import escape

from lightning_gapmon.analysis.history.history import History

WIDTH, PLOT = 760, 260
LEFT, RIGHT, ROW = 58, 16, 16
TRAIN, VAL, STOP, INK, FAINT = "#3b6fb6", "#d9730d", "#7a3fa0", "#333333", "#dddddd"
STYLE = 'font-family="system-ui, sans-serif" font-size="12"'


def draw(history: History, stops: Mapping[str, int | None], *, title: str = "") -> str:
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
    fired = sorted((check, name) for name, check in stops.items() if check is not None)
    never = [name for name, check in stops.items() if check is None]
    plot = _Plot(history, 40 + ROW * len(fired))
    height = plot.bottom + 62
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {STYLE}>',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        _text(LEFT, 20, title, weight="bold"),
        *plot.axes(),
        plot.curve(history.train, TRAIN, "train"),
        plot.curve(history.val, VAL, "validation"),
        *plot.best(history),
        *(plot.stop(i, name, check) for i, (check, name) in enumerate(fired)),
        _text(LEFT, height - 8, "never: " + ", ".join(never) if never else "", fill=STOP),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part)


class _Plot:
    """Where a check and a loss are on the paper."""

    def __init__(self, history: History, top: float) -> None:
        finite = sorted(v for v in (*history.train, *history.val) if math.isfinite(v))
        low, high = _span(finite)
        self.first, self.last = (history[0].check, history[-1].check) if history else (0, 1)
        self.low, self.high, self.bottom = low, high, top + PLOT

    def x(self, check: float) -> float:
        share = (check - self.first) / max(1, self.last - self.first)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, loss: float) -> float:
        share = (min(loss, self.high) - self.low) / (self.high - self.low)
        return self.bottom - share * PLOT

    def axes(self) -> list[str]:
        losses = [self.low + i / 4 * (self.high - self.low) for i in range(5)]
        checks = sorted({round(self.first + i / 5 * (self.last - self.first)) for i in range(6)})
        lines = [_line(LEFT, self.y(v), WIDTH - RIGHT, self.y(v), FAINT) for v in losses]
        ticks = [_text(LEFT - 8, self.y(v) + 4, f"{v:.3g}", anchor="end") for v in losses]
        marks = [_text(self.x(c), self.bottom + 18, str(c), anchor="middle") for c in checks]
        below = _text(WIDTH - RIGHT, self.bottom + 36, "check", anchor="end")
        return [*lines, *ticks, *marks, below]

    def curve(self, values: Sequence[float], colour: str, name: str) -> str:
        checks = range(self.first, self.first + len(values))
        at = [(self.x(c), self.y(v)) for c, v in zip(checks, values, strict=True) if _is_drawn(v)]
        if not at:
            return ""
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        line = f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        return line + _text(at[-1][0] - 4, at[-1][1] - 7, name, anchor="end", fill=colour)

    def best(self, history: History) -> list[str]:
        if history.best is None:
            return []
        x, y = self.x(history.best.check), self.y(history.best.val)
        circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="white" stroke="{VAL}"/>'
        anchor = "end" if x > WIDTH - 80 else "middle"
        return [circle, _text(x, y + 20, f"best · {history.best.check}", anchor=anchor)]

    def stop(self, index: int, name: str, check: int) -> str:
        x, y = self.x(check), 42 + ROW * index
        anchor = "end" if x > WIDTH / 2 else "start"
        aside = -5 if anchor == "end" else 5
        label = _text(x + aside, y, f"{name} · {check}", anchor=anchor, fill=STOP)
        return _line(x, y - 9, x, self.bottom, STOP, dash="4 3") + label


def _span(finite: list[float]) -> tuple[float, float]:
    if not finite:
        return 0.0, 1.0
    # Wild losses, as at the start, would flatten everything that matters.
    low, most = finite[0], finite[int(0.9 * (len(finite) - 1))]
    high = min(finite[-1], low + 1.6 * (most - low))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _is_drawn(value: float) -> bool:
    return math.isfinite(value)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, dash: str = "none") -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-dasharray="{dash}"/>'


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", fill: str = INK, weight: str = ""
) -> str:
    bold = f' font-weight="{weight}"' if weight else ""
    halo = 'stroke="white" stroke-width="3" paint-order="stroke"'
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" {halo}{bold}'
    return f"<text {place}>{escape(text)}</text>" if text else ""
