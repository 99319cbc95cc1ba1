"""Both losses over the checks: a small plot in characters, with its axes and names."""

from dataclasses import dataclass

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.wording import number
from lightning_gapmon.report import glyphs
from lightning_gapmon.report.curves import READ, Curves, finite, names
from lightning_gapmon.report.dots import Dots
from lightning_gapmon.report.scale import Scale
from lightning_gapmon.report.styled import Styled

STYLES = (glyphs.TRAIN, glyphs.VAL)
LETTERS = ".*"  # for the curves, where there is no Braille
ROWS, LEAST_COLUMNS = 8, 10


def draw(
    history: History, *, width: int = 80, rows: int = ROWS, plain: bool = False
) -> list[Styled]:
    """Draw the losses, the best check marked; nothing where no loss is finite.

    Args:
        history: The checks.
        width: Characters across, labels included.
        rows: Characters down, without the horizontal axis.
        plain: Draw with ASCII only.

    Example:
        >>> history = History.from_curves(train=[4, 2, 1, 0], val=[4.0, 3.0, 2.0, 3.0])
        >>> for line in draw(history, width=40, rows=5, plain=True):
        ...     print(line)
        4.000 |****
              |  ..*******      **** val 3.000
              |      .....**O***
              |           ......
        0.000 |                 .... train 0.000
              +-------------+-------
               1            3      4 check
    """
    drawable = {curve: finite(history, curve) for curve in range(len(READ))}
    ends = {curve: found[-1] for curve, found in drawable.items() if found}
    if not ends:
        return []
    scale = Scale.over(*(drawable[curve] for curve in ends))
    named = names(history)
    labels = {curve: f" {named[curve]} {number(loss)}" for curve, loss in ends.items()}
    ticks = {rows - 1: number(scale.low), 0: number(scale.high)}
    margin = max(map(len, ticks.values())) + 2
    unit = " check; log scale" if scale.logarithmic else " check"
    columns = max(LEAST_COLUMNS, width - margin - max(map(len, [*labels.values(), unit])))
    curves = Curves(history, scale, Dots(columns, rows, letters=LETTERS if plain else ""))
    curves.draw()
    places = _places(curves, ends)
    beside = {place: (labels[curve], STYLES[curve]) for curve, place in places.items()}
    frame = _Frame(curves=curves, ticks=ticks, margin=margin, beside=beside, unit=unit)
    lines = [*map(frame.row, range(rows)), *frame.axis()]
    return [glyphs.drawn(line, plain=plain) for line in lines]


def _places(curves: Curves, ends: dict[int, float]) -> dict[int, int]:
    """Give the row beside which each curve's name stands: near its end, no two on one row."""
    rows = {curve: curves.dots.cell((0, curves.line(loss)))[1] for curve, loss in ends.items()}
    if len(set(rows.values())) < len(rows):
        upper, lower = sorted(ends, key=ends.__getitem__, reverse=True)
        rows[upper] = min(rows[upper], curves.dots.rows - 2)
        rows[lower] = rows[upper] + 1
    return rows


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """What surrounds the curves.

    Attributes:
        curves: The curves, drawn.
        ticks: Loss at a row.
        margin: Characters left of the curves.
        beside: At a row, the name of the curve that ends there, and its style.
        unit: What the horizontal axis counts.
    """

    curves: Curves
    ticks: dict[int, str]
    margin: int
    beside: dict[int, tuple[str, str]]
    unit: str

    def row(self, row: int) -> Styled:
        """Write a row: tick, curves, and the name of the curve that ends there."""
        tick = self.ticks.get(row, "")
        edge = "┤" if tick else "│"
        line = Styled.of((f"{tick:>{self.margin - 2}} {edge}", glyphs.FAINT))
        marked = self._best_cell()
        for column, (character, curve) in enumerate(self.curves.dots.row(row)):
            style = "" if curve is None else STYLES[curve]
            line.append(*("●", glyphs.BEST) if (column, row) == marked else (character, style))
        return line.append(*self.beside.get(row, ("", "")))

    def axis(self) -> list[Styled]:
        """Draw the horizontal axis and number the first, best and last check."""
        history, columns = self.curves.history, self.curves.dots.columns
        numbers = _numbered(history[0].check, history[-1].check, columns)
        line, marked = "─" * columns, self._best_cell()
        if history.best and marked:
            line = f"{line[: marked[0]]}┴{line[marked[0] + 1 :]}"
            numbers = _put(numbers, str(history.best.check), marked[0])
        pad = " " * (self.margin - 1)
        return [
            Styled.of((f"{pad}└{line}", glyphs.FAINT)),
            Styled.of((f"{pad} {numbers}{self.unit}", glyphs.FAINT)),
        ]

    def _best_cell(self) -> tuple[int, int] | None:
        best = self.curves.history.best
        return self.curves.dots.cell(self.curves.point(best.check, best.val)) if best else None


def _numbered(first: int, last: int, columns: int) -> str:
    if first == last:
        return str(first).ljust(columns)
    return str(first) + str(last).rjust(columns - len(str(first)))


def _put(numbers: str, text: str, column: int) -> str:
    """Centre a number at a column, where there is room for it."""
    start = max(0, column - len(text) // 2)
    end = start + len(text)
    if numbers[max(0, start - 1) : end + 1].strip() or end > len(numbers):
        return numbers
    return numbers[:start] + text + numbers[end:]
