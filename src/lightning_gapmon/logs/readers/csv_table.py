"""CSV logs: Lightning's `metrics.csv`, Keras' `CSVLogger`, and tables like them."""

import csv
from collections.abc import Iterator

from lightning_gapmon.analysis.history.from_columns import find_pair
from lightning_gapmon.analysis.study import Run
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs.places import Place, read_lines
from lightning_gapmon.logs.readers.table import Table, runs_of

SEPARATORS = ",;\t"  # Keras lets one choose


def is_log(place: Place) -> bool:
    """Say whether the first line names a validation loss."""
    try:
        return find_pair(next(_rows(place), [])) is not None
    except (LogFormatError, OSError):
        return True  # whoever reads it will say why not


def read(place: Place) -> list[Run]:
    """Read one run, or one for each training that was appended.

    Raises:
        LogFormatError: It is no log.
    """
    rows = _rows(place)
    header = next(rows, [])
    table = Table()
    for row in rows:
        if row == header:
            table.begin()
        elif row:
            table.add(dict(zip(header, row, strict=False)))
    return runs_of(place.path, table)


def _rows(place: Place) -> Iterator[list[str]]:
    lines = read_lines(place)
    first = next(lines, "").removeprefix("\ufeff")
    separator = max(SEPARATORS, key=first.count)
    try:
        for row in csv.reader(_first_again(first, lines), delimiter=separator):
            yield [cell.strip() for cell in row]
    except csv.Error as error:
        msg = f"no table: {error}"
        raise LogFormatError(msg) from error


def _first_again(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines
