"""Curves of real models, each set up to show something, get the verdict that fits.

`benchmarks/gallery.py --save` made them.
"""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.verdicts.alarm import TOLD_LIVE
from lightning_gapmon.analysis.verdicts.diagnose import diagnose

RUNS: dict[str, dict[str, Any]] = {
    run["name"]: run
    for run in json.loads((Path(__file__).parents[1] / "data" / "gallery.json").read_text())
}
LEAKS = {name for name in RUNS if "leak" in name}  # curves alone do not show a leak
TOLD = sorted(RUNS.keys() - LEAKS)
HEALTHY = sorted(name for name in TOLD if RUNS[name]["expected"] == ["good_fit"])


@pytest.mark.parametrize("name", TOLD)
def test_real_run_gets_the_verdict_that_fits(name: str) -> None:
    """What was set up is what is diagnosed."""
    run = RUNS[name]
    found = diagnose(train=run["train"], val=run["val"], baseline=run["baseline"])

    assert found.verdict in run["expected"]


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_real_run_is_never_accused(name: str) -> None:
    """At no check of a healthy run is there an alarm."""
    run = RUNS[name]
    history = History.from_curves(train=run["train"], val=run["val"])

    for checks in range(1, len(history) + 1):
        found = diagnose(history[:checks], baseline=run["baseline"], live=True)
        assert found.severity == "info", checks


@pytest.mark.parametrize("name", sorted(RUNS))
def test_what_is_told_live_changes_seldom(name: str) -> None:
    """A run prints three changes at most."""
    run = RUNS[name]
    history = History.from_curves(train=run["train"], val=run["val"])
    alarms = [
        diagnose(history[:checks], baseline=run["baseline"], live=True).verdict
        for checks in range(1, len(history) + 1)
    ]
    told = [verdict for verdict in alarms if verdict in TOLD_LIVE]

    assert sum(a != b for a, b in pairwise(told)) <= 3


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
