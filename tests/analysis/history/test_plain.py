"""A history as plain numbers: nothing is lost, nothing odd is read."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, strategies as st

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.history.plain import from_columns, to_columns
from lightning_gapmon.analysis.history.start_loss import StartLoss
from lightning_gapmon.errors import HistoryError

NUMBERS = [
    name
    for name in Observation.__dataclass_fields__
    if name not in {"check", "epoch", "step", "loaders"}
]


# A count of -0.0 comes back as 0: adding a zero leaves its sign out.
any_float = st.floats().map(lambda number: number + 0.0)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw a history of any numbers, with any of them missing."""
    steps = draw(st.lists(st.integers(1, 5), max_size=6))
    checks = [sum(steps[: i + 1]) for i in range(len(steps))]
    rows = [draw(st.dictionaries(st.sampled_from(NUMBERS), any_float)) for _ in checks]
    loaders = [tuple(draw(st.lists(st.floats(), max_size=3))) for _ in checks]
    seen = (
        Observation(check=check, epoch=i, step=7 * i, loaders=losses, **row)
        for i, (check, row, losses) in enumerate(zip(checks, rows, loaders, strict=True))
    )
    start = draw(st.none() | st.builds(StartLoss, loss=st.floats(), whole=st.booleans()))
    return History(seen, planned=draw(st.none() | st.integers(1, 100)), start=start)


@given(histories())
def test_plain_and_back(history: History) -> None:
    """A history comes back from its plain form, and from JSON, as it was."""
    plain = history.to_plain()

    assert History.from_plain(plain) == history
    assert History.from_plain(json.loads(json.dumps(plain))) == history


@given(histories())
def test_plain_is_plain(history: History) -> None:
    """The plain form holds nothing but dicts, lists, strings and numbers."""
    columns = history.to_plain()["columns"]

    assert type(columns) is dict
    assert all(type(values) is list for values in columns.values())
    cells = [cell for values in columns.values() for cell in values]
    flat = [x for cell in cells for x in (cell if type(cell) is list else [cell])]
    assert all(type(value) in {int, float} for value in flat)


@given(histories())
def test_what_was_never_measured_is_left_out(history: History) -> None:
    """A column is written when it has a number at some check, and only then."""
    columns = to_columns(history)

    for name in NUMBERS:
        measured = not all(math.isnan(getattr(seen, name)) for seen in history)
        assert (name in columns) == (measured and len(history) > 0)
    assert ("loaders" in columns) == any(seen.loaders for seen in history)


@pytest.mark.parametrize("version", [None, 0, 2, "1"])
def test_another_version_is_refused(version: object) -> None:
    """A history of another version is not read."""
    with pytest.raises(HistoryError, match=f"Found a history of version {version!r}, expected 1"):
        History.from_plain({"version": version, "columns": {}})


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"check": [1], "epoch": [0], "step": [1], "odd": [1]}, r"unknown columns \['odd'\]"),
        ({"check": [1], "val": [1.0]}, r"missing columns \['epoch', 'step'\]"),
        ({"check": [1], "epoch": [0], "step": [1], "val": []}, "'step': 1, 'val': 0}"),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns: dict[str, Any], found: str) -> None:
    """Unknown, missing and cut columns are named."""
    with pytest.raises(HistoryError, match=found) as raised:
        from_columns(columns)
    assert "use the previous checkpoint" in str(raised.value)


def test_nothing_is_a_history_too() -> None:
    """No columns are a history without checks."""
    assert from_columns({}) == []
    assert History.from_plain(History().to_plain()) == History()


@pytest.mark.parametrize("plain", [{}, {"stderr": 0.1}, {"loss": 1.0, "odd": 2.0}])
def test_a_start_that_does_not_fit_is_refused(plain: dict[str, float]) -> None:
    """A loss before training without a loss, or with something else, is named."""
    with pytest.raises(HistoryError, match="Found a loss before training with unknown names"):
        StartLoss.from_plain(plain)
