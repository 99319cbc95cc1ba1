"""The examples, each run as a user would run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def _run(folder: Path, *words: str) -> str:
    command = [sys.executable, str(EXAMPLES / words[0]), *words[1:]]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603

    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_demo_overfits_is_stopped_and_gets_its_best_weights_back(tmp_path: Path) -> None:
    """What `make demo` promises: the stop, the weights, the summary, the way to TensorBoard."""
    said = _run(tmp_path, "demo.py")
    report = json.loads((tmp_path / "runs/demo/version_0/gapmon.json").read_text("utf-8"))
    val = report["history"]["columns"]["val"]

    assert f"best     check {val.index(min(val)) + 1}" in said
    assert "its weights are back in the module" in said
    assert "stopped  at check" in said
    assert "tensorboard --logdir runs/demo/version_0" in said
    assert "#custom_scalars&_smoothingWeight=0" in said
    assert len(val) < 60


@pytest.mark.parametrize("example", ["quickstart.py", "your_module.py"])
def test_examples_run(example: str, tmp_path: Path) -> None:
    """The other examples train to their end and print the summary."""
    said = _run(tmp_path, example)

    assert "gapmon ·" in said
    assert "validation loss" in said
