"""JSON that may be anything, checked value by value."""

import json
import math
from collections.abc import Mapping
from typing import Any, TypeVar

from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs.readers.table import number

Kind = TypeVar("Kind")
KINDS: dict[type, str] = {dict: "an object", list: "a list"}


def parse(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Read JSON.

    Raises:
        LogFormatError: It is none, or nested more deeply than a log.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"no JSON: {error}"
        raise LogFormatError(msg) from error


def need(value: object, kind: type[Kind], what: str) -> Kind:
    """Check what kind of value is there.

    Raises:
        LogFormatError: It is another.
    """
    if not isinstance(value, kind):
        msg = f"{what} is {type(value).__name__}; expected {KINDS[kind]}"
        raise LogFormatError(msg)
    return value


def numbers(row: Mapping[str, Any], name: str) -> list[float]:
    """Read a list of numbers; null is not measured, and so is what is no number.

    Raises:
        LogFormatError: There is something else than a list.
    """
    cells = (number(cell) for cell in need(row.get(name) or [], list, f"{name!r}"))
    return [math.nan if cell is None else cell for cell in cells]


def count(row: Mapping[str, Any], name: str) -> int | None:
    """Read a count; None where there is none."""
    found = number(row.get(name))
    return int(found) if found is not None and 1 <= found < math.inf else None
