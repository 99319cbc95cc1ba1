"""A run counts once, wherever and in how many parts it is logged."""

from hypothesis import given, strategies as st

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.study import Run
from lightning_gapmon.logs.distinct import distinct

CURVES = st.lists(st.lists(st.sampled_from([1.0, 2.0]), max_size=4), max_size=8)


@given(CURVES)
def test_what_begins_another_run_is_left_out(curves: list[list[float]]) -> None:
    """What stays is no beginning of anything else; the rest is one of something that stays."""
    runs = [
        Run(name=str(i), history=History.from_curves(train=val, val=val))
        for i, val in enumerate(curves)
    ]
    kept = [int(run.name) for run in distinct(runs)]

    assert kept == sorted(kept)
    for i, curve in enumerate(curves):
        longer = [
            j
            for j, other in enumerate(curves)
            if curve and other[: len(curve)] == curve and (len(other) > len(curve) or j < i)
        ]
        same = [j for j in range(i) if curves[j] == curve]
        assert (i in kept) == (not longer and not same)


def test_digits_that_tensorboard_rounds_away_do_not_count() -> None:
    """Single precision has seven of them."""
    histories = [History.from_curves(train=[0.0], val=[val]) for val in (1 / 3, 0.3333333, 0.3334)]
    runs = [Run(name=str(i), history=history) for i, history in enumerate(histories)]

    assert [run.name for run in distinct(runs)] == ["0", "2"]
