"""Many runs: means over groups, the frontier of patience, intervals."""

import math
import random

import numpy as np
import pytest

from lightning_gapmon import Budget, History, Patience, Target, replay
from lightning_gapmon.analysis.study import PATIENCES, Run, study


def _runs(count: int, groups: int) -> list[Run]:
    draw = random.Random(3)  # noqa: S311 - a test needs no secret
    runs = []
    for i in range(count):
        n = draw.randint(5, 60)
        val = [1 + math.exp(-t / 5) + 0.01 * t + draw.gauss(0, 0.05) for t in range(n)]
        history = History.from_curves(train=val, val=val, planned=n)
        runs.append(Run(name=f"run {i}", group=f"group {i % groups}", history=history))
    return runs


def _balanced(runs: list[Run], values: list[float]) -> float:
    groups = sorted({run.group for run in runs})
    return float(
        np.mean(
            [
                np.mean([v for run, v in zip(runs, values, strict=True) if run.group == group])
                for group in groups
            ]
        )
    )


def test_means_weigh_groups_alike() -> None:
    """Every share is the mean over groups of the means within them."""
    runs = _runs(23, 4)
    (row,) = study({"p": Patience(4)}, runs, resamples=0)
    results = [replay(Patience(4), run.history) for run in runs]

    assert row.used.value == pytest.approx(_balanced(runs, [1 - r.saved for r in results]))
    assert row.kept.value == pytest.approx(_balanced(runs, [r.regret == 0 for r in results]))
    relative = [r.regret_relative for r in results]
    assert row.regret_relative.value == pytest.approx(_balanced(runs, relative))
    ranges = [r.regret_range for r in results]
    assert row.regret_range.value == pytest.approx(_balanced(runs, ranges))


@pytest.mark.parametrize("patience", PATIENCES)
def test_patience_is_on_its_own_frontier(patience: int) -> None:
    """The fast pass for the frontier agrees with the rule itself."""
    (row,) = study({"p": Patience(patience)}, _runs(15, 15), resamples=0)

    ratios = [row.against_relative.value, row.against_range.value]
    same = [1.0, 1.0] if row.regret_relative.value else [math.nan, math.nan]
    assert ratios == pytest.approx(same, nan_ok=True)


def test_frontier_is_interpolated() -> None:
    """A rule between two patiences is compared with the line between them."""
    runs = [
        Run(name=n, history=History.from_curves(train=v, val=v, planned=len(v)))
        for n, v in {
            "a": [5.0, 4.0, 4.5, 4.5, 4.5, 4.5, 4.5, 2.0],
            "b": [5.0, 3.0, 3.5, 3.5, 3.5, 3.5, 3.5, 1.0],
        }.items()
    ]
    rule = Target(3.2)  # stops run b alone, at its second check
    (row,) = study({"t": rule}, runs, resamples=0)
    used = (8 + 2) / 16
    # patience 3 uses 5 of 8 checks on both runs; the regrets of both are whole
    whole = (1.0 + 1.0) / 2

    assert row.used.value == used == 5 / 8
    assert row.against_relative.value == pytest.approx((0 + 1.0) / 2 / whole)


def test_interval_narrows_with_more_groups_and_holds_the_value() -> None:
    """Intervals come from resampling whole groups."""
    widths = []
    for groups in (5, 80):
        (row,) = study({"p": Patience(3)}, _runs(80, groups), resamples=200)
        widths.append(row.used.high - row.used.low)

        assert row.used.low <= row.used.value <= row.used.high
    few_alike, many = widths
    (one,) = study({"p": Patience(3)}, _runs(5, 1), resamples=50)

    assert many > 0
    assert few_alike > 0
    assert math.isnan(one.used.low)


def test_interval_is_that_of_the_mean() -> None:
    """For many groups the interval of a mean is close to its normal approximation."""
    runs = _runs(150, 150)
    (row,) = study({"p": Patience(3)}, runs, resamples=1000)
    used = [1 - replay(Patience(3), run.history).saved for run in runs]
    half = 1.96 * np.std(used) / math.sqrt(len(used))

    assert row.used.high - row.used.value == pytest.approx(half, rel=0.25)
    assert row.used.value - row.used.low == pytest.approx(half, rel=0.25)


def test_rows_keep_the_order_of_the_rules() -> None:
    """Each rule has its row, and runs without a finite loss are left out."""
    bad = Run(name="bad", history=History.from_curves(train=[1.0], val=[math.nan]))
    rows = study({"b": Budget(), "a": Patience(3)}, [*_runs(6, 3), bad], resamples=10)

    assert [row.rule for row in rows] == ["b", "a"]
    assert study({"a": Patience(3)}, [bad]) == []


def test_progress_sees_every_run() -> None:
    """The caller can show how far it is."""
    seen: list[str] = []

    def progress(runs: list[Run]) -> list[Run]:
        seen.extend(run.name for run in runs)
        return runs

    study({"a": Patience(3)}, _runs(4, 2), resamples=0, progress=progress)  # type: ignore[arg-type]

    assert seen == ["run 0", "run 1", "run 2", "run 3"]


def test_no_regret_on_either_side_is_no_comparison() -> None:
    """Where patience gives nothing away and neither does the rule, there is no ratio."""
    falling = [1 / (t + 1) for t in range(12)]
    runs = [Run(name=n, history=History.from_curves(train=falling, val=falling)) for n in "abc"]
    (row,) = study({"p": Patience(5)}, runs, resamples=20)

    assert row.regret_relative.value == 0
    assert all(map(math.isnan, row.against_relative))
