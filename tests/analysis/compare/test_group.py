"""Seeds of one setting."""

import math

import pytest

from lightning_gapmon.analysis.compare.group import Group, by_folder, grouped
from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.study import Run
from lightning_gapmon.errors import ConfigurationError


def _runs(*names: str, group: str = "") -> list[Run]:
    return [Run(name=name, history=History(), group=group) for name in names]


def _labels(groups: list[Group]) -> dict[str, list[str]]:
    return {group.label: [run.name for run in group.runs] for group in groups}


def test_a_pattern_tells_groups_apart() -> None:
    """What the pattern's group matches is the label; runs without a match are the others."""
    runs = _runs("a/lr=1/s0", "a/lr=2/s0", "a/lr=1/s1", "plain")

    assert _labels(grouped(runs, r"lr=(\d)")) == {
        "1": ["a/lr=1/s0", "a/lr=1/s1"],
        "2": ["a/lr=2/s0"],
        "others": ["plain"],
    }


def test_an_optional_group_that_matches_nothing_leaves_the_whole_match() -> None:
    """Where the pattern's group took no part, the whole match is the label."""
    assert [*_labels(grouped(_runs("wide"), "wide(x)?"))] == ["wide"]


def test_a_pattern_that_is_none_is_refused() -> None:
    """A broken regular expression is named."""
    with pytest.raises(ConfigurationError, match="'lr=\\(', which is no regular expression"):
        grouped([], "lr=(")


def test_folders_and_given_groups_tell_groups_apart() -> None:
    """The folder above is the group, on Windows too, unless a run says its own."""
    runs = [*_runs("wide/0", "wide/1", r"deep\0", "alone"), *_runs("wide/2", group="repo")]

    assert _labels(by_folder(runs)) == {
        "wide": ["wide/0", "wide/1"],
        "deep": [r"deep\0"],
        "alone": ["alone"],
        "repo": ["wide/2"],
    }


def test_numbers_of_a_group_leave_out_runs_without_a_loss() -> None:
    """Mean and spread are those of the finite best losses, however large they are."""
    losses = [1.0, 3.0, math.nan, 1.7e308, 1.7e308]
    runs = tuple(
        Run(name="r", history=History.from_curves(train=[loss], val=[loss])) for loss in losses
    )
    few = Group(label="few", runs=runs[:3])

    assert (few.losses, few.failed, few.mean) == ((1.0, 3.0), 1, 2.0)
    assert few.spread == pytest.approx(math.sqrt(2))
    assert Group(label="large", runs=runs[3:]).mean == 1.7e308
    assert math.isnan(Group(label="none", runs=()).mean)
