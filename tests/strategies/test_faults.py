"""What happens when something else breaks: nothing hangs, nothing is lost, nothing is hidden."""

import math
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.strategies import alone
from tests.strategies.launch import outputs, results, run_ranks_of, run_script
from tests.strategies.test_killed import _fit, start

from lightning_gapmon.logs.gapmon_json import read


def options(fault: str) -> list[str]:
    """Ask for a fault on rank 1, in the third validation."""
    return ["--strategy", "ddp", "--only-whole", "--fault", fault]


def test_a_rank_that_raises_ends_its_peers(tmp_path: Path) -> None:
    """The other rank fails too, and the history so far is told and kept."""
    codes = run_script(*options("raise"), ranks=2, folder=tmp_path)
    first, second = results(tmp_path)

    assert codes == [1, 1]
    assert "rank 1 gives up" in second["exception"]
    assert first["exception"]
    assert len(first["history"]["columns"]["check"]) == 2
    assert len(read(tmp_path / "logs" / "whole" / "gapmon.json").history) == 2
    assert "best" in (tmp_path / "output0.txt").read_text()  # the summary


def test_a_rank_that_is_killed_ends_its_peers(tmp_path: Path) -> None:
    """The other rank fails of the lost connection, in time, with what it knows."""
    codes = run_script(*options("kill"), ranks=2, folder=tmp_path)
    (survivor,) = results(tmp_path)

    assert codes == [1, -9]
    assert survivor["exception"]
    assert len(survivor["history"]["columns"]["check"]) == 2


def test_a_loss_that_is_nan_on_one_rank(tmp_path: Path) -> None:
    """The check's loss is NaN on all ranks, is never the best, and the run goes on."""
    codes = run_script(*options("nan"), ranks=2, folder=tmp_path)
    first, second = results(tmp_path)
    vals = first["history"]["columns"]["val"]

    assert codes == [0, 0], outputs(tmp_path)
    assert [math.isnan(val) for val in vals[:4]] == [False, False, True, False]
    assert str(first["history"]) == str(second["history"])
    assert first["stop_reason"] == second["stop_reason"]
    assert first["best"] != 3
    assert first["weights"] == first["seen"][first["best"] - 1]["weights"]


@pytest.mark.parametrize("act", ["terminate", "interrupt"])
def test_ended_from_outside(act: str, tmp_path: Path) -> None:
    """After SIGTERM or Ctrl-C the summary is printed, the report written, and it resumes."""
    start(tmp_path / "whole")
    code = start(tmp_path / "cut", hook="on_train_batch_start", act=act)
    report = read(tmp_path / "cut" / "logs" / "gapmon.json")
    printed = outputs(tmp_path / "cut")
    resumed = start(tmp_path / "cut", resume="last")

    assert code == 1
    assert len(report.history) == 2
    assert "validation loss" in printed
    assert resumed == 0
    assert alone.read(tmp_path / "cut") == alone.read(tmp_path / "whole")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(words, check=False).returncode:  # noqa: S603
        pytest.skip("mounting a small disk takes Linux and root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607


def test_a_disk_that_is_full(small_disk: Path, tmp_path: Path) -> None:
    """What could not be saved fails the run as it does without us; the last file is whole."""
    start(tmp_path / "whole")
    cut = {"hook": "on_train_batch_start", "act": "fill_disk"}
    (code,) = run_ranks_of(_fit, small_disk, cut, ranks=1, folder=tmp_path)
    printed = outputs(tmp_path)
    (small_disk / "filler").unlink()
    (resumed,) = run_ranks_of(_fit, small_disk, {"resume": "last"}, ranks=1, folder=tmp_path)

    assert code == 1
    assert "No space left on device" in printed
    assert "could not be written" in printed  # the report: said, not raised
    assert "best" in printed  # the summary
    assert resumed == 0
    assert alone.read(small_disk) == alone.read(tmp_path / "whole")
