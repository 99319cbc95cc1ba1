"""What one event says, read by protobuf."""

import struct
from typing import NamedTuple

from google.protobuf.message import DecodeError
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from lightning_gapmon.errors import LogFormatError

FLOATS = {1: "<f", 2: "<d"}  # DT_FLOAT, DT_DOUBLE


class Scalar(NamedTuple):
    """One scalar of an event."""

    tag: str
    step: int
    value: float
    seconds: float


def parse(record: bytes) -> Event:
    """Read an event.

    Raises:
        LogFormatError: It is none.
    """
    try:
        return Event.FromString(record)
    except DecodeError as error:
        msg = "a record that is no event, though its checksum is right"
        raise LogFormatError(msg) from error


def scalars(event: Event) -> list[Scalar]:
    """List the scalars of an event; texts, pictures and histograms are none."""
    found = ((value.tag, number(value)) for value in event.summary.value)
    return [
        Scalar(tag, event.step, value, event.wall_time)
        for tag, value in found
        if value is not None
    ]


def number(value: Summary.Value) -> float | None:
    """Read a scalar in the old way of writing it or the new; None where it is no scalar."""
    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return float(value.simple_value)
    return _of_tensor(value.tensor) if kind == "tensor" else None


def _of_tensor(tensor: TensorProto) -> float | None:
    code = FLOATS.get(tensor.dtype)
    if code is None:
        return None
    values = [*tensor.float_val[:2], *tensor.double_val[:2]]
    if not values and len(tensor.tensor_content) == struct.calcsize(code):
        values = [*struct.unpack(code, tensor.tensor_content)]
    return float(values[0]) if len(values) == 1 else None
