"""The checks that matter, below each other."""

import math
from typing import Any

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.report.table import aligned, checks, milestones


def _shown(history: History, *, plain: bool = False) -> list[str]:
    return [" ".join(line.plain.split()) for line in checks(history, plain=plain)]


def _seen(check: int, **losses: float) -> Observation:
    row: dict[str, Any] = {"check": check, "epoch": 0, "step": check, **losses}
    return Observation(**row)


def test_first_best_and_last_check_stand_below_each_other() -> None:
    """Each has both losses, the gap with its error, and what train loss it was measured by."""
    end, val = {"end_stderr": 0.03}, {"val_stderr": 0.04}
    history = History(
        [
            _seen(1, train=3.0, end=2.5, val=2.0, **end, **val),
            _seen(2, train=2.0, end=1.5, val=1.0, **end, **val),
            _seen(3, train=1.0, end=0.5, val=1.5, **end, **val),
        ]
    )

    assert _shown(history) == [
        "check train_fair val gap [95 %]",
        "first 1 2.500 2.000 -0.500 [-0.598, -0.402]",
        "best ● 2 1.500 1.000 -0.500 [-0.598, -0.402]",
        "last 3 0.5000 1.500 +1.000 [+0.902, +1.098]",
        "gap by end: train at the end of its window of steps",
    ]


def test_each_basis_is_explained_once() -> None:
    """Checks with different bases say so."""
    history = History([_seen(1, train=3.0, val=4.0), _seen(2, probe=1.0, val=2.0)])
    head, *rows, first, second = _shown(history, plain=True)

    assert head.endswith(" by")
    assert [row.rpartition(" ")[2] for row in rows] == ["online", "probe"]
    assert first.startswith("gap by online: ")
    assert second.startswith("gap by probe: ")


def test_what_was_never_measured_has_no_column() -> None:
    """A run with train losses only shows train losses only."""
    shown = _shown(History([_seen(1, train=2.0), _seen(2, train=1.0)]))

    assert shown == ["check train", "first 1 2.000", "last 2 1.000"]


def test_a_loss_that_is_nan_is_shown_as_nan() -> None:
    """What broke is seen in the table, and nothing is said of its gap."""
    history = History([_seen(1, train=2.0, val=3.0), _seen(2, train=1.0, val=math.nan)])

    assert _shown(history)[1:3] == [
        "first, best ● 1 2.000 3.000 +1.000",
        "last 2 1.000 nan",
    ]


def test_one_row_has_the_names_of_all_that_it_is() -> None:
    """A check that is first and best has one row; the only check is the last one."""
    assert list(milestones(History.from_curves(train=[1, 2], val=[1.0, 2.0]))) == [
        *("first, best", "last"),
    ]
    assert list(milestones(History.from_curves(train=[1], val=[1.0]))) == ["best, last"]


def test_points_stand_below_each_other() -> None:
    """A column of numbers is read by its points; whole numbers end where the point would be."""
    column = aligned(["12.5", "0.125 [0.1, 0.2]", "nan", ""])

    assert [text.find(".") for text in column] == [3, 3, -1, -1]
    assert column[2].rstrip() == "nan"
    assert len(set(map(len, column))) == 1


def test_nothing_is_aligned_to_nothing() -> None:
    """An empty column stays empty."""
    assert aligned([]) == []
