"""The losses as a mermaid chart."""

import math
import re

from hypothesis import given
from tests.hostile import HOSTILE
from tests.report.strategies import histories

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.report.mermaid import MOST, chart


def _lines(text: str) -> list[list[float]]:
    return [
        [*map(float, found.split(", "))]
        for found in re.findall(r"^ +line \[(.+)\]$", text, re.MULTILINE)
    ]


def test_a_long_run_is_drawn_by_means() -> None:
    """600 checks become as many points as fit, each the mean of its stretch."""
    losses = [float(i) for i in range(600)]
    train, val = _lines(chart(History.from_curves(train=losses, val=losses)))

    assert len(val) == MOST
    assert train == val == [4.5 + 10 * i for i in range(MOST)]


def test_a_hole_in_train_leaves_train_out() -> None:
    """Validation alone is drawn, in its own colour, where a train loss is missing."""
    text = chart(History.from_curves(train=[1.0, math.nan], val=[2.0, 1.0]))

    assert _lines(text) == [[2.0, 1.0]]
    assert '"plotColorPalette": "#d9730d"' in text


def test_one_check_is_no_curve() -> None:
    """Nothing is drawn of fewer than two finite checks."""
    assert chart(History.from_curves(train=[1.0, 1.0], val=[1.0, math.nan])) == ""


@given(history=histories())
def test_any_run_can_be_drawn(history: History) -> None:
    """No number has an exponent or is not finite, and a hostile title stays in its quotes."""
    for title in HOSTILE:
        text = chart(history, title=title)
        body = text.partition("\n")[2]

        assert not re.search(r"nan|inf|\de[+-]?\d", re.sub('".*"', "", body))
        assert body.count('"') == (4 + 2 * bool(title) if body else 0)
