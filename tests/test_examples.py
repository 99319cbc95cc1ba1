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


WATCHED = [
    "quickstart.py",
    "your_module.py",
    "own_training_step.py",
    "gan.py",
    "language_model.py",
    "negative_log_likelihood.py",
    "fine_tuning.py",
    "two_ranks.py",
]


@pytest.mark.parametrize("example", WATCHED)
def test_examples_run(example: str, tmp_path: Path) -> None:
    """The examples train to their end and print the summary."""
    said = _run(tmp_path, example)

    assert "gapmon ·" in said
    assert "validation loss" in said


def test_a_configuration_file_has_the_monitor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LightningCLI builds it, with its rule."""
    # Lightning 2.6.6 calls jsonargparse 4.53 in a way that is going out of use.
    monkeypatch.setenv("JSONARGPARSE_DEPRECATION_WARNINGS", "off")
    config = str(EXAMPLES / "command_line.yaml")

    assert "Target(0.001)" in _run(tmp_path, "command_line.py", "fit", "--config", config)


def test_folds_are_summed_up(tmp_path: Path) -> None:
    """A line for each fold, and one for all of them."""
    said = _run(tmp_path, "k_fold.py")

    assert said.count("best") == 6
    assert "mean of best" in said


def test_a_rule_of_ones_own_is_checked_and_asked(tmp_path: Path) -> None:
    """It passes what every rule keeps to, and stops the run that it is asked of."""
    assert "stopped_at=6" in _run(tmp_path, "own_rule.py")
