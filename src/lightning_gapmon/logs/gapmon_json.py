"""`gapmon.json`: all that is known of a run, for programs and for later."""

import json
import os
from pathlib import Path
from typing import Any

from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.errors import GapMonitorError, LogFormatError
from lightning_gapmon.logs.gapmon_json_schema import from_plain, to_plain

NAME = "gapmon.json"


def write(outcome: Outcome, path: str | os.PathLike[str]) -> None:
    """Write a run as strict JSON; a reader finds the old file or the new one, nothing between.

    Example:
        >>> import tempfile
        >>> from lightning_gapmon import History
        >>> from lightning_gapmon.analysis.verdicts.diagnose import diagnose
        >>> history = History.from_curves(train=[2.0], val=[float("nan")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "gapmon.json")
        ...     write(Outcome(history=history, diagnosis=diagnose(history)), path)
        ...     read(path).history == history
        True
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        unfinished.write_text(_laid_out(to_plain(outcome)) + "\n", encoding="ascii")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def read(path: str | os.PathLike[str]) -> Outcome:
    """Read what `write` wrote.

    Raises:
        LogFormatError: There is no such file, or it is not what `write` writes.
    """
    try:
        return from_plain(_parsed(Path(path).read_bytes()))
    except OSError as error:
        msg = (
            f"Found no file to read at {os.fspath(path)} ({error.strerror}); expected the {NAME} "
            "that a monitored run leaves beside its logs. Give the path of that file."
        )
        raise LogFormatError(msg) from error
    except GapMonitorError as error:
        msg = f"{os.fspath(path)} cannot be read. {error}"
        raise LogFormatError(msg) from error


def _parsed(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = (
            f"Found no JSON ({error}), expected a whole {NAME}. It was cut short or changed by "
            "hand: restore it, or run the training again."
        )
        raise LogFormatError(msg) from error


def _laid_out(value: Any, indent: str = "") -> str:  # noqa: ANN401 - any JSON value
    """Write JSON with each column of the history on a line of its own."""
    if not isinstance(value, dict) or not any(isinstance(v, (dict, list)) for v in value.values()):
        return json.dumps(value, allow_nan=False)
    inner = indent + "  "
    items = (f"{inner}{json.dumps(k)}: {_laid_out(v, inner)}" for k, v in value.items())
    return "{\n" + ",\n".join(items) + f"\n{indent}}}"
