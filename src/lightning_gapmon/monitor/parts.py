"""How the callback shows what its parts hold: attributes that are read through it."""

from operator import attrgetter
from typing import Generic, NoReturn, TypeVar, cast

T = TypeVar("T")


class Read(Generic[T]):
    """An attribute that a part of its owner holds under the same name, for reading only.

    Args:
        part: Where the part is, from its owner: `_settings.losses`.

    Example:
        >>> class Car:
        ...     speed = Read[int]("_motor")
        ...
        ...     def __init__(self, motor):
        ...         self._motor = motor
        >>> from types import SimpleNamespace
        >>> Car(SimpleNamespace(speed=90)).speed
        90
    """

    def __init__(self, part: str) -> None:
        self._part = part

    def __set_name__(self, owner: type, name: str) -> None:
        """Learn the attribute's name."""
        self._name, self._get = name, attrgetter(f"{self._part}.{name}")

    def __get__(self, whole: object, owner: type) -> T:
        """Ask the part; of the class itself, give what describes the attribute."""
        return cast("T", self if whole is None else self._get(whole))

    def __set__(self, whole: object, value: object) -> NoReturn:
        """Refuse, for a part would not know.

        Raises:
            AttributeError: Always.
        """
        kind = type(whole).__name__
        msg = (
            f"Found an assignment to {self._name} of a {kind}, which can only be read; options "
            f"are arguments: make another {kind}(...) for another value."
        )
        raise AttributeError(msg)
