"""The history: grows at the end, is read as a sequence, and remembers what was computed."""

import json
import math
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.history.plain import DERIVED
from lightning_gapmon.analysis.history.plan import with_plan
from lightning_gapmon.errors import HistoryError

curve = st.lists(st.floats(), max_size=20)


def run(val: list[float]) -> History:
    """Make a history of a validation curve."""
    return History.from_curves(train=[0.0] * len(val), val=val)


def numbers(val: list[float]) -> list[str]:
    """Write numbers so that NaN equals NaN."""
    return list(map(repr, val))


def test_curves_become_checks() -> None:
    """Bare curves are numbered as checks, epochs and steps, in their order."""
    history = History.from_curves(train=[3, 2], val=[4, 5], lr=[0.1, 0.2], planned=7)

    assert list(map(repr, history)) == [
        repr(Observation(check=1, epoch=0, step=1, train=3.0, val=4.0, lr=0.1)),
        repr(Observation(check=2, epoch=1, step=2, train=2.0, val=5.0, lr=0.2)),
    ]
    assert history.planned == 7
    assert type(history[0].train) is float


@pytest.mark.parametrize(
    ("train", "val", "lr", "found"),
    [
        ([1.0], [], None, "Found 1 train, 0 val and 0 lr points"),
        ([1.0], [1.0, 2.0], None, "Found 1 train, 2 val and 2 lr points"),
        ([1.0], [1.0], [], "Found 1 train, 1 val and 0 lr points"),
    ],
)
def test_curves_of_different_lengths_are_refused(
    train: list[float], val: list[float], lr: list[float] | None, found: str
) -> None:
    """Curves must have one point each per check."""
    with pytest.raises(HistoryError, match=f"{found}; expected one of each per check"):
        History.from_curves(train=train, val=val, lr=lr)


@given(curve, st.integers(-25, 25))
def test_index_is_that_of_a_list(val: list[float], index: int) -> None:
    """A check is found from the front and from the back, as in a list."""
    history = run(val)
    if -len(val) <= index < len(val):
        assert repr(history[index].val) == repr(val[index])
        assert repr(history.val[index]) == repr(val[index])
    else:
        with pytest.raises(IndexError, match=f"check index {index} of {len(val)}"):
            history[index]


bound = st.none() | st.integers(-25, 25)


@given(curve, bound, bound, bound, bound)
def test_slices_of_slices_are_those_of_a_list(
    val: list[float], a: int | None, b: int | None, c: int | None, d: int | None
) -> None:
    """A view of a view, and a part of a column, hold what a list's slices hold."""
    view = run(val)[a:b][c:d]
    expected = val[a:b][c:d]

    assert numbers([seen.val for seen in view]) == numbers(expected)
    assert numbers(view.val[:]) == numbers(expected)
    assert len(view) == len(view.val) == len(expected)


def test_a_view_shares_plan_and_checks_and_cannot_grow() -> None:
    """A view knows the plan, has the same checks, and is not appended to."""
    history = History.from_curves(train=[1.0, 2.0], val=[1.0, 2.0], planned=9)
    view = history[1:]

    assert view.planned == 9
    assert view[0] is history[1]
    with pytest.raises(HistoryError, match="A slice of a history is a view; append to the"):
        view.append(Observation(check=3, epoch=2, step=3))


def test_a_view_stays_as_it_was_when_the_history_grows() -> None:
    """A view up to the end does not see later checks."""
    history = run([3.0, 2.0])
    view = history[:]
    history.append(Observation(check=3, epoch=2, step=3, val=1.0))

    assert (len(view), len(history)) == (2, 3)
    assert (view.best, history.best) == (history[1], history[2])


def test_slices_with_a_step_are_refused() -> None:
    """A history is sliced in whole runs."""
    with pytest.raises(HistoryError, match=r"Found a slice with step 2; .* whole runs, \[a:b\]"):
        run([1.0, 2.0])[::2]


@pytest.mark.parametrize("check", [1, 2])
def test_checks_are_numbered_upwards(check: int) -> None:
    """A check that does not come after the last one is refused; gaps are allowed."""
    history = run([1.0, 2.0])
    with pytest.raises(HistoryError, match=f"Found check {check} after check 2; checks are num"):
        history.append(Observation(check=check, epoch=0, step=0))
    history.append(Observation(check=7, epoch=0, step=0))

    assert history.check[:] == [1, 2, 7]


@given(curve)
def test_best_is_the_first_lowest_finite_loss(val: list[float]) -> None:
    """The best check has the lowest finite validation loss; the first of equals."""
    best = run(val).best
    finite = [loss for loss in val if math.isfinite(loss)]

    assert (best is None) == (not finite)
    if best:
        assert best.val == min(finite)
        assert best.check == val.index(min(finite)) + 1


@given(curve, st.integers(0, 20), st.integers(0, 20))
def test_scan_is_a_fold_over_any_part(val: list[float], a: int, b: int) -> None:
    """A scan gives what folding over the checks gives, for any view, in any order of asking."""
    history = run(val)

    def add(before: str, so_far: History) -> str:
        return f"{before}{so_far.val[-1]},"

    for view in (history[a:b], history, history[a:], history[:b]):
        assert view.scan(add, "") == "".join(f"{seen.val}," for seen in view)


