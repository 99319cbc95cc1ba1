"""Runs of Weights & Biases as they lie on disk, read without its package.

A `.wandb` file is a log of records in blocks, each record a protobuf message. Of these, what
was logged and the run's name are read; fields keep their numbers from release to release.
"""

import json
import struct
import zlib
from collections.abc import Iterator

from lightning_gapmon.analysis.study import Run
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs.places import Place, read_whole
from lightning_gapmon.logs.readers.protobuf import Field, fields, text
from lightning_gapmon.logs.readers.table import Table, runs_of

MARK = b":W&B"
BLOCK, HEADER = 32768, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
# Numbers of fields.
HISTORY, RUN = 2, 17  # of a record
ITEM = 1  # of the history
KEY, NESTED, INTEGER, NUMBER, JSON = 1, 2, 5, 6, 16  # of an item
DISPLAY_NAME = 8  # of the run


def read(place: Place) -> list[Run]:
    """Read the run.

    Raises:
        LogFormatError: It is no such file, or has no validation loss.
    """
    data = read_whole(place)
    if not data.startswith(MARK):
        msg = f"no run of Weights & Biases: it begins with {data[:4]!r}, not {MARK!r}"
        raise LogFormatError(msg)
    table, name = Table(), ""
    for record in _records(data):
        for field in fields(record):
            if field.number == HISTORY:
                table.add(_row(field))
            elif field.number == RUN:
                names = [text(part) for part in fields(field.data) if part.number == DISPLAY_NAME]
                name = names[-1] if names else name
    return runs_of(f"{place.path} ({name})" if name else place.path, table)


def _records(data: bytes) -> Iterator[bytes]:
    """Join what was cut at the ends of blocks, and check it; what is damaged ends the file."""
    at, begun = HEADER, b""
    while at + HEADER <= len(data):
        left = BLOCK - at % BLOCK
        if left < HEADER:
            at += left
            continue
        checksum, length, kind = struct.unpack_from("<IHB", data, at)
        end = at + HEADER + length
        piece = data[at + HEADER : end]
        if end > len(data) or zlib.crc32(piece, zlib.crc32(bytes([kind]))) != checksum:
            return
        begun = piece if kind in {FULL, FIRST} else begun + piece
        if kind in {FULL, LAST}:
            yield begun
        at = end


def _row(history: Field) -> dict[str, object]:
    items = (item for item in fields(history.data) if item.number == ITEM)
    return dict(map(_cell, items))


def _cell(item: Field) -> tuple[str, object]:
    names: list[str] = []
    value: object = None
    for part in fields(item.data):
        if part.number in {KEY, NESTED}:
            names.append(text(part))
        elif part.number == NUMBER:
            (value,) = struct.unpack("<d", part.data)
        elif part.number == INTEGER:
            value = part.value
        elif part.number == JSON:
            value = _json(part)
    return "/".join(filter(None, names)), value


def _json(part: Field) -> object:
    try:
        found: object = json.loads(part.data)
    except (ValueError, RecursionError):
        return None
    # NaN and infinity are kept as text.
    return found
