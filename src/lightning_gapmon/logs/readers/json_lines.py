"""JSON lines: a run in each line, or a row of one run's log in each."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lightning_gapmon.analysis.history.from_columns import Pair
from lightning_gapmon.analysis.study import Run
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs.columns import Columns, restarted
from lightning_gapmon.logs.places import Place, read_lines
from lightning_gapmon.logs.readers.curves import paired
from lightning_gapmon.logs.readers.json_text import count, need, numbers, parse
from lightning_gapmon.logs.readers.table import Table, runs_of

CURVES = Pair("val", "train", "lr")


def read(place: Place) -> list[Run]:
    """Read the runs in a file.

    Raises:
        LogFormatError: A line is no JSON object, or no run has a validation loss.
    """
    runs, table = [], Table()
    for line, text in enumerate(read_lines(place), start=1):
        if not text.strip():
            continue
        try:
            row = need(parse(text), dict, "it")
            if isinstance(row.get("val"), list):
                runs.append(_run(row, f"{place.name}:{line}"))
            else:
                table.add(row)
        except LogFormatError as error:
            msg = f"line {line}: {error}"
            raise LogFormatError(msg) from error
    return runs or runs_of(place.path, table)


def _run(row: Mapping[str, Any], name: str) -> Run:
    curves = {curve: numbers(row, curve) for curve in ("val", "train", "lr")}
    sizes = {curve: len(values) for curve, values in curves.items() if values}
    if len(set(sizes.values())) > 1:
        msg = f"curves of different lengths, {sizes}; expected a point of each for each check"
        raise LogFormatError(msg)
    curves["epoch"] = [*map(float, range(len(curves["val"])))]
    columns = {
        curve: restarted(Columns.of(range(1, len(values) + 1), values))
        for curve, values in curves.items()
    }
    called, planned = str(row.get("id", name)), count(row, "planned")
    run = paired(called, columns, CURVES, gaps=True, planned=planned)
    group = str(row.get("repo") or row.get("group") or "")
    return replace(run, group=group, cut=bool(row.get("es_suspect")))
