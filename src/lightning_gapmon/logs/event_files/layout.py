"""How the bytes of a plain scalar event lie: then numpy reads thousands of them at once."""

import struct
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lightning_gapmon.logs.columns import Columns
from lightning_gapmon.logs.event_files.checksum import (
    FURTHEST,
    Bytes,
    Words,
    contributions,
    crc,
    masked,
)
from lightning_gapmon.logs.event_files.event import number, parse
from lightning_gapmon.logs.event_files.records import WALL_TIME

Mask = npt.NDArray[np.bool_]

STEP = 0x10  # the keys of an event's other fields
TIME_ENDS = 9
MORE = 0x80  # the bit of a byte of a variable-length number that another byte follows
# What may stand before a value's bytes: the key of the field, and its length where it has one.
KEYS = (
    *(("<f4", key) for key in (b"\x15", b"\x2a\x04", b"\x2d", b"\x22\x04")),
    *(("<f8", key) for key in (b"\x32\x08", b"\x31", b"\x22\x08")),
)


@dataclass(frozen=True, eq=False)
class Layout:
    """Where time, step and value lie in records that agree in every other byte.

    Attributes:
        tag: The tag that they all have.
        record: One of them.
        step_bytes: How long the step is, behind its key; 0 where it is left out, for it is 0.
        value_at: Where the value begins.
        kind: The value's type, for numpy.
    """

    tag: str
    record: bytes
    step_bytes: int
    value_at: int
    kind: str

    @cached_property
    def varying(self) -> list[int]:
        """Places at which the records differ."""
        value = range(self.value_at, self.value_at + np.dtype(self.kind).itemsize)
        return [*range(1, TIME_ENDS), *self._step, *value]

    @cached_property
    def _step(self) -> range:
        return range(TIME_ENDS + 1, TIME_ENDS + 1 + self.step_bytes)

    def matches(self, columns: Bytes) -> Mask:
        """Say which records have this layout.

        Args:
            columns: The records' bytes, `(length, records)`.
        """
        same = np.ones(columns.shape[1], dtype=np.bool_)
        varying = set(self.varying)
        # Tags differ at their ends more often than at their beginnings.
        for place in reversed(range(len(self.record))):
            if place not in varying:
                same &= columns[place] == self.record[place]
        for place in self._step:
            same &= (columns[place] >= MORE) == (place != self._step[-1])
        return same

    def intact(self, columns: Bytes, kept: Words) -> Mask:
        """Say which records have the checksum that is kept with them."""
        length = len(self.record)
        base = np.frombuffer(self.record, np.uint8).copy()
        base[self.varying] = 0
        sums = np.full(columns.shape[1], crc(base), dtype=np.uint32)
        table = contributions()
        for place in self.varying:
            sums ^= table[length - 1 - place][columns[place]]
        intact: Mask = masked(sums) == kept
        return intact

    def read(self, columns: Bytes) -> Columns:
        """Read steps, values and times."""
        steps = np.zeros(columns.shape[1], dtype=np.uint64)
        for shift, place in enumerate(self._step):
            steps |= (columns[place] & np.uint8(MORE - 1)).astype(np.uint64) << np.uint64(
                7 * shift
            )
        size = np.dtype(self.kind).itemsize
        values = _numbers(columns[self.value_at : self.value_at + size], self.kind)
        return Columns(steps.view(np.int64), values, _numbers(columns[1:TIME_ENDS], "<f8"))


def _numbers(columns: Bytes, kind: str) -> npt.NDArray[np.float64]:
    rows = np.ascontiguousarray(columns.T)
    return rows.view(kind)[:, 0].astype(np.float64)


def layout_of(record: bytes) -> Layout | None:
    """Find the layout of a record; None where protobuf has to read it.

    Raises:
        LogFormatError: It is no event.
    """
    event = parse(record)
    if len(event.summary.value) != 1 or len(record) > FURTHEST:
        return None
    (only,) = event.summary.value
    value = number(only)
    step = _variable_length(event.step) if event.step else b""
    head = struct.pack("<Bd", WALL_TIME, event.wall_time) + bytes([STEP] * bool(step)) + step
    if value is None or not record.startswith(head):
        return None
    for kind, key in KEYS:
        place = _only_place(record, key, value, kind, after=len(head))
        if place:
            return Layout(only.tag, record, len(step), place, kind)
    return None


def _only_place(record: bytes, key: bytes, value: float, kind: str, *, after: int) -> int:
    """Find where a value begins; 0 where it is not there in this way, or not only once."""
    with np.errstate(over="ignore"):
        piece = key + np.array([value]).astype(kind).tobytes()
    return record.index(piece, after) + len(key) if record.count(piece, after) == 1 else 0


def _variable_length(number: int) -> bytes:
    left = number % 2**64
    out = bytearray()
    while left >= MORE:
        out.append(left % MORE | MORE)
        left //= MORE
    return bytes([*out, left])
