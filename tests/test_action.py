"""The composite action: its steps in a shell, as a runner would run them."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests import curves
from tests.logs_of import drawn_log

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = {step.get("id") or step["name"]: step for step in ACTION["runs"]["steps"]}

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the shell of the steps is bash, as on Linux and macOS runners"
)


@pytest.fixture
def runner(tmp_path: Path) -> dict[str, str]:
    """What a runner sets, and the command that is tested in front of all others."""
    programs = tmp_path / "bin"
    programs.mkdir()
    gapmon = programs / "gapmon"
    gapmon.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lightning_gapmon "$@"\n')
    gapmon.chmod(0o755)
    drawn_log(tmp_path / "logs of good/run", curves.good)
    drawn_log(tmp_path / "bad/run", curves.u_shape)
    return {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "step_summary"),
        "RUNNER_TEMP": str(tmp_path / "temp"),
    }


def _step(name: str, runner: dict[str, str], folder: Path, **env: str) -> Any:  # noqa: ANN401
    return subprocess.run(  # noqa: S603
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[name]["run"]],  # noqa: S607
        cwd=folder,
        env={**runner, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def _outputs(runner: dict[str, str]) -> dict[str, str]:
    text = Path(runner["GITHUB_OUTPUT"]).read_text("utf-8")
    return dict(line.split("=", 1) for line in text.splitlines())


@pytest.mark.parametrize(
    ("logs", "options", "code"),
    [
        ('"logs of good"', "", "0"),
        ("bad", "--fail-on 'undecided, plateau' --min-checks 10", "1"),
        ("nowhere", "", "2"),
    ],
)
def test_the_check_says_what_came_of_it(
    runner: dict[str, str], tmp_path: Path, logs: str, options: str, code: str
) -> None:
    """Whatever comes of it the step passes, and its outputs name what there is."""
    ran = _step("check", runner, tmp_path, LOGS=logs, OPTIONS=options)
    outputs = _outputs(runner)

    assert ran.returncode == 0, ran.stderr
    assert outputs["code"] == code
    assert {*outputs} == {*ACTION["outputs"]}
    written = [name for name in ("summary", "report", "junit", "sarif") if code != "2"]
    assert all(Path(outputs[name]).stat().st_size for name in written)


def test_findings_are_annotations_and_in_the_summary_of_the_job(
    runner: dict[str, str], tmp_path: Path
) -> None:
    """What GitHub reads is there, once."""
    ran = _step("check", runner, tmp_path, LOGS="bad", OPTIONS="")
    summary = Path(runner["GITHUB_STEP_SUMMARY"]).read_text("utf-8")

    assert ran.stdout.count("\n::error title=gapmon overfitting") == 1
    assert summary.count("## gapmon: ❌ failed") == 1
    assert "```mermaid" in summary


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_last_step_fails_where_the_gate_does(
    runner: dict[str, str], tmp_path: Path, code: int
) -> None:
    """The exit code of the gate is that of the job."""
    assert _step("Pass or fail", runner, tmp_path, CODE=str(code)).returncode == code


def test_what_is_installed_is_left_alone(runner: dict[str, str], tmp_path: Path) -> None:
    """Where there is a gapmon, the first step does nothing."""
    ran = _step("Install gapmon where it is not there", runner, tmp_path, PACKAGE="/nowhere")

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip().endswith("/gapmon")


def test_outputs_and_inputs_are_those_that_the_steps_use() -> None:
    """Each input reaches a step by its environment, and none by the text of a script."""
    text = (ROOT / "action.yml").read_text("utf-8")

    assert all("${{ inputs." + name + " }}" in text for name in ACTION["inputs"] if name != "fail")
    assert not [step for step in STEPS.values() if "${{" in step["run"]]


def test_the_hook_runs_the_gate_on_logs() -> None:
    """What pre-commit reads names the command, and files that are logs."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    pattern = re.compile(hook["files"])

    assert hook["entry"] == "gapmon check"
    logs = ("run/metrics.csv", "gapmon.json", "a/events.out.tfevents.1700000000.host.1.0")
    assert all(map(pattern.search, logs))
    assert not pattern.search("src/metrics.csv.py")
