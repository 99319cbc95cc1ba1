"""The examples, each run as a user would run it."""

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


@pytest.mark.parametrize("example", ["quickstart.py", "your_module.py"])
def test_examples_run(example: str, tmp_path: Path) -> None:
    """The examples train to their end and print the summary."""
    said = _run(tmp_path, example)

    assert "gapmon ·" in said
    assert "validation loss" in said
