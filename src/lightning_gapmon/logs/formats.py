"""Finished runs out of the logs that trainers write."""

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lightning_gapmon.analysis.history.from_columns import RATES, find_pair, to_history
from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.series import Point, Series
from lightning_gapmon.analysis.loss_names import read_name
from lightning_gapmon.analysis.study import Run
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs.event_files.reader import MARK, read_scalars

STEPS = ("step", "global_step", "epoch")
TEXT = (".csv", ".json", ".jsonl")
REPORT = "gapmon.json"


def find_logs(paths: Iterable[Path]) -> list[Path]:
    """List what can be read: files as they are given, and in folders one log for each folder.

    Raises:
        LogFormatError: A path is not there, or there is no log in it.
    """
    found: list[Path] = []
    for path in paths:
        logs = [path] if path.is_file() else sorted(_in_folder(path))
        if not logs:
            what = "no log in it" if path.exists() else "nothing there"
            msg = (
                f"Found {what}: {path}. Expected TensorBoard event files, metrics.csv, "
                "trainer_state.json, a Keras CSV log or a .jsonl file of runs, or a folder with "
                "some of them."
            )
            raise LogFormatError(msg)
        found += logs
    return found


def _in_folder(folder: Path) -> Iterator[Path]:
    for place in filter(Path.is_dir, (folder, *folder.rglob("*"))):
        best = place / REPORT if (place / REPORT).is_file() else place
        if best != place or any(place.glob(f"*{MARK}*")):
            yield best
            continue
        files = [p for p in sorted(place.iterdir()) if p.suffix in TEXT and p.is_file()]
        yield from (p for p in files if p.suffix == ".jsonl" or _is_log(p))


def _is_log(path: Path) -> bool:
    if path.suffix == ".json":
        return path.name == "trainer_state.json"
    with path.open(newline="", encoding="utf-8", errors="replace") as lines:
        return find_pair(next(csv.reader(lines), [])) is not None


def read_runs(log: Path) -> list[Run]:
    """Read the runs of one log; none where it has no validation loss.

    Raises:
        LogFormatError: The file is not what its name says.
    """
    if log.is_dir():
        return _runs(log, read_scalars(log, containing=_is_wanted))
    readers: dict[str, Callable[[Path], list[Run]]] = {
        ".csv": lambda path: _runs(path, _table(path)),
        ".json": _gapmon if log.name == REPORT else _trainer_state,
        ".jsonl": _json_lines,
    }
    if log.suffix not in readers:
        is_events = "tfevents" in log.name
        if is_events:
            return _runs(log.parent, read_scalars(log.parent, containing=_is_wanted))
        msg = f"Found {log}; expected a .csv, .json or .jsonl file or TensorBoard event files."
        raise LogFormatError(msg)
    try:
        return readers[log.suffix](log)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"Found {log}, which cannot be read as {log.suffix}: {error!r}."
        raise LogFormatError(msg) from error


def _is_wanted(tag: str) -> bool:
    return tag == "epoch" or read_name(tag).is_loss or bool(RATES.search(tag))


def _runs(path: Path, columns: Mapping[str, Series], planned: int | None = None) -> list[Run]:
    pair = find_pair(columns)
    if pair is None:
        return []
    return [Run(name=str(path), history=to_history(columns, pair, planned=planned))]


def _table(path: Path) -> dict[str, Series]:
    with path.open(newline="", encoding="utf-8", errors="replace") as lines:
        return _columns(csv.DictReader(lines))


def _columns(rows: Iterable[Mapping[str, Any]]) -> dict[str, Series]:
    columns: dict[str, list[Point]] = {}
    for index, row in enumerate(rows):
        clean = {str(name).strip(): _float(value) for name, value in row.items()}
        steps = (clean.get(name) for name in STEPS)
        step = next((s for s in steps if s is not None and math.isfinite(s)), index)
        for name, value in clean.items():
            if value is not None:
                columns.setdefault(name, []).append(Point(int(step), value))
    by_step = {name: sorted(points, key=lambda p: p.step) for name, points in columns.items()}
    return {name: Series.of(points) for name, points in by_step.items()}


def _float(value: object) -> float | None:
    if not isinstance(value, (str, int, float)) or value == "":
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _gapmon(path: Path) -> list[Run]:
    plain = json.loads(path.read_text(encoding="utf-8"))
    history = plain["history"]
    columns = {name: [*map(_known, values)] for name, values in history["columns"].items()}
    run = History.from_plain({**history, "columns": columns})
    return [Run(name=str(path.parent), history=run, cut=plain.get("stop_reason") is not None)]


def _known(value: Any) -> Any:  # noqa: ANN401 - a number, or those of several loaders
    if isinstance(value, list):
        return [_known(part) for part in value]
    return math.nan if value is None else float(value) if isinstance(value, str) else value


def _trainer_state(path: Path) -> list[Run]:
    state = json.loads(path.read_text(encoding="utf-8"))
    columns = _columns(state["log_history"])
    runs = _runs(path, columns)
    most, every = state.get("max_steps") or 0, state.get("eval_steps") or 0
    if not (most > 0 and every >= 1):
        return runs
    plan = int(most // every)
    return [replace(run, history=History(run.history, planned=plan)) for run in runs]


def _json_lines(path: Path) -> list[Run]:
    with path.open(encoding="utf-8") as lines:
        return [_line(path, number, text) for number, text in enumerate(lines, 1) if text.strip()]


def _line(path: Path, number: int, text: str) -> Run:
    row = json.loads(text)
    val = _numbers(row["val"])
    history = History.from_curves(
        train=_numbers(row.get("train")) or [math.nan] * len(val),
        val=val,
        lr=_numbers(row.get("lr")) or None,
        planned=row.get("planned"),
    )
    return Run(
        name=str(row.get("id", f"{path.name}:{number}")),
        group=str(row.get("repo") or row.get("group") or ""),
        history=history,
        cut=bool(row.get("es_suspect")),
    )


def _numbers(values: Iterable[float | None] | None) -> list[float]:
    return [math.nan if value is None else float(value) for value in values or ()]
