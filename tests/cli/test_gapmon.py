"""The command line as a whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.command import gapmon
from tests.logs_of import csv_log

import lightning_gapmon
from lightning_gapmon.cli import gapmon as module
from lightning_gapmon.errors import ConfigurationError


def _python(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )


def test_help_lists_each_command_with_what_one_gets() -> None:
    """Every command has a line, and the help says what the exit codes mean."""
    ran = gapmon("--help")

    assert ran.code == 0
    assert all(f"  {name} " in ran.out for name in module.COMMANDS)
    assert "1 where something was found" in " ".join(ran.out.split())


@pytest.mark.parametrize("name", module.COMMANDS)
def test_each_command_has_a_help(name: str) -> None:
    """The module of a command has it, and its help shows how it is used."""
    ran = gapmon(name, "-h")

    assert ran.code == 0
    assert ran.out.startswith(f"Usage: gapmon {name} ")


def test_help_loads_next_to_nothing() -> None:
    """The help waits for no reader, no numpy, no rich, and for nothing of torch."""
    code = (
        "import sys\nfrom lightning_gapmon.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    print(*sys.modules)"
    )
    loaded = {name.partition(".")[0] for name in _python(code).stdout.split()}

    assert "click" in loaded
    assert not loaded & {"lightning", "numpy", "rich", "tensorboard", "torch", "torchmetrics"}


@pytest.mark.parametrize("name", [name for name in module.COMMANDS if name != "demo"])
def test_no_command_loads_torch(name: str) -> None:
    """What a command reads and judges with is there without torch and Lightning."""
    done = _python(f"import lightning_gapmon.cli.{name}, sys; print(*sys.modules)")
    loaded = {found.partition(".")[0] for found in done.stdout.split()}

    assert "click" in loaded
    assert not loaded & {"lightning", "torch", "torchmetrics"}


def test_a_wrong_name_is_met_with_the_right_one() -> None:
    """A command and an option that are misspelt are named, with what was meant."""
    command, option = gapmon("chekk", "x"), gapmon("check", "x", "--max-vall", "1")

    assert (command.code, option.code) == (2, 2)
    assert "Found no command 'chekk'" in command.err
    assert "Did you mean check?" in command.err
    assert "--max-val" in option.err


def test_version_is_said() -> None:
    """`gapmon --version` and `python -m lightning_gapmon --version` give the installed version."""
    done = subprocess.run(
        [sys.executable, "-m", "lightning_gapmon", "--version"],
        check=True,
        capture_output=True,
        text=True,
    )
    expected = f"gapmon, version {lightning_gapmon.__version__}"

    assert done.stdout.strip() == expected
    assert gapmon("--version").out.strip() == expected


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (ConfigurationError("Found x; expected y."), 2, "Found x; expected y."),
        (KeyboardInterrupt(), 130, ""),
        (ZeroDivisionError("a fault of ours"), 2, "ZeroDivisionError: a fault of ours"),
    ],
)
def test_a_crash_is_no_finding(
    monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, said: str
) -> None:
    """Code 1 is kept for what is wrong with a run: a mistake, a fault and Ctrl-C give others."""

    def fail(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(module.Lazy, "get_command", fail)
    ran = gapmon("check", "x")

    assert ran.code == code
    assert said in ran.err


def test_a_reader_that_has_gone_is_no_fault(tmp_path: Path) -> None:
    """`gapmon report | head` ends without a traceback."""
    for number in range(40):
        csv_log(tmp_path / f"run{number}", [1.0, 0.9 - number / 100, 0.8], [1.0, 0.9, 0.8])
    command = [sys.executable, "-c", "from lightning_gapmon.cli import main; main()"]
    with subprocess.Popen(  # noqa: S603
        [*command, "report", str(tmp_path), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        said = running.stderr.read().decode()

    assert said == ""
    assert running.returncode == 141
