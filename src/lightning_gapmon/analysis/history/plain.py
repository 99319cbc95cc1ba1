"""Checks as columns of plain numbers, for checkpoints and JSON."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.errors import HistoryError

FIELDS = tuple(field.name for field in dataclasses.fields(Observation))
DERIVED = ("train_fair", "train_fair_stderr", "gap", "gap_relative", "gap_stderr")
COUNTERS = ("check", "epoch", "step")
COUNTS = (
    "train_n",
    "val_n",
    "planned",
)  # floats, for a weight may be a fraction, but mostly whole


def to_columns(observations: Iterable[Observation]) -> dict[str, list[Any]]:
    """Turn checks into one list a quantity; columns that were never measured are left out."""
    seen = list(observations)
    columns = {name: [getattr(check, name) for check in seen] for name in FIELDS}
    for name in COUNTS:
        columns[name] = [_shorter(value) for value in columns[name]]
    columns["loaders"] = [list(losses) for losses in columns["loaders"]]
    return {name: values for name, values in columns.items() if any(map(_measured, values))}


def _shorter(value: float) -> float:
    """Write a whole number as one: a third of the bytes in a pickle."""
    return int(value) if float(value).is_integer() else value


def _measured(value: float | Sequence[float]) -> bool:
    return not math.isnan(value) if isinstance(value, (int, float)) else bool(value)


def strict(value: Any) -> Any:  # noqa: ANN401 - any value that JSON can hold
    """Write what strict JSON has no number for: NaN, not measured, is null; infinity is a text.

    Example:
        >>> strict({"val": [1.5, math.nan, -math.inf]})
        {'val': [1.5, None, '-Infinity']}
    """
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {name: strict(item) for name, item in value.items()}
    return [strict(item) for item in value] if isinstance(value, (list, tuple)) else value


def from_columns(columns: Mapping[str, Sequence[Any]]) -> list[Observation]:
    """Turn columns back into checks.

    Raises:
        HistoryError: A column is unknown or missing, or they are of different lengths.
    """
    _refuse_odd(columns)
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    for row in rows:
        row["loaders"] = tuple(row.get("loaders", ()))
        row.update({name: float(row[name]) for name in COUNTS if name in row})
    return [Observation(**row) for row in rows]


def _refuse_odd(columns: Mapping[str, Sequence[Any]]) -> None:
    unknown = sorted(set(columns) - set(FIELDS))
    missing = sorted(set(COUNTERS) - set(columns)) if columns else []
    lengths = {name: len(values) for name, values in columns.items()}
    if unknown or missing or len(set(lengths.values())) > 1:
        msg = (
            f"Found a history with unknown columns {unknown}, missing columns {missing} and "
            f"lengths {lengths}; expected columns of one length, named as in Observation. "
            "It was changed by hand or cut short: use the previous checkpoint."
        )
        raise HistoryError(msg)
