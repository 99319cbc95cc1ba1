"""Which files are logs, which reader reads each, and the runs in all of them.

Each log is read in a fence of its own: what cannot be read is listed, and the rest is there.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from lightning_gapmon.analysis.study import Run
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs import gapmon_json
from lightning_gapmon.logs.event_files.reader import MARK, read_scalars
from lightning_gapmon.logs.places import Place, Where, local_copy, look, need_size, walk
from lightning_gapmon.logs.readers import csv_table, json_lines, mlflow, trainer_state, wandb_file
from lightning_gapmon.logs.readers.curves import is_wanted, run_of

REPORT = re.compile(r"gapmon(-\d+)?\.json")
SUFFIXES = (".csv", ".jsonl", ".wandb", *mlflow.SUFFIXES)
EXPECTED = (
    "TensorBoard event files, gapmon.json, metrics.csv, a Keras CSV log, trainer_state.json, "
    "JSON lines, a .wandb file or runs of MLflow"
)


@dataclass(frozen=True)
class Skipped:
    """Something that was not read, while the rest was.

    Attributes:
        path: The file or folder.
        reason: Why.
    """

    path: str
    reason: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True)
class Found:
    """What was found in some folders and files.

    Attributes:
        runs: The runs.
        skipped: What was not read.
    """

    runs: tuple[Run, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    def __add__(self, other: "Found") -> "Found":
        """Put what was found in two places together."""
        return Found(self.runs + other.runs, self.skipped + other.skipped)


@dataclass(frozen=True)
class Log:
    """A file or folder that is read as a whole.

    Attributes:
        place: Where it is.
        read: Reads it.
    """

    place: Place
    read: Callable[[Place], list[Run] | Found]

    def __str__(self) -> str:
        """Name it."""
        return self.place.path


def find_runs(paths: Iterable[Where]) -> Found:
    r"""Read the runs in folders and files, on this machine or behind URLs.

    Raises:
        LogFormatError: At one of the paths there is nothing, or no log.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "log.csv").write_text("epoch,loss,val_loss\n0,2,3\n1,1,2\n")
        ...     _ = Path(folder, "trainer_state.json").write_text("{}")
        ...     found = find_runs([folder])
        >>> [[*run.history.val] for run in found.runs]
        [[3.0, 2.0]]
        >>> [skipped.reason for skipped in found.skipped]
        ['log_history is NoneType; expected a list']
    """
    return sum(map(read_log, find_logs(paths)), Found())


def find_logs(paths: Iterable[Where]) -> list[Log]:
    """List what can be read: files as they are given, and the logs in folders.

    In a folder with a gapmon.json, that is all that is read, for it has all that was measured,
    unless it cannot be read; and where there are event files, no other file of that folder.

    Raises:
        LogFormatError: At one of the paths there is nothing, or no log.
    """
    found: list[Log] = []
    for path in paths:
        place = look(path)
        logs = [*_in_folder(place)] if place.kind == "folder" else [_given(place)]
        if not logs:
            msg = f"Found no log in it: {place.path}. Expected {EXPECTED}."
            raise LogFormatError(msg)
        found += logs
    return found


def _in_folder(folder: Place) -> Iterator[Log]:
    for place, inside in walk(folder.path):
        named = [entry for entry in inside if entry.kind != "folder" and _is_named(entry)]
        reports = [entry for entry in named if REPORT.fullmatch(entry.name)]
        if place.kind != "folder":
            yield Log(place, _refuse)
        elif reports:
            first, *others = map(_log, reports)
            events = any(MARK in entry.name for entry in named)
            yield replace(first, read=partial(_report_or_events, place)) if events else first
            yield from others
        elif any(MARK in entry.name for entry in named):
            yield Log(place, _event_files)
        elif mlflow.is_folder(inside):
            yield Log(place, mlflow.read_folder)
        else:
            yield from (_log(entry) for entry in named if _is_log(entry))


def _is_named(entry: Place) -> bool:
    """Whether it is a log by its name."""
    known = MARK in entry.name or REPORT.fullmatch(entry.name) or entry.name == trainer_state.NAME
    return bool(known) or entry.name.lower().endswith(SUFFIXES)


def _is_log(file: Place) -> bool:
    """Whether it is one by what is in it too: other things are kept in tables."""
    return not file.name.lower().endswith(".csv") or csv_table.is_log(file)


def _given(place: Place) -> Log:
    """Read a file that was named itself.

    Raises:
        LogFormatError: There is none, or it is no log by its name.
    """
    if place.kind != "file":
        msg = f"Found {place.says} there: {place.path}. Expected {EXPECTED}, or a folder."
        raise LogFormatError(msg)
    if _is_named(place) or place.name.lower().endswith(".json"):
        return _log(place)
    msg = f"Found {place.path}, which is no log by its name. Expected {EXPECTED}."
    raise LogFormatError(msg)


def _log(place: Place) -> Log:
    """Choose the reader of a log by its name."""
    if place.kind != "file":
        return Log(place, _refuse)
    if MARK in place.name:
        return Log(place, _event_files)
    if REPORT.fullmatch(place.name):
        return Log(place, _report)
    return Log(place, READERS[os.path.splitext(place.name)[1].lower()])  # noqa: PTH122 - or a URL


def read_log(log: Log) -> Found:
    """Read one log; what goes wrong is listed and never raised."""
    try:
        found = log.read(log.place)
    except LogFormatError as error:
        return Found(skipped=(Skipped(log.place.path, str(error)),))
    except OSError as error:
        reason = f"cannot be read ({error.strerror or error})"
        return Found(skipped=(Skipped(log.place.path, reason),))
    except Exception as error:  # noqa: BLE001 - one file, of whatever kind, must not end the rest
        reason = f"cannot be read ({type(error).__name__}: {error})"
        return Found(skipped=(Skipped(log.place.path, reason),))
    return found if isinstance(found, Found) else Found(tuple(found))


def _event_files(place: Place) -> Found:
    scalars = read_scalars(place.path, containing=is_wanted)
    skipped = tuple(
        Skipped(problem.path, f"byte {problem.offset}: {problem.reason}")
        for problem in scalars.problems
    )
    try:
        return Found((run_of(place.path, scalars),), skipped)
    except LogFormatError as error:
        return Found((), (*skipped, Skipped(place.path, str(error))))


def _report_or_events(folder: Place, report: Place) -> list[Run] | Found:
    """Read a report, or where that is not possible the event files beside it."""
    try:
        return _report(report)
    except LogFormatError as error:
        return Found(skipped=(Skipped(report.path, str(error)),)) + _event_files(folder)


def _report(place: Place) -> list[Run]:
    need_size(place)
    with local_copy(place) as path:
        outcome = gapmon_json.read(path)
    folder = place.path.removesuffix(place.name).rstrip("/\\") or place.path
    name = folder if place.name == gapmon_json.NAME else place.path
    return [Run(name=name, history=outcome.history, cut=outcome.stop_reason is not None)]


def _refuse(place: Place) -> Found:
    raise LogFormatError(place.says)


READERS: dict[str, Callable[[Place], list[Run]]] = {
    ".csv": csv_table.read,
    ".json": trainer_state.read,
    ".jsonl": json_lines.read,
    ".wandb": wandb_file.read,
    **dict.fromkeys(mlflow.SUFFIXES, mlflow.read_database),
}
