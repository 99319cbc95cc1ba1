"""A plot made of characters: Braille dots, or plain letters where there are none."""

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import chain, pairwise, starmap
from operator import or_

BRAILLE = 0x2800
# The bit of each dot of a Braille cell, by row and column.
BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))

Point = tuple[int, int]


class Dots:
    """A grid of dots, several to a character, each of one of a few curves.

    Args:
        columns: Characters across.
        rows: Characters down.
        letters: For each curve the letter that draws it, one dot a character; without letters
            the dots are Braille, two across and four down a character.

    Example:
        >>> plot = Dots(2, 1)
        >>> plot.line([(0, 0), (3, 3)], curve=0)
        >>> "".join(character for character, curve in plot.row(0))
        '⠑⢄'
    """

    def __init__(self, columns: int, rows: int, *, letters: str = "") -> None:
        self.letters = letters
        self._across, self._down = (1, 1) if letters else (2, 4)
        self.columns, self.rows = columns, rows
        self.width, self.height = columns * self._across, rows * self._down
        self._cells: dict[Point, dict[int, int]] = {}

    def cell(self, point: Point) -> Point:
        """Give the character, by column and row, that holds a dot."""
        return point[0] // self._across, point[1] // self._down

    def dot(self, point: Point, *, curve: int) -> None:
        """Set one dot; a later curve lies on top."""
        bit = BITS[point[1] % self._down][point[0] % self._across]
        cell = self._cells.setdefault(self.cell(point), {})
        cell[curve] = cell.get(curve, 0) | bit

    def line(self, points: Sequence[Point], *, curve: int, every: int = 1) -> None:
        """Join points by straight lines, of which only one dot in so many is drawn."""
        between = chain.from_iterable(starmap(_between, pairwise(points)))
        for point in [*points[:1], *between][::every]:
            self.dot(point, curve=curve)

    def row(self, row: int) -> list[tuple[str, int | None]]:
        """Give the characters of a row, each with the curve on top of it."""
        return [self._character(self._cells.get((x, row), {})) for x in range(self.columns)]

    def _character(self, cell: Mapping[int, int]) -> tuple[str, int | None]:
        if not cell:
            return " ", None
        top = max(cell)
        dots = reduce(or_, cell.values())
        return (self.letters[top] if self.letters else chr(BRAILLE + dots)), top


def _between(start: Point, end: Point) -> list[Point]:
    """List the dots of a straight line, without its start."""
    (x, y), (across, down) = start, (end[0] - start[0], end[1] - start[1])
    size = max(abs(across), abs(down))
    return [(x + round(across * i / size), y + round(down * i / size)) for i in range(1, size + 1)]
