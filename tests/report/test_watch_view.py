"""Runs that go on, as a screenful of text."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st
from tests.hostile import HOSTILE
from tests.judged import HEALTHY, OVERFIT
from tests.report.strategies import outcomes

from lightning_gapmon.analysis.gate.result import Judged
from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.rules.rule import StopReason
from lightning_gapmon.analysis.verdicts.diagnose import diagnose
from lightning_gapmon.report.watch_view import Watched, clipped, columns, frame, padded


def watched(run: Judged, *, written: float = 0.0) -> Watched:
    """Take a judged run as one that is watched."""
    outcome = Outcome(history=run.history, diagnosis=run.diagnosis)
    return Watched(name=run.name, outcome=outcome, written=written)


def _timed(planned: int | None, *, seconds: float = 60.0) -> Watched:
    history = History(
        (
            Observation(check=i, epoch=i - 1, step=i, train=1.0, val=1.0, seconds=seconds * i)
            for i in range(1, 7)
        ),
        planned=planned,
    )
    outcome = Outcome(history=history, diagnosis=diagnose(history), ended=False)
    return Watched(name="timed", outcome=outcome, written=0.0)


def _said(runs: list[Watched], *, width: int = 100, height: int = 40, now: float = 0.0) -> str:
    return "\n".join(line.plain for line in frame(runs, width=width, height=height, now=now))


def test_the_newest_is_drawn_and_the_others_listed() -> None:
    """The first run has a chart and sentences, the second a line, and more are counted."""
    said = _said([watched(OVERFIT), *[watched(HEALTHY)] * 9], height=30)

    assert "●" in said
    assert "verdict  overfitting: " in said
    assert "try      stop here" in said
    assert said.count("\nhealthy ") == 5
    assert said.endswith("and 4 more runs")


@pytest.mark.parametrize(
    ("run", "line"),
    [
        (_timed(10), "6 min 0 s so far, 1 min 0 s a check, about 4 min 0 s left"),
        (_timed(6), "6 min 0 s so far, 1 min 0 s a check; the plan is through"),
        (_timed(None), "6 min 0 s so far, 1 min 0 s a check; how many are planned is not known"),
        (_timed(10, seconds=math.nan), "not known from this log"),
    ],
)
def test_the_time_that_is_left_is_the_plan_at_the_present_pace(run: Watched, line: str) -> None:
    """Checks that are still to come, each as long as the last ones."""
    assert f"time     {line}\n" in _said([run])


def test_a_run_that_has_ended_has_no_time_left() -> None:
    """What was planned is no matter any more."""
    going = _timed(10)
    ended = replace(going, outcome=replace(going.outcome, ended=True))

    assert "time     ended after 6 min 0 s, 1 min 0 s a check\n" in _said([ended])


def test_a_log_that_stands_still_shows_it() -> None:
    """How long ago it was written to is said, and why a run was stopped."""
    run = watched(OVERFIT, written=1000.0)
    reason = StopReason(rule="Patience(1)", message="no better", check=40)
    stopped = replace(run, outcome=replace(run.outcome, stop_reason=reason))
    said = _said([stopped], now=1200.0)

    assert "written 3 min 20 s ago" in said
    assert "stopped  no better" in said


@given(
    runs=st.lists(
        st.builds(
            Watched,
            name=st.text() | st.sampled_from(HOSTILE),
            outcome=outcomes().filter(lambda outcome: len(outcome.history) > 0),
            written=st.floats(0, 2e9),
        ),
        max_size=4,
    ),
    width=st.integers(10, 120),
    height=st.integers(1, 50),
    plain=st.booleans(),
)
def test_any_run_fits_any_screen(
    runs: list[Watched], *, width: int, height: int, plain: bool
) -> None:
    """No line is wider than the screen, no screen is overfull, and all of it can be printed."""
    lines = frame(runs, width=width, height=height, now=1e9, plain=plain)

    assert len(lines) <= height
    for line in lines:
        assert sum(map(columns, line.plain)) <= width
        assert line.plain.isprintable()


def test_wide_and_combining_characters_take_the_columns_that_they_take() -> None:
    """Chinese takes two columns, an accent of its own none."""
    assert clipped("日本語", 4) == "日本"
    assert clipped("e\u0301e\u0301", 1) == "e\u0301"
    assert padded("日本", 6) == "日本  "
