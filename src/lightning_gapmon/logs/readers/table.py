"""Rows of a log as columns: where one training ends and the next begins, and what a step is."""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lightning_gapmon.analysis.history.series import Series
from lightning_gapmon.analysis.loss_names import read_name
from lightning_gapmon.analysis.study import Run
from lightning_gapmon.logs.columns import FURTHEST_STEP, Columns, Floats, restarted
from lightning_gapmon.logs.readers.curves import STEPS, is_wanted, run_of


@dataclass(frozen=True, eq=False)
class Training:
    """The columns of one training.

    Attributes:
        columns: Its columns.
        whole: Whether each row has every loss, so that NaN stands for what was not measured.
    """

    columns: dict[str, Series]
    whole: bool


class Table:
    """Takes the rows of a log, in the order in which they were written."""

    def __init__(self) -> None:
        self._rows = 0
        self._places: dict[str, array[int]] = {}
        self._values: dict[str, array[float]] = {}
        self._begins: list[int] = []

    def add(self, row: Mapping[str, object]) -> None:
        """Add a row; what is no number in it was not measured."""
        for name, cell in row.items():
            value = number(cell)
            if value is not None and is_wanted(name):
                self._places.setdefault(name, array("q")).append(self._rows)
                self._values.setdefault(name, array("d")).append(value)
        self._rows += 1

    def begin(self) -> None:
        """Say that another training begins: its header was written again."""
        self._begins.append(self._rows)

    def trainings(self) -> Iterator[Training]:
        """Give the trainings, each resumed one as what it ended up with.

        A training begins anew where the steps go back to the first, as when a file is appended
        to; where they go back less far it was resumed.
        """
        whole = all(
            len(places) == self._rows
            for name, places in self._places.items()
            if read_name(name).is_loss
        )
        steps, progress = self._steps()
        bounds = [*self._bounds(progress), self._rows]
        for begin, end in pairwise(bounds):
            columns = {name: self._part(name, steps, begin, end) for name in self._places}
            yield Training({name: part for name, part in columns.items() if len(part)}, whole)

    def _steps(self) -> tuple[Floats, Floats]:
        """Give the step of each row, and what tells how far the training is."""
        rows = np.arange(self._rows, dtype=np.float64)
        known = [self._filled(name) for name in STEPS if name in self._places]
        if not known:
            return rows, rows
        step, epoch = known[0], known[-1]
        # A step that falls while the epoch grows is counted within the epoch.
        within = bool(((np.diff(step) < 0) & (np.diff(epoch) > 0)).any())
        return (rows, epoch) if within else (step, step)

    def _filled(self, name: str) -> Floats:
        """Give a column a value in each row: the last that was written."""
        values = np.array(self._values[name])
        usable = np.abs(values) < FURTHEST_STEP  # not for NaN either
        places = np.array(self._places[name])[usable]
        before = np.searchsorted(places, np.arange(self._rows), side="right") - 1
        return np.append(values[usable], 0.0)[np.where(before < 0, 0, before)]

    def _bounds(self, progress: Floats) -> Iterator[int]:
        """Give the row at which each training begins."""
        yield 0
        falls = np.flatnonzero(np.diff(progress) < 0) + 1
        first = 0
        for row in sorted({*falls.tolist(), *self._begins}):
            if row in self._begins or progress[row] <= progress[first]:
                first = row
                yield row

    def _part(self, name: str, steps: Floats, begin: int, end: int) -> Series:
        places, values = np.array(self._places[name]), np.array(self._values[name])
        inside = (begin <= places) & (places < end)
        return restarted(Columns.of(steps[places[inside]].astype(np.int64), values[inside]))


def runs_of(name: str, table: Table) -> list[Run]:
    """Make a run of each training in a table.

    Raises:
        LogFormatError: One of them has no validation loss.
    """
    return [
        run_of(
            f"{name} (training {which})" if which > 1 else name,
            training.columns,
            gaps=training.whole,
        )
        for which, training in enumerate(table.trainings(), start=1)
    ]


def number(cell: object) -> float | None:
    """Read a cell; None where it is no number.

    Example:
        >>> number("0.5"), number(""), number("oops"), number(10**400)
        (0.5, None, None, None)
    """
    if isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
        return None
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return None
