"""Points of one tag as arrays, in the order in which they were written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lightning_gapmon.analysis.history.series import Series
from lightning_gapmon.logs.event_files.event import Scalar

Floats = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """Points of one tag.

    Attributes:
        steps: The step of each.
        values: Its value.
        seconds: Its wall time, since the epoch of Unix.
    """

    steps: Steps
    values: Floats
    seconds: Floats

    @classmethod
    def of(cls, scalars: Sequence[Scalar]) -> "Columns":
        """Make columns of scalars of one tag."""
        return cls(
            np.array([scalar.step for scalar in scalars], dtype=np.int64),
            np.array([scalar.value for scalar in scalars], dtype=np.float64),
            np.array([scalar.seconds for scalar in scalars], dtype=np.float64),
        )

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
        >>> points = [Scalar("loss", step, 0.5, 0.0) for step in (1, 2, 3, 2)]
        >>> [*restarted(Columns.of(points)).steps]
        [np.int64(1), np.int64(2)]
    """
    lowest = np.minimum.accumulate(columns.steps[::-1])[::-1]
    stays = np.ones(len(lowest), dtype=np.bool_)
    stays[:-1] = columns.steps[:-1] < lowest[1:]
    kept = columns[stays]
    return Series(kept.steps, kept.values, kept.seconds)