def test_scan_updates_once_a_check() -> None:
    """What was computed on a prefix is used again, by prefixes too."""
    calls = []

    def count(before: int, so_far: History) -> int:
        calls.append(so_far[-1].check)
        return before + 1

    history = run([1.0] * 5)

    assert history[:3].scan(count, 0) == 3
    assert history.scan(count, 0) == 5
    assert history[:4].scan(count, 0) == 4
    assert calls == [1, 2, 3, 4, 5]


def test_nobody_elses_scan_comes_into_the_way() -> None:
    """What is remembered belongs to a function, or to a method and its object."""

    def best(_: object, so_far: History) -> Observation:
        return so_far[-1]

    def better(_: object, so_far: History) -> str:
        return f"mine, {len(so_far)}"

    better.__name__ = better.__qualname__ = "_better"
    history = run([1.0, 2.0])

    assert history.scan(best, None) == history[1]
    assert history.scan(better, None) == "mine, 2"
    assert history.best == history[0]
    assert history.scan(better, None, key="another") == "mine, 2"


def test_scans_of_equal_rules_are_shared_and_of_others_are_not() -> None:
    """Two rules of one kind have a memory each, unless they are equal."""

    @dataclass(frozen=True)
    class Above:
        loss: float
        asked: list[int] = field(default_factory=list, compare=False)

        def count(self, before: int, so_far: History) -> int:
            self.asked.append(len(so_far))
            return before + (so_far.val[-1] > self.loss)

    history = run([1.0, 2.0, 3.0])
    low, high, again = Above(0.5), Above(2.5), Above(0.5)

    assert [history.scan(rule.count, 0) for rule in (low, high, again)] == [3, 1, 3]
    assert (high.asked, again.asked) == ([1, 2, 3], [])


def test_equality_is_of_plan_and_checks() -> None:
    """Histories are equal when their plans and checks are; NaN equals NaN."""
    history = run([1.0, math.nan])

    assert history == run([1.0, math.nan])
    assert history[:1] == run([1.0])
    assert history != run([1.0, 2.0])
    assert history != History(history, planned=2)
    assert history != [*history]
    with pytest.raises(TypeError, match="unhashable"):
        hash(history)


def test_columns_read_like_lists() -> None:
    """A column compares, shows itself, and knows derived quantities."""
    history = History.from_curves(train=[1.0, 1.0], val=[2.0, 4.0])

    assert history.val == [2.0, 4.0] == list(history.val)
    assert history.val != [2.0]
    assert history.val != 2.0
    assert repr(history.val) == "[2.0, 4.0]"
    assert history.gap == [1.0, 3.0]
    assert history.gap_relative == [0.5, 0.75]
    assert 4.0 in history.val
    assert history.val.tolist() == [2.0, 4.0]
    assert type(history.val.tolist()) is list
    assert json.dumps(list(history.val)) == "[2.0, 4.0]"
    with pytest.raises(TypeError, match="unhashable"):
        hash(history.val)


def test_every_number_of_a_check_has_a_column() -> None:
    """Whatever number an observation holds is a column of its name; of plans the last counts."""
    cells: dict[str, Any] = dict.fromkeys(Observation.__dataclass_fields__, 0.5)
    cells |= {"check": 1, "epoch": 2, "step": 3, "loaders": (1.0,)}
    history = History([Observation(**cells)])
    names = cells.keys() - {"loaders", "planned"} | set(DERIVED)

    for name in names:
        assert getattr(history, name) == [getattr(history[0], name)]


def test_table_has_a_row_a_check() -> None:
    """A table holds every quantity in a column of its name, the gap with them."""
    history = History.from_curves(train=[1.0, 1.0], val=[2.0, 4.0])
    table = history.to_pandas()

    assert table["val"].tolist() == [2.0, 4.0]
    assert table["gap"].tolist() == [1.0, 3.0]
    assert table["check"].tolist() == [1, 2]
    assert "loaders" not in table
    assert len(table) == 2


def test_table_has_a_column_a_validation_loader() -> None:
    """The losses of several loaders stand beside their mean; a check without them has none."""
    first, second = History.from_curves(train=[1.0, 1.0], val=[2.0, 4.0])
    table = History([first, replace(second, loaders=(3.0, 5.0))]).to_pandas()

    assert [name for name in map(str, table) if "loader" in name] == ["loader_0", "loader_1"]
    assert table["loader_1"].isna().tolist() == [True, False]
    assert [table["loader_0"].tolist()[1], table["loader_1"].tolist()[1]] == [3.0, 5.0]


def test_each_check_holds_the_plan_of_its_time() -> None:
    """A prefix knows what was planned then; a check without a plan asks what was given."""
    seen = [
        Observation(check=check, epoch=0, step=check, planned=planned)
        for check, planned in ((1, math.nan), (2, 8.0), (3, 9.4))
    ]
    history = History(seen, planned=5)

    assert [history[:size].planned for size in range(4)] == [5, 5, 8, 9]
    assert History(seen[:1]).planned is None
    assert History.from_plain(history.to_plain())[:2].planned == 8
    assert with_plan(history, 20)[:2].planned == 20
    assert with_plan(history, None).planned is None
    assert history.planned == 9
