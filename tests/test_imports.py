"""What an import may load. import-linter reads sources; this asks the interpreter."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import lightning_gapmon
from lightning_gapmon import analysis

HEAVY = {"lightning", "pytorch_lightning", "tensorboard", "torch", "torchmetrics"}
PACKAGE = Path(lightning_gapmon.__file__).parent
ANALYSIS = [
    found.name for found in pkgutil.walk_packages(analysis.__path__, f"{analysis.__name__}.")
]


def _loaded_by(*modules: str) -> set[str]:
    statements = [f"import {module}" for module in modules]
    code = "\n".join([*statements, "import sys", "print(*sys.modules)"])
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return {name.partition(".")[0] for name in run.stdout.split()}


def test_the_package_loads_nothing_heavy() -> None:
    """`import lightning_gapmon` alone brings neither torch nor Lightning."""
    assert not _loaded_by("lightning_gapmon") & HEAVY


def test_the_analysis_loads_nothing_heavy() -> None:
    """Every module of the analysis, found and not listed, works without torch in memory."""
    assert "lightning_gapmon.analysis.history.history" in ANALYSIS
    assert not _loaded_by(*ANALYSIS) & (HEAVY | {"numpy", "pandas", "rich", "typer"})


def test_the_command_line_loads_nothing_heavy() -> None:
    """`gapmon --help` does not wait for torch."""
    assert not _loaded_by("lightning_gapmon.cli") & (HEAVY - {"tensorboard"})


def test_the_probe_sees_torch_when_it_is_there() -> None:
    """The tests above could fail."""
    assert {"lightning", "torch"} <= _loaded_by("lightning_gapmon", "lightning.fabric")


def test_every_public_name_is_listed_once_and_in_order() -> None:
    """`__all__` is sorted, and is what the package knows the homes of."""
    assert sorted(set(lightning_gapmon.__all__)) == lightning_gapmon.__all__
    assert set(lightning_gapmon.__all__) == lightning_gapmon._HOMES.keys()
    assert dir(lightning_gapmon) == lightning_gapmon.__all__


@pytest.mark.parametrize("name", lightning_gapmon.__all__)
def test_every_public_name_resolves(name: str) -> None:
    """A public name is found on first use, at the home it is listed with."""
    found = getattr(lightning_gapmon, name)

    assert found.__name__ == name
    assert found.__module__ == f"lightning_gapmon.{lightning_gapmon._HOMES[name]}"


def test_an_unknown_name_is_refused() -> None:
    """A misspelt public name fails as on any module."""
    with pytest.raises(AttributeError, match="'lightning_gapmon' has no attribute 'GapMonitr'"):
        _ = lightning_gapmon.GapMonitr
