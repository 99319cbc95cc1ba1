"""The monitor changes nothing: a contract over all its options."""

import inspect
import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.strategies.harmless import AVERAGING, CROSSED, OPTIONS, fit_all
from tests.strategies.launch import outputs, results, run_ranks_of

from lightning_gapmon import GapMonitor

Found = dict[str, dict[str, str]]
# What changes a run on purpose: `stop` ends it, `restore_best` changes the weights at its end,
# `start` validates once more, in a sanity check that a user's hooks see like any other.
ON_PURPOSE = {"stop", "restore_best", "start"}
ON_RANKS = ("none", "EMA before", "SWA after")
WHAT = ("weights", "metrics", "seen while it trained", "logged", "generators", "steps")


def cases(averagings: tuple[str, ...]) -> list[tuple[str, str]]:
    """List what is compared with the run that has no monitor."""
    each = [("none", option) for option in OPTIONS]
    crossed = [(averaging, option) for averaging in averagings[1:] for option in CROSSED]
    return [(averaging, option) for averaging, option in each + crossed if option != "without"]


def _fit(folder: Path, averagings: tuple[str, ...], ranks: int) -> None:
    fit_all(folder, averagings, ranks, int(os.environ["LOCAL_RANK"]))


def run(folder: Path, averagings: tuple[str, ...], ranks: int) -> list[Found]:
    """Train in all ways, on so many ranks."""
    codes = run_ranks_of(_fit, folder, averagings, ranks, ranks=ranks, folder=folder, seconds=100)
    assert not any(codes), outputs(folder)
    return results(folder, "harmless")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    """Train on one process."""
    return run(tmp_path_factory.mktemp("alone"), AVERAGING, 1)


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    """Train on two ranks."""
    return run(tmp_path_factory.mktemp("together"), ON_RANKS, 2)


def same(found: list[Found], averaging: str, option: str) -> None:
    """Compare with the run that has no monitor, on each rank."""
    for rank in found:
        without, with_it = (json.loads(rank[averaging][name]) for name in ("without", option))
        for what, a, b in zip(WHAT, without, with_it, strict=True):
            assert a == b, what


@pytest.mark.parametrize(("averaging", "option"), cases(AVERAGING))
def test_nothing_changes_on_one_process(option: str, averaging: str, alone: list[Found]) -> None:
    """Weights, metrics, logs, metric states and random states are the same to the last bit."""
    same(alone, averaging, option)


@pytest.mark.parametrize(("averaging", "option"), cases(ON_RANKS))
def test_nothing_changes_on_two_ranks(option: str, averaging: str, together: list[Found]) -> None:
    """The same holds on each of two ranks."""
    same(together, averaging, option)


def test_the_contract_has_all_options() -> None:
    """An option that is added has to be tried here."""
    options: dict[str, Any] = dict(inspect.signature(GapMonitor).parameters)
    tried = {name for given in OPTIONS.values() if given for name in given}

    assert tried | ON_PURPOSE == set(options)


def test_the_contract_sees_a_difference(alone: list[Found]) -> None:
    """Averaging callbacks do change the run: the comparison is of something."""
    runs = {alone[0][averaging]["without"] for averaging in ("none", "EMA after", "SWA after")}

    assert len(runs) == 3
