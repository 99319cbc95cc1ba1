"""What Weights & Biases and MLflow write, written here without them."""

import json
import struct
import zlib

from lightning_gapmon.logs.readers.wandb_file import BLOCK, FIRST, FULL, HEADER, LAST, MIDDLE

TABLES = """
    CREATE TABLE runs (run_uuid TEXT, name TEXT, start_time BIGINT);
    CREATE TABLE metrics (
        key TEXT, value FLOAT, timestamp BIGINT, run_uuid TEXT, step BIGINT, is_nan BOOLEAN
    );
"""

TRAIN, VAL = [1.0, 0.5, 0.25], [1.5, 1.0, 1.25]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, data: bytes | int) -> bytes:
    """Encode a field of a message: a number, or bytes."""
    if isinstance(data, int):
        return _varint(number << 3) + _varint(data)
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def history(row: dict[str, float], *, old: bool) -> bytes:
    """Make a record of what was logged at once."""
    items = b""
    for name, value in row.items():
        if old:
            item = field(1, name.encode()) + field(16, json.dumps(value).encode())
        elif isinstance(value, int):
            item = b"".join(field(2, part.encode()) for part in name.split("/"))
            item += field(5, value)
        else:
            item = field(2, name.encode()) + _varint(6 << 3 | 1) + struct.pack("<d", value)
        items += field(1, item)
    return field(1, 7) + field(2, items + field(2, field(1, 3)))


def records_file(records: list[bytes]) -> bytes:
    """Write records as LevelDB's log does: cut at the ends of blocks of 32 kB."""
    out = bytearray(struct.pack("<4sHB", b":W&B", 0xBEE1, 0))
    for record in records:
        begun, rest = False, record
        while True:
            left = BLOCK - len(out) % BLOCK
            if left < HEADER:
                out += bytes(left)
                continue
            piece, rest = rest[: left - HEADER], rest[left - HEADER :]
            kind = (MIDDLE if rest else LAST) if begun else (FIRST if rest else FULL)
            sum_ = zlib.crc32(bytes([kind]) + piece)
            out += struct.pack("<IHB", sum_, len(piece), kind) + piece
            begun = True
            if not rest:
                break
    return bytes(out)


def wandb_run(*, old: bool, padding: int = 0) -> bytes:
    """Make the file of a run, with that much output of the program between the records."""
    records = [field(17, field(1, b"abc123") + field(8, b"sunny-field-7"))]
    for step, (train, val) in enumerate(zip(TRAIN, VAL, strict=True)):
        at = {"trainer/global_step": 10 * step + 9, "epoch": step}
        records += [
            history({"train_loss": train, **at}, old=old),
            field(4, b"x" * padding),  # output of the program
            history({"val_loss": val, **at}, old=old),
        ]
    return records_file(records)
