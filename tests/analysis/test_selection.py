"""Which check is kept."""

import math
import random
from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.selection import Selection
from lightning_gapmon.errors import ConfigurationError

curves = st.lists(st.integers(-50, 50).map(float) | st.just(math.nan), max_size=30)


def _kept(selection: Selection, val: list[float], train: list[float] | None = None) -> int | None:
    seen = selection(History.from_curves(train=train or val, val=val))
    return seen.check if seen else None


@given(curves)
@settings(max_examples=200, deadline=None)
def test_raw_is_the_best_of_the_history(val: list[float]) -> None:
    """Without bounds the raw choice is the first lowest finite loss."""
    finite = [value for value in val if not math.isnan(value)]

    assert _kept(Selection(), val) == (val.index(min(finite)) + 1 if finite else None)


@given(curves)
@settings(max_examples=200, deadline=None)
def test_trend_is_the_lowest_running_median(val: list[float]) -> None:
    """The trend is the median of the last five finite losses."""
    finite = [(i + 1, value) for i, value in enumerate(val) if not math.isnan(value)]
    levels = [np.median([v for _, v in finite[max(0, i - 4) : i + 1]]) for i in range(len(finite))]
    expected = finite[int(np.argmin(levels))][0] if finite else None

    assert _kept(Selection(by="trend"), val) == expected


@given(curves, st.sampled_from(["raw", "trend"]))
@settings(max_examples=100, deadline=None)
def test_choice_is_kept_as_it_comes(val: list[float], by: str) -> None:
    """A check that is chosen later is chosen when it is the last, so that it can be saved."""
    history = History.from_curves(train=val, val=val)
    selection = Selection(by=by)  # type: ignore[arg-type]
    chosen = {seen.check for n in range(len(val) + 1) if (seen := selection(history[:n]))}

    for check in chosen:
        last = selection(history[:check])

        assert last is not None
        assert last.check == check


def test_trend_keeps_a_better_check_when_validation_is_noisy() -> None:
    """Over many noisy runs the trend's choice has the lower true loss."""
    draw = random.Random(1)  # noqa: S311 - a test needs no secret
    true = [0.5 + math.exp(-i / 8) + 0.004 * max(0, i - 40) for i in range(100)]
    given_away: dict[str, list[float]] = {"raw": [], "trend": []}
    for _ in range(60):
        val = [value + draw.gauss(0, 0.1) for value in true]
        for by, losses in given_away.items():
            losses.append(true[(_kept(Selection(by=by), val) or 1) - 1])  # type: ignore[arg-type]

    assert mean(given_away["trend"]) < mean(given_away["raw"])


def test_max_gap_passes_over_overfit_checks() -> None:
    """The lowest loss is not kept where its gap is too wide; an unknown gap passes."""
    val = [2.0, 1.5, 1.0]
    train = [2.0, 1.4, 0.2]

    assert _kept(Selection(max_gap=0.5), val, train) == 2
    assert _kept(Selection(max_gap=0.01), [2.0, 1.0], [0.1, 0.1]) is None
    assert _kept(Selection(max_gap=0.5), val, [math.nan] * 3) == 3


def test_level_is_what_was_compared() -> None:
    """The level at the kept check is the loss or its trend."""
    history = History.from_curves(train=[1.0] * 3, val=[3.0, 1.0, 2.0])

    assert Selection().level(history) == 1.0
    assert Selection(by="trend").level(history) == 2.0
    assert Selection().level(history[:0]) == math.inf


@pytest.mark.parametrize(("by", "max_gap"), [("best", None), ("raw", 1.5)])
def test_refuses_what_cannot_choose(by: str, max_gap: float | None) -> None:
    """An unknown way and an impossible gap are refused."""
    with pytest.raises(ConfigurationError, match=r'expected "raw" or "trend", and a rel'):
        Selection(by=by, max_gap=max_gap)  # type: ignore[arg-type]
