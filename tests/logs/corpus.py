"""A small log of every format, for whoever damages them."""

import json
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

from tensorboard.compat.proto.summary_pb2 import Summary
from tests.logs.event_files.written import event, simple, tensor, write
from tests.logs.readers.stores import TABLES, TRAIN, VAL, wandb_run

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.verdicts.diagnose import diagnose
from lightning_gapmon.logs import gapmon_json

EVENTS = "events.out.tfevents.1"


def _events(path: Path) -> None:
    records = [event([], 0)]
    for step, (train, val) in enumerate(zip(TRAIN, VAL, strict=True)):
        records += [
            simple("loss/train", step, train),
            tensor("loss/val", step, dtype=1, float_val=[val]),
            event([Summary.Value(tag=tag, simple_value=1.0) for tag in ("lr", "epoch")], step),
        ]
    write(path.parent, records, path.name)


def _report(path: Path) -> None:
    history = History.from_curves(train=TRAIN, val=VAL, planned=9)
    gapmon_json.write(Outcome(history=history, diagnosis=diagnose(history)), path)


def _table(path: Path) -> None:
    rows = [f"{i},{t},{v},0.1" for i, (t, v) in enumerate(zip(TRAIN, VAL, strict=True))]
    path.write_text("\n".join(["epoch,loss,val_loss,lr", *rows]))


def _trainer_state(path: Path) -> None:
    rows = [
        {"step": step, "epoch": step, "loss": train, "eval_loss": val, "learning_rate": 0.1}
        for step, (train, val) in enumerate(zip(TRAIN, VAL, strict=True), start=1)
    ]
    state = {"log_history": rows, "eval_steps": 1, "max_steps": 9, "num_train_epochs": 9}
    path.write_text(json.dumps(state))


def _lines(path: Path) -> None:
    path.write_text(json.dumps({"id": "a", "train": TRAIN, "val": VAL, "planned": 9}) + "\n")


def _rows(path: Path) -> None:
    rows = [{"step": i, "train_loss": t, "val_loss": t} for i, t in enumerate(TRAIN)]
    path.write_text("\n".join(map(json.dumps, rows)))


def _wandb(path: Path) -> None:
    path.write_bytes(wandb_run(old=False))


def _database(path: Path) -> None:
    with sqlite3.connect(path) as base:
        base.executescript(f"PRAGMA page_size = 512; {TABLES}")
        base.execute("INSERT INTO runs VALUES ('a', 'one', 1)")
        base.executemany(
            "INSERT INTO metrics VALUES ('val_loss', ?, 1, 'a', ?, 0)",
            [(val, step) for step, val in enumerate(VAL)],
        )
    base.close()


WRITERS: dict[str, Callable[[Path], None]] = {
    EVENTS: _events,
    "gapmon.json": _report,
    "log.csv": _table,
    "trainer_state.json": _trainer_state,
    "runs.jsonl": _lines,
    "rows.jsonl": _rows,
    "run.wandb": _wandb,
    "mlflow.db": _database,
}


def corpus() -> dict[str, bytes]:
    """Write each log and give its bytes, by file name."""
    with tempfile.TemporaryDirectory() as folder:
        for name, written in WRITERS.items():
            written(Path(folder, name))
        return {name: Path(folder, name).read_bytes() for name in WRITERS}
