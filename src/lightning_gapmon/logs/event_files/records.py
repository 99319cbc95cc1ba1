"""Where the records of an event file lie: length, its checksum, the bytes, their checksum."""

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lightning_gapmon.logs.event_files.checksum import (
    Bytes,
    contributions,
    crc,
    is_kept,
    masked,
)

Offsets = npt.NDArray[np.int64]

LENGTH, CHECKSUM = 8, 4
HEADER = LENGTH + CHECKSUM
FRAME = HEADER + CHECKSUM  # bytes of a record that are not its own
SHORT_BYTES = 3
SHORT = 2 ** (8 * SHORT_BYTES)  # bytes of a record that the fast search finds are fewer
WALL_TIME = 0x09  # the key of an event's first field


class Spot(NamedTuple):
    """Something in the bytes that is not as it should be."""

    offset: int
    reason: str


@dataclass(frozen=True)
class Records:
    """The whole records in some bytes of a file.

    Attributes:
        starts: Where each begins, behind its header.
        lengths: How long each is.
        end: Where the first record begins that is not wholly there.
        spots: Headers that are damaged, and what was passed over for them.
    """

    starts: Offsets
    lengths: Offsets
    end: int
    spots: list[Spot]


def find_records(data: Bytes) -> Records:
    """Find the records, from the first byte on.

    A header with a wrong checksum says nothing about where the next one is; what follows is
    passed over up to the next header that is right.
    """
    heads = _Heads(data)
    runs: list[tuple[Offsets, Offsets]] = [(heads.at[:0], heads.lengths[:0])]
    spots: list[Spot] = []
    at, before = 0, -1
    while before < at <= len(data) - HEADER:
        before = at
        run = heads.run(at) or _lone(data, at)
        if run is None:
            at = heads.after(at)
            spots.append(Spot(before, f"a damaged header; {at - before} bytes passed over"))
        elif len(run[0]):
            runs.append(run)
            at = int(run[0][-1] + run[1][-1]) + CHECKSUM
    starts, lengths = zip(*runs, strict=True)
    return Records(np.concatenate(starts), np.concatenate(lengths), at, spots)


class _Heads:
    """The headers of short records that begin with a wall time, wherever they lie."""

    def __init__(self, data: Bytes) -> None:
        self._size = len(data)
        self.at, self.lengths = _headers(data)
        self._ends = self.at + FRAME + self.lengths
        # Between two breaks, each record begins where the one before ends.
        self._breaks = np.flatnonzero(self._ends[:-1] != self.at[1:])

    def run(self, at: int) -> tuple[Offsets, Offsets] | None:
        """Give the whole records that follow each other from a place on; None if no one knows."""
        first = int(np.searchsorted(self.at, at))
        if first == len(self.at) or self.at[first] != at:
            return None
        stop = int(np.searchsorted(self._breaks, first))
        last = int(self._breaks[stop]) if stop < len(self._breaks) else len(self.at) - 1
        chosen = slice(first, last + int(self._ends[last] <= self._size))
        return self.at[chosen] + HEADER, self.lengths[chosen]

    def after(self, at: int) -> int:
        """Give the place of the next header, or that of the last bytes that may begin one."""
        first = int(np.searchsorted(self.at, at))
        return int(self.at[first]) if first < len(self.at) else max(at + 1, self._size - HEADER)


def _lone(data: Bytes, at: int) -> tuple[Offsets, Offsets] | None:
    """Read one record of any kind: nothing if it is not whole, None if its header is damaged."""
    length = read_length(data[at : at + HEADER])
    if length is None:
        return None
    whole = at + FRAME + length <= len(data)
    return np.array([at + HEADER] * whole, np.int64), np.array([length] * whole, np.int64)


def read_length(header: Bytes) -> int | None:
    """Read the length out of a header; None if its checksum is wrong."""
    if not is_kept(header[:LENGTH], header[LENGTH:]):
        return None
    (length,) = struct.unpack("<Q", header[:LENGTH].tobytes())
    return int(length)


def _headers(data: Bytes) -> tuple[Offsets, Offsets]:
    """Find all headers of short records that begin with a wall time, wherever they lie."""
    at = np.flatnonzero(data[HEADER:] == WALL_TIME)
    lengths = numbers_at(data, at, "<u8")
    short = lengths < SHORT
    at, lengths = at[short], lengths[short].astype(np.int64)
    table = contributions()
    # The length's other bytes are zeros, and what these contribute is always the same.
    sums = np.full(len(at), crc(np.zeros(LENGTH, np.uint8)), dtype=np.uint32)
    for place in range(SHORT_BYTES):
        sums ^= table[LENGTH - 1 - place][lengths >> (8 * place) & 0xFF]
    sure = masked(sums) == numbers_at(data, at + LENGTH, "<u4")
    return at[sure], lengths[sure]


def numbers_at(data: Bytes, at: Offsets, kind: str) -> npt.NDArray[np.unsignedinteger[Any]]:
    """Read a number at each of several places."""
    count = max(0, len(data) - np.dtype(kind).itemsize + 1)
    overlapping = np.ndarray((count,), kind, data, 0, (1,))
    found: npt.NDArray[np.unsignedinteger[Any]] = overlapping[at]
    return found
