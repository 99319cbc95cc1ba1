"""Curves of real models, each set up to show something, get the verdict that fits.

`benchmarks/gallery.py --save` made them.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.verdicts.diagnose import diagnose

RUNS: dict[str, dict[str, Any]] = {
    run["name"]: run
    for run in json.loads((Path(__file__).parents[1] / "data" / "gallery.json").read_text())
}
LEAKS = {name for name in RUNS if "leak" in name}  # curves alone do not show a leak
SLOW = {"digits: one hidden unit"}  # it still comes down at its end
TOLD = sorted(RUNS.keys() - LEAKS - SLOW)
HEALTHY = sorted(name for name in TOLD if RUNS[name]["expected"] == ["good_fit"])


@pytest.mark.parametrize("name", TOLD)
def test_real_run_gets_the_verdict_that_fits(name: str) -> None:
    """What was set up is what is diagnosed."""
    run = RUNS[name]
    found = diagnose(train=run["train"], val=run["val"], baseline=run["baseline"])

    assert found.verdict in run["expected"]


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_real_run_is_never_accused(name: str) -> None:
    """At no check of a healthy run is there a warning."""
    history = History.from_curves(train=RUNS[name]["train"], val=RUNS[name]["val"])

    for checks in range(1, len(history) + 1):
        assert diagnose(history[:checks]).severity == "info"


@pytest.mark.parametrize("name", sorted(LEAKS))
def test_leak_is_not_guessed_from_curves(name: str) -> None:
    """Without a probe or an overlap, no verdict speaks of a leak."""
    found = diagnose(train=RUNS[name]["train"], val=RUNS[name]["val"])

    assert found.verdict != "leakage_suspected"


def test_there_are_twenty_runs_and_more() -> None:
    """The gallery holds runs of many kinds; most of them are told, some are healthy."""
    assert len(RUNS) >= 20
    assert len(TOLD) >= 20
    assert len(HEALTHY) >= 4
