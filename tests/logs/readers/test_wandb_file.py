"""Runs of Weights & Biases on disk, in both ways in which its releases write values."""

import json
import struct
import zlib
from pathlib import Path

import pytest
from tests.logs.readings import read_one, refusal

from lightning_gapmon.logs.readers.wandb_file import BLOCK, FIRST, FULL, HEADER, LAST, MIDDLE

TRAIN, VAL = [1.0, 0.5, 0.25], [1.5, 1.0, 1.25]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _field(number: int, data: bytes | int) -> bytes:
    if isinstance(data, int):
        return _varint(number << 3) + _varint(data)
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _history(row: dict[str, float], *, old: bool) -> bytes:
    items = b""
    for name, value in row.items():
        if old:
            item = _field(1, name.encode()) + _field(16, json.dumps(value).encode())
        elif isinstance(value, int):
            item = b"".join(_field(2, part.encode()) for part in name.split("/"))
            item += _field(5, value)
        else:
            item = _field(2, name.encode()) + _varint(6 << 3 | 1) + struct.pack("<d", value)
        items += _field(1, item)
    return _field(1, 7) + _field(2, items + _field(2, _field(1, 3)))


def _file(records: list[bytes]) -> bytes:
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


def _run(*, old: bool, padding: int = 0) -> bytes:
    records = [_field(17, _field(1, b"abc123") + _field(8, b"sunny-field-7"))]
    for step, (train, val) in enumerate(zip(TRAIN, VAL, strict=True)):
        at = {"trainer/global_step": 10 * step + 9, "epoch": step}
        records += [
            _history({"train_loss": train, **at}, old=old),
            _field(4, b"x" * padding),  # output of the program
            _history({"val_loss": val, **at}, old=old),
        ]
    return _file(records)


@pytest.mark.parametrize("padding", [0, 32_700, 32_740, 100_000])
@pytest.mark.parametrize("old", [True, False], ids=["values as JSON", "values as numbers"])
def test_reads_what_was_logged(tmp_path: Path, *, old: bool, padding: int) -> None:
    """Wherever the blocks end; Lightning's steps go before those of the logger."""
    path = tmp_path / "run-abc123.wandb"
    path.write_bytes(_run(old=old, padding=padding))
    run = read_one(path)

    assert run.name == f"{path} (sunny-field-7)"
    assert [run.history.train, run.history.val] == [TRAIN, VAL]
    assert [run.history.step, run.history.epoch] == [[9, 19, 29], [0, 1, 2]]


def test_what_is_damaged_ends_the_file(tmp_path: Path) -> None:
    """A run that was killed is read up to there."""
    path = tmp_path / "run.wandb"
    whole = _run(old=True)
    path.write_bytes(whole[:-3])
    assert read_one(path).history.val == VAL[:2]

    path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
    assert read_one(path).history.val == VAL[:2]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"text", "no run of Weights & Biases: it begins with b'text', not b':W&B'"),
        (_file([_field(2, b"\xff")]), "a record that ends within a number, though its checksum"),
        (_file([b"\x0b"]), "a record that is no message, though its checksum is right"),
        (_file([_history({"val_loss": 1}, old=True)[:-1]]), "a record that is no message"),
        (
            _file([_field(2, _field(1, _field(1, b"val_loss") + _field(16, b"{")))]),
            "no validation",
        ),
    ],
)
def test_what_is_no_run_is_refused_with_the_reason(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    """Another file, and records that are no messages."""
    path = tmp_path / "run.wandb"
    path.write_bytes(data)

    assert refusal(path).startswith(reason)
