"""The fixture, in a pytest of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.test_project import PROJECT

TESTS = """
from lightning_gapmon import History

def curves(level):
    val = [1.0, 0.8, level, level * 1.01, level, level * 1.01, level, level * 1.01]
    return History.from_curves(train=val, val=val)

def test_passes(gapmon_gate):
    assert gapmon_gate(curves(0.5), max_val=0.5, min_checks=8).code == 0

def test_fails(gapmon_gate):
    gapmon_gate(curves(0.5), max_val=0.4, fail_on=["non_finite"])

def test_is_worse(gapmon_gate):
    gapmon_gate(curves(0.7), baseline=[curves(level) for level in (0.5, 0.51, 0.49)])

def test_judges_nothing(gapmon_gate):
    gapmon_gate(History())
"""


def _pytest(folder: Path, *words: str) -> str:
    (folder / "test_training.py").write_text(TESTS)
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    plugin = PROJECT["entry-points"]["pytest11"]["gapmon"]
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pytest", "-p", plugin, "-p", "no:cacheprovider", *words],
        cwd=folder,
        env={**os.environ, **alone},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout + ran.stderr


def test_the_fixture_fails_where_the_gate_does(tmp_path: Path) -> None:
    """A limit, a baseline and a run without checks fail the test, in the words of the gate."""
    said = _pytest(tmp_path, "-q")

    assert "3 failed, 1 passed" in said
    assert "FAIL  max_val: best validation loss 0.5000 at check 3, above 0.4" in said
    assert "FAIL  baseline: now: best validation loss 0.7000 against 0.5000" in said
    assert "nothing could be judged" in said
    assert "Traceback" not in said


def test_the_fixture_says_what_it_is_for(tmp_path: Path) -> None:
    """`pytest --fixtures` lists it with its first line."""
    said = _pytest(tmp_path, "--fixtures")

    assert "gapmon_gate" in said
    assert "Judge a run in a test as `gapmon check` does" in said


def test_the_plugin_loads_nothing_heavy() -> None:
    """A project that does not use the fixture pays next to nothing for it."""
    code = "import sys, pytest, lightning_gapmon.pytest_plugin; print(*sys.modules)"
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    loaded = ran.stdout.split()

    assert "lightning_gapmon.pytest_plugin" in loaded
    assert not [name for name in loaded if name.startswith("lightning_gapmon.analysis")]
    assert not {"torch", "lightning", "numpy", "rich", "tensorboard"} & {*loaded}
