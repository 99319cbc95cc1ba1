"""One quantity over all checks, as a sequence of floats."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from lightning_gapmon.analysis.history.history import History


class Column(Sequence[float]):
    """One quantity over all checks; a view, so that a prefix of a history costs nothing."""

    def __init__(self, history: "History", name: str) -> None:
        self._history, self._name = history, name

    def __len__(self) -> int:
        """Count the checks."""
        return len(self._history)

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> list[float]: ...
    def __getitem__(self, index: int | slice) -> float | list[float]:
        """Read one value, or a list of them."""
        if isinstance(index, slice):
            picked = (self._history[i] for i in range(*index.indices(len(self))))
            return [getattr(seen, self._name) for seen in picked]
        value: float = getattr(self._history[index], self._name)
        return value

    def __iter__(self) -> Iterator[float]:
        """Go through the values in the order of the checks."""
        return (getattr(seen, self._name) for seen in self._history)

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

    def __get__(self, history: "History", owner: type) -> Column:
        return Column(history, self._name)
