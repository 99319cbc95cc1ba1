"""MLflow's two stores, files and SQLite, in the layout that MLflow gives them."""

import math
import re
import sqlite3
import sys
from pathlib import Path

import pytest
from tests.logs.readers.stores import TABLES, TRAIN, VAL
from tests.logs.readings import read_all, read_one, refusal

from lightning_gapmon.logs.readers import mlflow


def _files(folder: Path) -> Path:
    run = folder / "mlruns" / "0" / "abc"
    (run / "metrics" / "train").mkdir(parents=True)
    (run / "metrics" / "val").mkdir()
    (run / "meta.yaml").write_text("run_name: one\n")
    for name, values in {"train/loss": TRAIN, "val/loss": VAL, "epoch": range(3)}.items():
        lines = [f"{1000 * step} {value} {step}" for step, value in enumerate(values)]
        (run / "metrics" / name).write_text("\n".join(lines) + "\n")
    (run / "metrics" / "val" / "accuracy").write_text("no metric")
    return run


def _database(path: Path, runs: dict[str, dict[str, list[float]]]) -> Path:
    with sqlite3.connect(path) as base:
        base.executescript(TABLES)
        for start, (run, metrics) in enumerate(runs.items()):
            base.execute("INSERT INTO runs VALUES (?, ?, ?)", (run, f"name of {run}", start))
            base.executemany(
                "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (key, 0 if math.isnan(value) else value, 1000 * i, run, i, math.isnan(value))
                    for key, values in metrics.items()
                    for i, value in enumerate(values)
                ],
            )
    base.close()
    return path


def test_reads_a_run_in_files(tmp_path: Path) -> None:
    """Names with slashes are folders there."""
    folder = _files(tmp_path)
    run = read_one(tmp_path)

    assert run.name == str(folder)
    assert [run.history.train, run.history.val, run.history.epoch] == [TRAIN, VAL, [0, 1, 2]]
    assert run.history.seconds == [0.0, 1.0, 2.0]


def test_lines_that_are_no_points_are_passed_over(tmp_path: Path) -> None:
    """A line may be half written."""
    folder = _files(tmp_path)
    with (folder / "metrics" / "val" / "loss").open("a") as file:
        file.write("oops\n3000 1.0 1e300\n3000 0.5 3\n40")

    assert read_one(tmp_path).history.val == [*VAL, 0.5]


def test_reads_the_runs_in_a_database(tmp_path: Path) -> None:
    """In the order in which they started; NaN and infinity are what they were."""
    largest = sys.float_info.max  # which MLflow writes for infinity
    runs = {
        "b": {"train_loss": TRAIN, "val_loss": VAL},
        "a": {"train_loss": [1.0, 2.0], "val_loss": [math.nan, largest]},
        "c": {"accuracy": [0.5]},
    }
    path = _database(tmp_path / "mlflow.db", runs)
    one, two = read_all(tmp_path)

    assert [one.name, two.name] == [f"{path} (name of b)", f"{path} (name of a)"]
    assert [one.history.train, one.history.val] == [TRAIN, VAL]
    assert repr(two.history.val) == "[nan, inf]"


def test_a_database_that_holds_other_things_is_refused(tmp_path: Path) -> None:
    """One of another program, no database, one without metrics, one without a validation loss."""
    other, text = tmp_path / "other.db", tmp_path / "text.db"
    sqlite3.connect(other).close()
    text.write_text("no database")

    assert refusal(other) == "no database of MLflow: no such table: metrics"
    assert refusal(text) == "no database of MLflow: file is not a database"
    empty = refusal(_database(tmp_path / "empty.db", {}))
    assert empty == "a database of MLflow without runs that have metrics"
    broken = tmp_path / "broken.db"
    broken.write_bytes(
        (tmp_path / "empty.db").read_bytes().replace(b"CREATE TABLE m", b"CREATE \xd4ABLE m")
    )
    # Python 3.10 cannot show SQLite's message, which quotes the file; later ones fail to read it.
    codec, damaged = "'utf-8' codec can't decode byte 0xd4 in pos", "its schema is damaged"
    assert re.match(f"no database of MLflow: ({codec}|{damaged})", refusal(broken))
    runs = {"a": {"train_loss": [1.0]}}
    assert (
        refusal(_database(tmp_path / "train.db", runs)) == "no validation loss beside train_loss"
    )


def test_odd_values_in_a_database_are_passed_over(tmp_path: Path) -> None:
    """SQLite holds anything in any column."""
    path = _database(tmp_path / "mlflow.db", {"a": {"val_loss": VAL}})
    with sqlite3.connect(path) as base:
        base.execute("INSERT INTO metrics VALUES (?, 'x', x'ff', 'a', NULL, 'y')", (b"\xff",))
        base.execute("INSERT INTO metrics VALUES ('val_loss', 'x', 'y', 'a', NULL, 'y')")
    base.close()

    assert read_one(path).history.val == VAL


def test_a_query_that_takes_for_ever_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database may hold anything, also what looks like a table and never ends."""
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as base:
        base.executescript(
            "CREATE TABLE runs (run_uuid, name, start_time); INSERT INTO runs VALUES (1, 1, 1);"
            "CREATE VIEW metrics AS WITH RECURSIVE c(x) AS "
            "(SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT 2 AS run_uuid, 'k' AS key, 1 AS step,"
            " 1 AS value, 0 AS is_nan, 1 AS timestamp FROM c WHERE x < 0;"
        )
    base.close()
    monkeypatch.setattr(mlflow, "LONGEST_QUERY", 0.2)

    assert refusal(path) == "no database of MLflow: interrupted"
