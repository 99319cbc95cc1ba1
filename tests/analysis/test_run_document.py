"""One run as plain JSON."""

import json
import math

import pytest
from hypothesis import given
from tests.report.strategies import histories

from lightning_gapmon import Diagnosis, History, Observation, diagnose
from lightning_gapmon.analysis.run_document import MOST_CHECKS, Beside, brief, run_document

SILENT = Diagnosis(verdict="undecided", message="")


@given(histories())
def test_any_history_becomes_strict_json(history: History) -> None:
    """Whatever was measured, each column has a value a check, and JSON holds them all."""
    document = run_document(history, SILENT)
    again = json.loads(json.dumps(document, allow_nan=False))

    assert again == document
    assert {len(values) for values in document["columns"].values()} <= {len(history)}


def test_of_very_many_checks_those_that_are_spoken_of_stay() -> None:
    """A chart has no more points than pixels; best, beginning, stop and ends are among them."""
    count = 5 * MOST_CHECKS
    val = [2.0 + math.sin(i) for i in range(count)]
    val[4321] = 0.5
    history = History.from_curves(train=[1.0] * count, val=val)
    verdict = Diagnosis(verdict="overfitting", message="", since=7, best=4322)
    document = run_document(history, verdict, Beside(stop=9998, kept=[123]))
    checks = document["columns"]["check"]

    assert len(checks) < 1.01 * MOST_CHECKS
    assert {1, 7, 123, 4322, 9998, count} <= set(checks)
    assert document["checks"] == count
    assert document["best"]["val"] == 0.5


@pytest.mark.parametrize(
    ("rates", "marked"),
    [
        ([0.1, 0.1, 0.01, 0.01], [3]),
        ([0.1, 0.2, 0.19, 0.18], [2]),
        ([0.1 * 0.9**i for i in range(40)], []),  # a slope is no jump
        ([0.1, 0.01] * 20, []),  # that jumps at each check, and would hide the losses
    ],
)
def test_jumps_of_the_learning_rate_are_marked(rates: list[float], marked: list[int]) -> None:
    """A step up or down, but neither a smooth schedule nor one that jumps all the time."""
    ones = [1.0] * len(rates)
    history = History.from_curves(train=ones, val=ones, lr=rates)

    assert run_document(history, SILENT)["lr_changes"] == marked


def test_the_train_loss_is_the_one_that_the_gap_is_taken_from() -> None:
    """With a probe that is the probe; the online loss stands beside it."""
    seen = Observation(check=1, epoch=0, step=5, train=3.0, probe=2.0, val=2.5)
    columns = run_document(History([seen]), SILENT)["columns"]

    assert (columns["train"], columns["online"], columns["basis"]) == ([2.0], [3.0], ["probe"])
    assert columns["gap"] == [0.5]


def test_a_brief_is_small() -> None:
    """What a list of runs is sorted by does not grow with the runs."""
    sizes = [
        len(json.dumps(brief(run_document(History.from_curves(train=x, val=x), SILENT))))
        for x in ([1.0] * 10, [1.0] * 1000)
    ]

    assert sizes[1] - sizes[0] < 50


def test_a_run_that_began_with_no_numbers_is_judged() -> None:
    """Several losses that are not finite at the start leave the verdict to those after them."""
    val = [math.nan] * 5 + [1.0 / (i + 1) for i in range(20)]
    history = History.from_curves(train=val, val=val)

    assert run_document(history, diagnose(history))["best"]["check"] == 25
