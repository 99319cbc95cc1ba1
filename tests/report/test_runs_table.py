"""Many runs as rows."""

import json

from hypothesis import given, strategies as st
from tests.hostile import HOSTILE
from tests.judged import OVERFIT
from tests.report.strategies import outcomes

from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.outlook.outlook import outlook
from lightning_gapmon.report.runs_table import COLUMNS, Named, cells, markdown, plain

NAMES = st.text() | st.sampled_from(HOSTILE)


def test_a_row_says_verdict_best_check_gap_and_outlook() -> None:
    """Each cell is that of its heading."""
    outcome = Outcome(
        history=OVERFIT.history,
        diagnosis=OVERFIT.diagnosis,
        outlook=outlook(OVERFIT.history),
    )
    run = Named(name="a", outcome=outcome)
    row = dict(zip(COLUMNS, cells(run), strict=True))
    best = OVERFIT.history.best

    assert best is not None
    assert row["verdict"].startswith("overfitting")
    assert (row["at"], row["best val"]) == (str(best.check), f"{best.val:.4f}")
    assert float(row["gap there"]) > 0
    assert row["outlook"].endswith("%")


@given(outcome=outcomes(), name=NAMES)
def test_any_run_is_a_row_of_a_table_and_strict_json(outcome: Outcome, name: str) -> None:
    """Whatever it is called: one line of Markdown with the columns there are, and JSON."""
    run = Named(name=name, outcome=outcome)
    lines = markdown([run]).splitlines()

    assert len(lines) == 5
    assert lines[2].replace(r"\|", "").count("|") == len(COLUMNS) + 1
    assert json.loads(json.dumps(plain(run), allow_nan=False))["name"] == name
