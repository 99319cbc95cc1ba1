"""Scalars out of many records: those that lie alike together, the rest one by one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs.columns import Columns, joined
from lightning_gapmon.logs.event_files.checksum import FURTHEST, Bytes, Words, is_kept
from lightning_gapmon.logs.event_files.event import Scalar, parse, scalars
from lightning_gapmon.logs.event_files.layout import Layout, Mask, layout_of
from lightning_gapmon.logs.event_files.records import CHECKSUM, Offsets, Spot, numbers_at

Wanted = Callable[[str], bool]

# Beyond these, protobuf reads one by one: to go on asking would take the square of the records.
MOST_LAYOUTS = 200  # of one length
MOST_REFUSED = 3  # records in a row that are not plain

WRONG_SUM = "a record with a wrong checksum, left out"


@dataclass(eq=False)
class Decoded:
    """What some records say.

    Attributes:
        parts: For each tag, where its records begin and what they say, in any order.
        spots: Records that could not be read.
    """

    parts: dict[str, list[tuple[Offsets, Columns]]] = field(default_factory=dict)
    spots: list[Spot] = field(default_factory=list)

    def columns(self) -> dict[str, Columns]:
        """Put each tag's points in the order in which they were written."""
        return {tag: _in_order(parts) for tag, parts in self.parts.items()}


def _in_order(parts: list[tuple[Offsets, Columns]]) -> Columns:
    order = np.argsort(np.concatenate([starts for starts, _ in parts]), kind="stable")
    return joined([columns for _, columns in parts])[order]


class _Alike(NamedTuple):
    """Records of one length: where each begins, its bytes in a column, and its checksum."""

    starts: Offsets
    columns: Bytes
    kept: Words

    @classmethod
    def of(cls, data: Bytes, starts: Offsets, length: int) -> "_Alike":
        columns = np.ascontiguousarray(sliding_window_view(data, length)[starts].T)
        return cls(starts, columns, numbers_at(data, starts + length, "<u4"))


class Decoder:
    """Reads the scalars in records, and remembers the layouts that it has met.

    Args:
        wanted: Says which tags are.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._layouts: dict[int, list[Layout]] = {}

    def decode(self, data: Bytes, starts: Offsets, lengths: Offsets) -> Decoded:
        """Read records.

        Args:
            data: The bytes in which they lie.
            starts: Where each begins, in growing order.
            lengths: How long each is.
        """
        decoded = Decoded()
        for length in np.unique(lengths):
            self._alike(decoded, data, starts[lengths == length], int(length))
        return decoded

    def _alike(self, decoded: Decoded, data: Bytes, starts: Offsets, length: int) -> None:
        """Read records of one length."""
        if not 0 < length <= FURTHEST:
            self._one_by_one(decoded, data, starts, length)
            return
        alike = _Alike.of(data, starts, length)
        left = np.ones(len(starts), dtype=np.bool_)
        known = self._layouts.setdefault(length, [])
        for layout in known:
            left &= ~self._take(decoded, alike, layout, left)
        refused = 0
        while left.any() and refused < MOST_REFUSED and len(known) < MOST_LAYOUTS:
            first = int(left.argmax())
            found = _layout(data, int(starts[first]), length)
            if found is None:
                refused += 1
                self._one_by_one(decoded, data, starts[first : first + 1], length)
                left[first] = False
            else:
                refused = 0
                known.append(found)
                left &= ~self._take(decoded, alike, found, left)
        self._one_by_one(decoded, data, starts[left], length)

    def _take(self, decoded: Decoded, alike: "_Alike", layout: Layout, left: Mask) -> Mask:
        """Read those of the records that are left that have a layout, and say which."""
        taken = layout.matches(alike.columns) & left
        if taken.any() and self._wanted(layout.tag):
            own, starts = alike.columns[:, taken], alike.starts[taken]
            intact = layout.intact(own, alike.kept[taken])
            decoded.spots += [Spot(int(at), WRONG_SUM) for at in starts[~intact]]
            if intact.any():
                part = starts[intact], layout.read(own[:, intact])
                decoded.parts.setdefault(layout.tag, []).append(part)
        return taken

    def _one_by_one(self, decoded: Decoded, data: Bytes, starts: Offsets, length: int) -> None:
        for at in map(int, starts):
            try:
                read = [
                    scalar for scalar in _scalars(data, at, length) if self._wanted(scalar.tag)
                ]
            except LogFormatError as error:
                decoded.spots.append(Spot(at, str(error)))
                continue
            for scalar in read:
                part = np.array([at]), Columns.of([scalar.step], [scalar.value], [scalar.seconds])
                decoded.parts.setdefault(scalar.tag, []).append(part)


def _scalars(data: Bytes, at: int, length: int) -> Iterable[Scalar]:
    record = data[at : at + length]
    if not is_kept(record, data[at + length : at + length + CHECKSUM]):
        raise LogFormatError(WRONG_SUM)
    return scalars(parse(record.tobytes()))


def _layout(data: Bytes, at: int, length: int) -> Layout | None:
    record = data[at : at + length]
    if not is_kept(record, data[at + length : at + length + CHECKSUM]):
        return None
    try:
        return layout_of(record.tobytes())
    except LogFormatError:
        return None
