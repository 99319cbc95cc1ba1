"""Points of one column of a log as arrays, in the order in which they were written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lightning_gapmon.analysis.history.series import Series

Floats = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]
FURTHEST_STEP = 2**62  # beyond it a number is no step, and no longer exact in arrays


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """Points of one column.

    Attributes:
        steps: The step of each.
        values: Its value.
        seconds: Its wall time, since the epoch of Unix; NaN where it is not known.
    """

    steps: Steps
    values: Floats
    seconds: Floats

    @classmethod
    def of(
        cls,
        steps: Sequence[float] | Steps,
        values: Sequence[float] | Floats,
        seconds: Sequence[float] | Floats | None = None,
    ) -> "Columns":
        """Make columns of any sequences of numbers; without times, none is known."""
        times = np.full(len(steps), np.nan) if seconds is None else np.asarray(seconds, np.float64)
        return cls(np.asarray(steps, np.int64), np.asarray(values, np.float64), times)

    def __getitem__(self, which: Steps | npt.NDArray[np.bool_]) -> "Columns":
        """Choose points, or put them in another order."""
        return Columns(self.steps[which], self.values[which], self.seconds[which])


def joined(parts: Iterable[Columns]) -> Columns:
    """Put columns behind each other."""
    steps, values, seconds = zip(*((p.steps, p.values, p.seconds) for p in parts), strict=True)
    return Columns(np.concatenate(steps), np.concatenate(values), np.concatenate(seconds))


def restarted(columns: Columns) -> Series:
    """Drop what a restart wrote again: a point stays if all that follow have a larger step.

    Example:
        >>> series = restarted(Columns.of([1, 2, 3, 2], [0.4, 0.3, 0.2, 0.1]))
        >>> [(point.step, point.value) for point in series]
        [(1, 0.4), (2, 0.1)]
    """
    lowest = np.minimum.accumulate(columns.steps[::-1])[::-1]
    stays = np.ones(len(lowest), dtype=np.bool_)
    stays[:-1] = columns.steps[:-1] < lowest[1:]
    kept = columns[stays]
    return Series(kept.steps, kept.values, kept.seconds)


def measured(values: Iterable[float]) -> list[int]:
    """Give the places of what was measured, where NaN may stand for "not validated".

    A NaN that is followed by a number was no loss that had diverged. At the end, where it is not
    known, as many are passed over as ever lay between two numbers.

    Example:
        >>> nan = float("nan")
        >>> measured([nan, 2.0, nan, 1.0, nan]), measured([2.0, nan, nan])
        ([1, 3], [0, 1, 2])
    """
    column = np.asarray([*values], np.float64)
    known = np.flatnonzero(~np.isnan(column))
    if not len(known):
        return [*range(len(column))]
    longest, last = int(np.diff(known, prepend=-1).max()) - 1, int(known[-1])
    rest = range(last + 1, len(column)) if len(column) - 1 - last > longest else ()
    return [*known.tolist(), *rest]
