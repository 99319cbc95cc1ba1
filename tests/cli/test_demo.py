"""`gapmon demo`: a small network that overfits."""

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.command import gapmon

from lightning_gapmon.cli import demo
from lightning_gapmon.monitor import demo as trained


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_demo_overfits_is_stopped_and_gets_its_best_weights_back(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What it promises: the stop, the weights, the summary, the way to TensorBoard."""
    ran = gapmon("demo")
    said = capfd.readouterr().out
    report = json.loads((tmp_path / "runs/demo/version_0/gapmon.json").read_text("utf-8"))
    val = report["history"]["columns"]["val"]

    assert ran.code == 0
    assert f"best     check {val.index(min(val)) + 1}" in said
    assert "its weights are back in the module" in said
    assert "stopped  at check" in said
    assert "tensorboard --logdir runs/demo/version_0" in said
    assert "#gapmon" in said
    assert len(val) < 60


def test_without_scikit_learn_it_makes_its_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten patterns under noise, a hundred samples to train on, the same each time."""
    monkeypatch.setattr(trained, "find_spec", lambda _: None)
    monkeypatch.setitem(sys.modules, "sklearn", ModuleType("sklearn"))
    train, val = trained.loaders()

    assert (len(train.dataset), len(val.dataset)) == (100, 1700)  # type: ignore[arg-type]
    x, y = train.dataset[0]
    assert x.shape == (64,)
    assert 0 <= int(y) < 10
    again, _ = trained.loaders()
    assert x.equal(again.dataset[0][0])


def test_a_rule_and_a_folder_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given reaches the process that trains, and its exit code comes back."""
    ran: list[list[str]] = []

    def run(command: list[str], *, check: bool) -> object:
        ran.append(command)
        return type("Done", (), {"returncode": 3 - check})

    monkeypatch.setattr(subprocess, "run", run)

    assert gapmon("demo", "--folder", "x", "--stop", "Patience(3)", "--max-epochs", 5).code == 3
    assert ran[0][1:3] == ["-m", "lightning_gapmon.monitor.demo"]
    assert {*ran[0][3:]} == {
        *("--max-epochs=5", "--folder=x", "--accelerator=cpu", "--devices=1"),
        "--stop=Patience(3)",
    }


def test_without_torch_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that cannot train is told what to install."""
    monkeypatch.setattr(demo, "find_spec", lambda name: None if name == "torch" else name)
    ran = gapmon("demo")

    assert ran.code == 2
    assert "Found no torch in this environment" in ran.err
    assert "pip install torch" in ran.err


def test_either_lightning_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks for the one only where the other is not there either."""
    there = {"torch", "pytorch_lightning"}
    monkeypatch.setattr(demo, "find_spec", lambda name: name if name in there else None)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: type("Done", (), {"returncode": 0}))

    assert gapmon("demo").code == 0
    there.clear()
    assert "pip install torch lightning" in gapmon("demo").err
