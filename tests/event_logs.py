"""Event files with scalars, as a Trainer with a TensorBoard logger leaves them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tests import curves

PER_EPOCH = 10  # steps
BEGAN = 1_700_000_000.0


def write_scalars(
    folder: Path,
    scalars: Mapping[str, Sequence[tuple[int, float]]],
    *,
    state: Summary | None = None,
    state_at: int = 0,
) -> None:
    """Write scalars, each a list of steps and values, and a summary of another kind at a step."""
    before = set(folder.glob("*"))
    writer = EventFileWriter(str(folder))
    points = sorted((step, tag, value) for tag, rows in scalars.items() for step, value in rows)
    for step, tag, value in points:
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        writer.add_event(Event(wall_time=BEGAN + step, step=step, summary=summary))
    if state is not None:
        writer.add_event(Event(wall_time=BEGAN + state_at, step=state_at, summary=state))
    writer.close()
    # TensorBoard reads files by name; those of one second have no order by themselves.
    (written,) = set(folder.glob("*")) - before
    written.rename(folder / f"events.out.tfevents.{BEGAN + len(before):.0f}.0")


def plain_log(
    folder: Path, shape: curves.Shape = curves.u_shape, *, checks: int = 20, seed: int = 0
) -> None:
    """Write what a module logs that knows nothing of a monitor: loss, accuracy, rate, epoch."""
    train, val = curves.draw(shape, checks=checks, noise=0.01, seed=seed)
    ends = [PER_EPOCH * (epoch + 1) - 1 for epoch in range(checks)]
    steps = range(4, PER_EPOCH * checks, 5)
    columns: dict[str, list[Any]] = {
        "train_loss_epoch": train,
        "val_loss": val,
        "train_acc": [1 - loss / 4 for loss in train],
        "val_acc": [1 - loss / 4 for loss in val],
        "lr-SGD": [0.1 if epoch < checks // 2 else 0.01 for epoch in range(checks)],
        "epoch": list(range(checks)),
    }
    scalars = {tag: list(zip(ends, values, strict=True)) for tag, values in columns.items()}
    scalars["train_loss_step"] = [(step, train[step // PER_EPOCH] * 1.1) for step in steps]
    write_scalars(folder, scalars)
