"""Runs of Weights & Biases on disk, in both ways in which its releases write values."""

from pathlib import Path

import pytest
from tests.logs.readers.stores import TRAIN, VAL, field, history, records_file, wandb_run
from tests.logs.readings import read_one, refusal


@pytest.mark.parametrize("padding", [0, 32_700, 32_740, 100_000])
@pytest.mark.parametrize("old", [True, False], ids=["values as JSON", "values as numbers"])
def test_reads_what_was_logged(tmp_path: Path, *, old: bool, padding: int) -> None:
    """Wherever the blocks end; Lightning's steps go before those of the logger."""
    path = tmp_path / "run-abc123.wandb"
    path.write_bytes(wandb_run(old=old, padding=padding))
    run = read_one(path)

    assert run.name == f"{path} (sunny-field-7)"
    assert [run.history.train, run.history.val] == [TRAIN, VAL]
    assert [run.history.step, run.history.epoch] == [[9, 19, 29], [0, 1, 2]]


def test_what_is_damaged_ends_the_file(tmp_path: Path) -> None:
    """A run that was killed is read up to there."""
    path = tmp_path / "run.wandb"
    whole = wandb_run(old=True)
    path.write_bytes(whole[:-3])
    assert read_one(path).history.val == VAL[:2]

    path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
    assert read_one(path).history.val == VAL[:2]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"text", "no run of Weights & Biases: it begins with b'text', not b':W&B'"),
        (
            records_file([field(2, b"\xff")]),
            "a record that ends within a number",
        ),
        (records_file([b"\x0b"]), "a record that is no message, though its checksum is right"),
        (records_file([history({"val_loss": 1}, old=True)[:-1]]), "a record that is no message"),
        (
            records_file([field(2, field(1, field(1, b"val_loss") + field(16, b"{")))]),
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
