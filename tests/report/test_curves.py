"""Where the losses of a run lie on a grid."""

import math

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.report.curves import TRAIN, VAL, Curves, finite, measured
from lightning_gapmon.report.dots import Dots
from lightning_gapmon.report.scale import Scale


def _drawn(history: History, *, columns: int, rows: int, low: float, high: float) -> list[str]:
    dots = Dots(columns, rows, letters=".*")
    Curves(history, Scale(low, high), dots).draw()
    return ["".join(character for character, _ in dots.row(row)) for row in range(rows)]


def test_losses_lie_at_their_check_and_height() -> None:
    """The first check is at the left edge, the last at the right, the highest loss on top."""
    history = History.from_curves(train=[0.0, 0.0, 0.0], val=[2.0, 1.0, 2.0])

    assert _drawn(history, columns=3, rows=3, low=0, high=2) == ["* *", " * ", "..."]


def test_missing_checks_take_their_room() -> None:
    """A check that a resumed run skipped is a way to go, not a point."""
    seen = [Observation(check=n, epoch=0, step=n, val=float(n)) for n in (1, 2, 5)]

    assert _drawn(History(seen), columns=5, rows=5, low=1, high=5) == [
        "    *",
        "   * ",
        "  *  ",
        " *   ",
        "*    ",
    ]


def test_losses_that_are_not_finite_leave_a_hole() -> None:
    """A line across NaN would claim a loss that nobody saw."""
    history = History.from_curves(train=[math.nan] * 5, val=[0.0, 0.0, math.nan, 0.0, 0.0])

    assert _drawn(history, columns=5, rows=1, low=0, high=1) == ["** **"]


def test_checks_that_share_a_column_show_their_mean() -> None:
    """What is not finite among them is left out of it."""
    val = [4.0, 2.0, math.nan, 0.0, 0.0, 0.0]
    history = History.from_curves(train=[math.nan] * 6, val=val)

    assert _drawn(history, columns=2, rows=5, low=0, high=4) == ["  ", "* ", "* ", " *", " *"]


def test_train_is_the_fairest_train_loss() -> None:
    """The curve shows the loss that the gap is measured against."""
    seen = Observation(check=1, epoch=0, step=1, train=3.0, end=2.0, probe=1.0, probe_stderr=0.1)

    assert finite(History([seen]), TRAIN) == [1.0]
    assert finite(History([seen]), VAL) == []


def test_a_loss_that_was_nan_was_measured_all_the_same() -> None:
    """Samples tell a loss that is NaN from one that was never taken."""
    seen = Observation(check=1, epoch=0, step=1, val_n=5)

    assert measured(History([seen]), VAL)
    assert not measured(History([seen]), TRAIN)
    assert measured(History.from_curves(train=[math.inf], val=[1.0]), TRAIN)
