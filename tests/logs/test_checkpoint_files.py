"""The checkpoints that lie beside a run's logs."""

from pathlib import Path

from lightning_gapmon.logs.checkpoint_files import checkpoint_files


def test_checkpoints_beside_and_below_a_log_are_found(tmp_path: Path) -> None:
    """Files and folders of checkpoints, in the log's folder and in those that hold them."""
    for name in (
        "a.ckpt",
        "checkpoints/b.pt",
        "checkpoint-500/weights.bin",
        "notes.txt",
        "x/c.pt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    expected = {str(tmp_path / name) for name in ("a.ckpt", "checkpoints/b.pt", "checkpoint-500")}
    log = tmp_path / "metrics.csv"
    log.write_text("")

    assert {*checkpoint_files(log)} == expected
    assert {*checkpoint_files(tmp_path)} == expected


def test_what_is_not_there_has_none(tmp_path: Path) -> None:
    """A log that was removed meanwhile is no error."""
    assert checkpoint_files(tmp_path / "gone/metrics.csv") == []
