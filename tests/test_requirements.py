"""What an installation brings along, and what it changes for every Trainer: nothing."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.test_project import PROJECT

import lightning_gapmon

TRAINERS = ["pytorch-lightning", "torch", "tensorboard"]
BAR = """
from pytorch_lightning import Trainer
trainer = Trainer(logger=False, accelerator="cpu", max_epochs=1, enable_checkpointing=False)
print(*(type(callback).__name__ for callback in trainer.callbacks))
"""
SUMMARY = """
import importlib.util
from lightning_gapmon import History, diagnose
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.cli import main
from lightning_gapmon.report.terminal import show
assert importlib.util.find_spec("rich") is None
history = History.from_curves(train=[2.0, 1.0], val=[2.0, 1.5])
show(Outcome(history=history, diagnosis=diagnose(history)))
main(["--help"])
"""


def _brought(requirements: list[str]) -> set[str]:
    """Follow requirements to all that they bring, by what the installed packages declare."""
    todo = [Requirement(text) for text in requirements]
    found: dict[str, set[str]] = {}
    while todo:
        one = todo.pop()
        name, extras = canonicalize_name(one.name), one.extras | {""}
        if extras <= found.get(name, set()):
            continue
        found.setdefault(name, set()).update(extras)
        try:
            declared = map(Requirement, distribution(name).requires or [])
        except PackageNotFoundError:  # for another platform
            continue
        todo += [
            needed
            for needed in declared
            if needed.marker is None
            or any(needed.marker.evaluate({"extra": extra}) for extra in extras)
        ]
    return set(found)


def _site(folder: Path, names: set[str]) -> Path:
    """Make an environment that has these packages and no other."""
    folder.mkdir()
    (folder / "lightning_gapmon").symlink_to(Path(lightning_gapmon.__file__).parent)
    for name in names:
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:
            continue
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            link = folder / top
            if not link.exists():
                link.symlink_to(Path(str(distribution(name).locate_file(top))))
    return folder


def _run(code: str, site: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-S", "-W", "ignore", "-c", code],
        env={"PYTHONPATH": str(site), "PATH": "", "HOME": str(site), "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def _answer(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=100)

    assert process.returncode == 0, err
    return out


def test_it_brings_no_framework_along() -> None:
    """The command line's library needs nothing else; no rich, no pydantic."""
    brought = _brought(PROJECT["dependencies"]) - _brought(TRAINERS)

    assert brought <= {"click", "torchmetrics", "lightning-utilities"}
    assert not {"rich", "typer", "pydantic"} & _brought(PROJECT["dependencies"])
    assert _brought(["click"]) <= {"click", "colorama"}


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs rights on Windows")
def test_a_trainer_takes_the_bar_and_the_summary_that_it_took_before(tmp_path: Path) -> None:
    """Installing the package changes nothing of the Trainers of an environment."""
    before = _site(tmp_path / "before", _brought(TRAINERS))
    after = _site(tmp_path / "after", _brought(PROJECT["dependencies"]))
    rich = _site(tmp_path / "rich", _brought([*PROJECT["dependencies"], "rich"]))
    old, new, other = map(_answer, [_run(BAR, site) for site in (before, after, rich)])

    assert old == new == "TQDMProgressBar ModelSummary\n"
    assert "Rich" in other  # or this could not fail


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs rights on Windows")
def test_it_works_without_rich(tmp_path: Path) -> None:
    """The summary and the command line need no extra."""
    said = _answer(_run(SUMMARY, _site(tmp_path / "bare", _brought(PROJECT["dependencies"]))))

    assert "validation loss 1.500" in said
    assert "Usage: " in said
