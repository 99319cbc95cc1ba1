"""A run as a matplotlib figure."""

import math
from collections.abc import Iterator

import pytest
from matplotlib import pyplot as plt

from lightning_gapmon import Diagnosis, History
from lightning_gapmon.analysis.run_document import Beside, run_document
from lightning_gapmon.report.figure import draw


@pytest.fixture(autouse=True)
def _no_window(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MPLBACKEND", "agg")
    plt.switch_backend("agg")
    yield
    plt.close("all")


def test_draws_what_the_document_says() -> None:
    """Both losses, the best check, the verdict's beginning and the stop, by their names."""
    history = History.from_curves(train=[3, 2, 1, 1], val=[3.0, 1.5, 2.0, 2.5])
    verdict = Diagnosis(verdict="overfitting", message="it rose", since=2, best=2)
    axes = draw(run_document(history, verdict, Beside(stop=4)))
    lines = {line.get_label(): line for line in axes.get_lines()}

    assert list(lines) == [
        "train",
        "validation",
        "best 1.500",
        "overfitting since check 2",
        "stopped at check 4",
    ]
    assert list(lines["validation"].get_ydata()) == [3.0, 1.5, 2.0, 2.5]
    assert list(lines["best 1.500"].get_xdata()) == [2]


def test_draws_into_axes_that_are_there() -> None:
    """Axes of the user's own are used, and no figure is made."""
    _, axes = plt.subplots()
    history = History.from_curves(train=[1.0], val=[1.0])
    before = plt.get_fignums()

    assert draw(run_document(history, Diagnosis(verdict="undecided", message="")), axes) is axes
    assert plt.get_fignums() == before


@pytest.mark.parametrize("val", [[], [math.nan], [math.inf, 1.0], [2.0, 2.0]])
def test_odd_runs_are_drawn(val: list[float]) -> None:
    """No check, none finite, infinite or constant: there is a figure all the same."""
    history = History.from_curves(train=[math.nan] * len(val), val=val)
    axes = draw(run_document(history, Diagnosis(verdict="undecided", message="")))

    axes.figure.canvas.draw()
