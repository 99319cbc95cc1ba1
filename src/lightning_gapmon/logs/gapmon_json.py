"""`gapmon.json`: all that is known of a run, written and read back, with every value checked."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar, get_args

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.history.plain import COUNTERS, strict
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.outlook.outlook import Outlook
from lightning_gapmon.analysis.rules.rule import StopReason
from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis, Form, Verdict
from lightning_gapmon.errors import GapMonitorError, LogFormatError
from lightning_gapmon.logs.places import write_whole

NAME, NUMBERED = "gapmon.json", "gapmon-{}.json"  # of the first fit in a folder, of later ones
FORMAT, VERSION = "gapmon", 1
# Strict JSON has no such numbers; NaN, which means `not measured`, is null.
INFINITE = {"Infinity": math.inf, "-Infinity": -math.inf}
KINDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    bool: "true or false",
}
LONGEST_SHOWN = 40
SEVERITIES = ("info", "warning", "error")

Kind = TypeVar("Kind")
Plain = Mapping[str, Any]  # what JSON holds: checked value by value below


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
    write_whole(path, (to_text(outcome) + "\n").encode("ascii"))


def read(path: str | os.PathLike[str]) -> Outcome:
    """Read what `write` wrote.

    Raises:
        LogFormatError: There is no such file, or it is not what `write` writes.
    """
    try:
        return from_text(Path(path).read_bytes())
    except OSError as error:
        msg = (
            f"Found no file to read at {os.fspath(path)} ({error.strerror}); expected the {NAME} "
            "that a monitored run leaves beside its logs. Give the path of that file."
        )
        raise LogFormatError(msg) from error
    except GapMonitorError as error:
        msg = f"{os.fspath(path)} cannot be read. {error}"
        raise LogFormatError(msg) from error


def to_text(outcome: Outcome) -> str:
    """Give a run as the text of its file."""
    return _laid_out(_plain(outcome))


def from_text(text: str | bytes) -> Outcome:
    """Read what `to_text` gave.

    Raises:
        LogFormatError: It is something else.
    """
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = (
            f"Found no JSON ({error}), expected a whole {NAME}. It was cut short or changed by "
            "hand: restore it, or run the training again."
        )
        raise LogFormatError(msg) from error
    return _outcome(plain)


def _laid_out(value: Any, indent: str = "") -> str:  # noqa: ANN401 - any JSON value
    """Write JSON with each column of the history on a line of its own."""
    if not isinstance(value, dict) or not any(isinstance(v, (dict, list)) for v in value.values()):
        return json.dumps(value, allow_nan=False)
    inner = indent + "  "
    items = (f"{inner}{json.dumps(k)}: {_laid_out(v, inner)}" for k, v in value.items())
    return "{\n" + ",\n".join(items) + f"\n{indent}}}"


def _plain(outcome: Outcome) -> dict[str, Any]:
    """Turn a run into dicts, lists, strings and numbers that strict JSON can hold.

    The best and the last check are there a second time, with their gap, for those who look
    nothing else up; they are not read back.
    """
    history, reason = outcome.history, outcome.stop_reason
    best = history.best
    written = {
        "format": FORMAT,
        "version": VERSION,
        "best": _check(best) if best else None,
        "last": _check(history[-1]) if history else None,
        "ended": outcome.ended,
        "diagnosis": asdict(outcome.diagnosis),
        "stop_reason": asdict(reason) if reason else None,
        "outlook": asdict(outcome.outlook),
        "interrupted_by": outcome.interrupted_by,
        "kept": outcome.kept,
        "restored": outcome.restored,
        "source": outcome.source,
        "best_path": outcome.best_path,
        "log_dir": outcome.log_dir,
        "notes": outcome.notes,
        "history": history.to_plain(),
    }
    return {name: strict(value) for name, value in written.items()}


def _outcome(plain: object) -> Outcome:
    """Turn it back."""
    found = _need("document", plain, dict)
    _need_version(found)
    reason = found.get("stop_reason")
    return Outcome(
        history=_history(_field(found, "history", dict)),
        ended=_need("ended", found.get("ended", True), bool),  # a log without it is of the end
        diagnosis=_diagnosis(_field(found, "diagnosis", dict)),
        stop_reason=None if reason is None else _reason(_need("stop_reason", reason, dict)),
        outlook=_outlook(_field(found, "outlook", dict)),
        interrupted_by=_field(found, "interrupted_by", str),
        kept=_check_number(found, "kept"),
        restored=_field(found, "restored", bool),
        source=_field(found, "source", str),
        best_path=_field(found, "best_path", str),
        log_dir=_field(found, "log_dir", str),
        notes=_texts(found, "notes"),
    )


def _need_version(found: Plain) -> None:
    name, version = found.get("format"), found.get("version")
    if name != FORMAT or version != VERSION:
        msg = (
            f"Found format {name!r}, version {version!r}; expected {FORMAT!r}, version {VERSION}. "
            "Read it with the version of lightning_gapmon that wrote it."
        )
        raise LogFormatError(msg)


def _check(seen: Observation) -> dict[str, Any]:
    gap = seen.measured_gap
    return {
        "check": seen.check,
        "epoch": seen.epoch,
        "step": seen.step,
        "train": seen.train,
        "train_fair": gap.train_fair,
        "basis": gap.basis,
        "val": seen.val,
        "gap": gap.absolute,
        "gap_relative": gap.relative,
        "gap_stderr": gap.stderr,
        "gap_low": gap.low,
        "gap_high": gap.high,
    }


def _history(plain: Plain) -> History:
    columns = {
        name: [_value(name, item) for item in _need(f"column {name!r}", column, list)]
        for name, column in _field(plain, "columns", dict).items()
    }
    planned, start = plain.get("planned"), plain.get("start")
    return History.from_plain(
        {
            "version": plain.get("version"),
            "planned": None if planned is None else _need("planned", planned, int),
            "start": None if start is None else _start(_need("start", start, dict)),
            "columns": columns,
        }
    )


def _start(plain: Plain) -> Plain:
    """Read the loss before training; what does not belong there, the history refuses."""
    return {
        name: _need(name, item, bool) if name == "whole" else _number(name, item)
        for name, item in plain.items()
    }


def _value(column: str, item: object) -> object:
    if column in COUNTERS:
        return _need(column, item, int)
    if column == "loaders":
        return [_number(column, loss) for loss in _need(column, item, list)]
    return _number(column, item)


def _number(name: str, item: object) -> float:
    """Read a number as strict JSON writes it."""
    if item is None:
        return math.nan
    if isinstance(item, str) and item in INFINITE:
        return INFINITE[item]
    if isinstance(item, float) or (type(item) is int and abs(item) <= 2**1023):
        return item
    raise _odd(name, item, "a number, null or an infinity as text")


def _diagnosis(plain: Plain) -> Diagnosis:
    evidence, form = _evidence(plain), plain.get("form")
    return Diagnosis(
        verdict=_one_of(plain, "verdict", get_args(Verdict)),
        form=None if form is None else _one_of(plain, "form", get_args(Form)),
        severity=_one_of(plain, "severity", SEVERITIES),
        message=_field(plain, "message", str),
        evidence=evidence,
        since=_check_number(plain, "since"),
        best=_check_number(plain, "best"),
        remedies=_texts(plain, "remedies"),
    )


def _reason(plain: Plain) -> StopReason:
    return StopReason(
        rule=_field(plain, "rule", str),
        message=_field(plain, "message", str),
        check=_field(plain, "check", int),
        evidence=_evidence(plain),
    )


def _outlook(plain: Plain) -> Outlook:
    names = ("chance", "by", "final", "final_low", "final_high", "half_in")
    numbers = {name: _number(name, plain.get(name)) for name in names}
    reason = _field(plain, "reason", str)
    if math.isnan(numbers["chance"]) and not reason:
        name = "chance"
        raise _odd(name, None, "a number where no reason says why there is none")
    return Outlook(**numbers, reason=reason)


def _evidence(plain: Plain) -> dict[str, float]:
    return {name: _number(name, item) for name, item in _field(plain, "evidence", dict).items()}


def _check_number(plain: Plain, name: str) -> int | None:
    found = plain.get(name)
    return None if found is None else _need(name, found, int)


def _texts(plain: Plain, name: str) -> tuple[str, ...]:
    return tuple(_need(name, item, str) for item in _field(plain, name, list))


def _one_of(plain: Plain, name: str, known: Sequence[str]) -> Any:  # noqa: ANN401 - a Literal
    found = _field(plain, name, str)
    if found not in known:
        raise _odd(name, found, f"one of {', '.join(known)}")
    return found


def _field(plain: Plain, name: str, kind: type[Kind]) -> Kind:
    return _need(name, plain.get(name), kind)


def _need(name: str, found: object, kind: type[Kind]) -> Kind:
    if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
        raise _odd(name, found, KINDS[kind])
    return found


def _odd(name: str, found: object, expected: str) -> LogFormatError:
    shown = repr(found)
    shown = shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}..."
    msg = (
        f"Found {name} = {shown}, expected {expected}. The file was changed by hand, or is of "
        "another version: run the training again, or restore the file."
    )
    return LogFormatError(msg)
