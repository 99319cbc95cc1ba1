"""Event files as TensorBoard's own writer makes them, record by record."""

from collections.abc import Iterable
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.summary.writer.record_writer import RecordWriter

NAME = "events.out.tfevents.1"


def simple(tag: str, step: int, value: float, seconds: float = 1e9) -> bytes:
    """Make an event with one scalar, in the old way."""
    return event([Summary.Value(tag=tag, simple_value=value)], step, seconds)


def tensor(tag: str, step: int, seconds: float = 1e9, **fields: object) -> bytes:
    """Make an event with one scalar, in the new way."""
    return event([Summary.Value(tag=tag, tensor=TensorProto(**fields))], step, seconds)


def event(values: Iterable[Summary.Value], step: int, seconds: float = 1e9) -> bytes:
    """Make an event of any values."""
    made: bytes = Event(
        wall_time=seconds, step=step, summary=Summary(value=values)
    ).SerializeToString()
    return made


def write(folder: Path, records: Iterable[bytes], name: str = NAME) -> Path:
    """Write records with their checksums."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    with path.open("wb") as file:
        writer = RecordWriter(file)
        for record in records:
            writer.write(record)
    return path
