"""Runs that MLflow keeps in files or in a SQLite database, read without its package."""

import math
import sqlite3
import sys
from collections.abc import Iterable
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from time import monotonic

from lightning_gapmon.analysis.history.series import Series
from lightning_gapmon.analysis.study import Run
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs.columns import FURTHEST_STEP, Columns, restarted
from lightning_gapmon.logs.places import Place, entries, local_copy, read_lines, walk
from lightning_gapmon.logs.readers.curves import is_wanted, run_of
from lightning_gapmon.logs.readers.table import number

METRICS, ABOUT = "metrics", "meta.yaml"  # in the folder of each run
LONGEST_QUERY = 60.0  # seconds
STEPS_BETWEEN_LOOKS = 100_000  # of the database at the clock
SUFFIXES = (".db", ".sqlite", ".sqlite3")
MOST_ROWS = 5_000_000
QUERY = """
    SELECT runs.run_uuid, runs.name, key, step, value, is_nan, timestamp
    FROM metrics JOIN runs ON runs.run_uuid = metrics.run_uuid
    ORDER BY runs.start_time, runs.run_uuid, key, timestamp, step LIMIT ?
"""
MILLISECONDS = 1000

Row = tuple[float, float, float]  # step, value, seconds


def is_folder(inside: Iterable[Place]) -> bool:
    """Say whether a folder with this in it is that of a run."""
    kinds = {place.name: place.kind for place in inside}
    return kinds.get(METRICS) == "folder" and kinds.get(ABOUT) == "file"


def read_folder(place: Place) -> list[Run]:
    """Read the run whose folder this is.

    Raises:
        LogFormatError: There is no validation loss.
    """
    root = next(entry.path for entry in entries(place.path) if entry.name == METRICS)
    columns = {}
    for _, inside in walk(root):
        for file in inside:
            name = file.path[len(root) + 1 :].replace("\\", "/")
            if file.kind == "file" and is_wanted(name):
                columns[name] = _series(map(_line, read_lines(file)))
    return [run_of(place.path, {name: found for name, found in columns.items() if found})]


def read_database(place: Place) -> list[Run]:
    """Read the runs in a database that have a validation loss.

    Raises:
        LogFormatError: It is no database of MLflow, or no run has a validation loss.
    """
    runs, reason = [], LogFormatError("a database of MLflow without runs that have metrics")
    for (run, name), metrics in groupby(_rows(place), key=itemgetter(0, 1)):
        columns = {
            str(key): _series(_cells(row) for row in rows)
            for key, rows in groupby(metrics, key=itemgetter(2))
            if is_wanted(str(key))
        }
        try:
            runs.append(run_of(f"{place.path} ({name or run})", columns))
        except LogFormatError as error:
            reason = error
    if not runs:
        raise reason
    return runs


def _rows(place: Place) -> list[tuple[object, ...]]:
    with local_copy(place) as path:
        until = monotonic() + LONGEST_QUERY
        try:
            # Opened so that nothing can be written, and no schema is trusted with functions.
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
                base.execute("PRAGMA trusted_schema = OFF")
                base.text_factory = _text
                base.set_progress_handler(lambda: monotonic() > until, STEPS_BETWEEN_LOOKS)
                return base.execute(QUERY, (MOST_ROWS,)).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:  # its messages quote the file
            msg = f"no database of MLflow: {str(error) or 'its schema is damaged'}"
            raise LogFormatError(msg) from error


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


def _cells(row: tuple[object, ...]) -> Row | None:
    step, value, is_nan, stamp = map(number, row[3:])
    if step is None or value is None or stamp is None:
        return None
    return step, math.nan if is_nan else value, stamp / MILLISECONDS


def _line(line: str) -> Row | None:
    stamp, value, step = map(number, (*line.split(), "", "", "")[:3])
    if stamp is None or value is None or step is None:
        return None
    return step, value, stamp / MILLISECONDS


def _series(rows: Iterable[Row | None]) -> Series:
    kept = [row for row in rows if row and abs(row[0]) < FURTHEST_STEP]
    if not kept:
        return Series((), (), ())
    steps, values, seconds = zip(*kept, strict=True)
    return restarted(Columns.of([*map(int, steps)], [*map(_value, values)], seconds))


def _value(value: float) -> float:
    """Give back the infinity that MLflow writes as the largest number there is."""
    return math.copysign(math.inf, value) if abs(value) == sys.float_info.max else value
