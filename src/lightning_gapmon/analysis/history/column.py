"""One quantity over all checks, as a sequence of floats."""

from collections.abc import Iterator, Sequence
from typing import overload

from lightning_gapmon.analysis.history.observation import Observation


class Column(Sequence[float]):
    """One quantity over all checks; a view, so that a prefix of a history costs nothing.

    It compares as a list of floats, and `list(column)` or `column.tolist()` is one.

    Example:
        >>> from lightning_gapmon import History
        >>> history = History.from_curves(train=[0.9, 0.5], val=[1.0, 0.7])
        >>> history.val[-1], history.val.tolist(), history.val == [1.0, 0.7]
        (0.7, [1.0, 0.7], True)
    """

    def __init__(self, checks: Sequence[Observation], name: str) -> None:
        self._checks, self._name = checks, name

    def __len__(self) -> int:
        """Count the checks."""
        return len(self._checks)

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> list[float]: ...
    def __getitem__(self, index: int | slice) -> float | list[float]:
        """Read one value, or a list of them."""
        if isinstance(index, slice):
            picked = (self._checks[i] for i in range(*index.indices(len(self))))
            return [getattr(seen, self._name) for seen in picked]
        value: float = getattr(self._checks[index], self._name)
        return value

    def __iter__(self) -> Iterator[float]:
        """Go through the values in the order of the checks."""
        return (getattr(seen, self._name) for seen in self._checks)

    def tolist(self) -> list[float]:
        """Copy the values into a list."""
        return list(self)

    def __eq__(self, other: object) -> bool:
        """Compare value by value, as a list does."""
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show the values."""
        return repr(list(self))


class ColumnOf:
    """A column as an attribute of the history, under its own name."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, checks: Sequence[Observation], owner: type) -> Column:
        return Column(checks, self._name)
