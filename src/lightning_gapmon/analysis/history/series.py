"""The points of one scalar, as three columns."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol, overload


class Point(NamedTuple):
    """One scalar.

    Attributes:
        step: Its step.
        value: Its value.
        seconds: Wall time at which it was written, since the epoch of Unix.
    """

    step: int
    value: float
    seconds: float = math.nan


class Numbers(Protocol):
    """A column: a list, a tuple or an array."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: Any, /) -> Any: ...  # noqa: ANN401 - a number, or a column


class Series(Sequence[Point]):
    """The points of one scalar, made when they are asked for: columns of a million cost no more.

    Args:
        steps: The step of each point.
        values: The value of each point.
        seconds: The wall time of each point.

    Example:
        >>> series = Series.of([Point(1, 0.5), Point(2, 0.25)])
        >>> series[-1].value, [*series.steps], len(series[:1])
        (0.25, [1, 2], 1)
    """

    __slots__ = ("seconds", "steps", "values")

    def __init__(self, steps: Numbers, values: Numbers, seconds: Numbers) -> None:
        self.steps, self.values, self.seconds = steps, values, seconds

    @classmethod
    def of(cls, points: Iterable[Point]) -> "Series":
        """Turn points into columns."""
        columns = [*zip(*points, strict=True)] or [(), (), ()]
        return cls(*columns)

    def __len__(self) -> int:
        """Count the points."""
        return len(self.steps)

    @overload
    def __getitem__(self, index: int) -> Point: ...
    @overload
    def __getitem__(self, index: slice) -> "Series": ...
    def __getitem__(self, index: int | slice) -> "Point | Series":
        """Read one point, or a part of the series."""
        step, value, seconds = self.steps[index], self.values[index], self.seconds[index]
        if isinstance(index, slice):
            return Series(step, value, seconds)
        return Point(int(step), float(value), float(seconds))

    def __repr__(self) -> str:
        """Show how far it goes.

        Example:
            >>> Series.of([Point(1, 0.5), Point(7, 0.25)])
            <Series of 2 points, steps 1 to 7>
        """
        steps = f", steps {self.steps[0]} to {self.steps[-1]}" if len(self) else ""
        return f"<Series of {len(self)} point{'s' * (len(self) != 1)}{steps}>"
