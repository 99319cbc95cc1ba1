"""Runs of every kind, for Hypothesis."""

import math
from typing import Any, get_args

from hypothesis import strategies as st

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.rules.rule import StopReason
from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis, Form, Verdict

LOSSES = st.floats() | st.floats(-10, 10) | st.just(math.nan)
ERRORS = st.floats(0, 10) | st.just(math.nan) | st.just(math.inf)
COUNTS = st.integers(0, 10**9)
TEXTS = st.text(max_size=60)

_checks: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    **dict.fromkeys(("train", "end", "probe", "val"), LOSSES),
    **{f"{name}_stderr": ERRORS for name in ("train", "end", "probe", "val")},
    val_n=st.floats(0, 1e9) | st.just(math.nan),
    seconds=st.floats(),
    step=COUNTS,
    epoch=COUNTS,
    loaders=st.lists(LOSSES, max_size=2).map(tuple),
)


@st.composite
def histories(draw: st.DrawFn, max_size: int = 12) -> History:
    """Draw a history: any losses, checks that may be missing, columns that may be empty."""
    size = draw(st.integers(0, max_size))
    numbers = sorted(draw(st.sets(st.integers(1, 10**6), min_size=size, max_size=size)))
    silent = draw(st.sets(st.sampled_from(["train", "end", "probe", "val", "loaders"])))
    rows = [draw(_checks) for _ in numbers]
    for row in rows:
        for name in silent:
            row.pop(name)
    plan = draw(st.none() | COUNTS)
    checks = zip(numbers, rows, strict=True)
    return History((Observation(check=n, **row) for n, row in checks), planned=plan)


diagnoses = st.builds(
    Diagnosis,
    verdict=st.sampled_from(get_args(Verdict)),
    form=st.none() | st.sampled_from(get_args(Form)),
    severity=st.sampled_from(["info", "warning", "error"]),
    message=TEXTS,
    evidence=st.dictionaries(TEXTS, st.floats(), max_size=3),
    since=st.none() | COUNTS,
    best=st.none() | COUNTS,
    remedies=st.lists(TEXTS, max_size=3).map(tuple),
)


def outcomes() -> st.SearchStrategy[Outcome]:
    """Draw a run as it is handed to reports."""
    return st.builds(
        Outcome,
        history=histories(),
        diagnosis=diagnoses,
        ended=st.booleans(),
        stop_reason=st.none() | st.builds(StopReason, rule=TEXTS, message=TEXTS, check=COUNTS),
        interrupted_by=TEXTS,
        restored=st.booleans(),
        source=TEXTS,
        best_path=TEXTS,
        log_dir=TEXTS,
        notes=st.lists(TEXTS, max_size=2).map(tuple),
    )
