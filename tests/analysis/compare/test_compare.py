"""Is one group better than another, beyond noise."""

import math
import random

import pytest
from hypothesis import given, strategies as st
from scipy import stats
from tests import curves

from lightning_gapmon.analysis.compare.compare import compare
from lightning_gapmon.analysis.compare.group import Group
from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.study import Run

LOSSES = st.lists(st.floats(-10, 10), min_size=2, max_size=6)


def seeds(label: str, *losses: float) -> Group:
    """Make runs that have one check each."""
    histories = [History.from_curves(train=[loss], val=[loss]) for loss in losses]
    return Group(label=label, runs=tuple(Run(name=label, history=one) for one in histories))


def lone(val: list[float], label: str = "lone") -> Group:
    """Make a group of one run."""
    history = History.from_curves(train=val, val=val)
    return Group(label=label, runs=(Run(name=label, history=history),))


def test_the_interval_is_that_of_welch_with_the_degrees_of_the_smaller_group() -> None:
    """The ends are the difference of means, give or take a quantile of scipy's t."""
    one, two = [0.51, 0.49, 0.52, 0.50], [0.44, 0.47, 0.45]
    found = compare(seeds("a", *one), seeds("b", *two))
    stderr = math.sqrt(stats.tvar(one) / 4 + stats.tvar(two) / 3)
    difference = sum(two) / 3 - sum(one) / 4

    assert found.difference == pytest.approx(difference)
    assert found.low == pytest.approx(difference - stats.t.ppf(0.95, 2) * stderr)
    assert found.high == pytest.approx(difference + stats.t.ppf(0.95, 2) * stderr)
    assert (found.answer, found.basis) == ("better", "groups")


@given(one=LOSSES, two=LOSSES)
def test_what_is_better_one_way_is_worse_the_other(one: list[float], two: list[float]) -> None:
    """Changing sides turns the answer and the interval."""
    there, back = (
        compare(seeds("a", *one), seeds("b", *two)),
        compare(seeds("b", *two), seeds("a", *one)),
    )
    turned = {"better": "worse", "worse": "better", "cannot tell": "cannot tell"}

    assert back.answer == turned[there.answer]
    assert back.low == pytest.approx(-there.high, abs=1e-9)


@given(one=LOSSES, two=LOSSES, unit=st.sampled_from([0.001, 4.0, 1000.0]))
def test_the_unit_of_the_loss_does_not_matter(
    one: list[float], two: list[float], unit: float
) -> None:
    """A loss in other units is compared alike, where the answer is not on the edge."""
    plain = compare(seeds("a", *one), seeds("b", *two))
    edge = min(abs(plain.low), abs(plain.high))
    scaled = compare(seeds("a", *(unit * x for x in one)), seeds("b", *(unit * x for x in two)))

    assert scaled.answer == plain.answer or edge < 1e-9


def test_equal_groups_are_rarely_called_better_and_large_effects_are_seen() -> None:
    """Of 1,000 draws of five seeds at most 5 % are called better; 2 sd are seen in 80 %."""
    dice = random.Random(3)  # noqa: S311 - no secret
    better = {0.0: 0, 2.0: 0}
    for effect in better:
        for _ in range(1000):
            one = seeds("a", *(dice.gauss(0, 1) for _ in range(5)))
            two = seeds("b", *(dice.gauss(-effect, 1) for _ in range(5)))
            better[effect] += compare(one, two).answer == "better"

    assert better[0.0] <= 50
    assert better[2.0] >= 800


def test_several_comparisons_are_each_stricter() -> None:
    """The interval for two comparisons is that at half the chance of an error."""
    one, two = seeds("a", 1.0, 1.1, 1.2), seeds("b", 0.9, 1.0, 1.1)
    single, double = compare(one, two), compare(one, two, comparisons=2)
    ratio = stats.t.ppf(0.975, 2) / stats.t.ppf(0.95, 2)

    assert double.high - double.low == pytest.approx(ratio * (single.high - single.low))


def test_a_single_run_is_held_against_the_spread_of_the_others() -> None:
    """One run beside four seeds must fall outside of where a fifth seed would."""
    one = [0.50, 0.52, 0.48, 0.51]
    found = compare(seeds("a", *one), seeds("b", 0.47))
    reach = stats.t.ppf(0.95, 3) * math.sqrt(stats.tvar(one) * (1 + 1 / 4))

    assert (found.answer, found.basis) == ("cannot tell", "one against a group")
    assert found.high - found.low == pytest.approx(2 * reach)
    assert "the single run is taken to vary" in found.reason


def test_single_runs_speak_of_themselves_only() -> None:
    """One run a side is compared by the noise between its checks, and says so."""
    _, noisy = curves.draw(curves.good, checks=60, noise=0.02, seed=0)
    same = curves.draw(curves.good, checks=60, noise=0.02, seed=1)[1]
    half = [loss / 2 for loss in noisy]

    assert compare(lone(noisy), lone(same)).answer == "cannot tell"
    found = compare(lone(noisy), lone(half))
    assert (found.answer, found.basis) == ("better", "single runs")
    assert found.reason == "this speaks of these two runs only: another seed may turn it"


@pytest.mark.parametrize(
    ("one", "two", "reason"),
    [
        (lone([1.0, 0.9]), lone([0.1, 0.1]), "fewer than five checks shows no noise"),
        (seeds("a", 1.0, 1.1), lone([math.nan], "b"), "1 of 1 runs of b have no finite loss"),
        (seeds("a"), seeds("b", 1.0, 2.0), "0 of 0 runs of a have no finite loss"),
    ],
)
def test_where_nothing_is_known_nothing_is_said(one: Group, two: Group, reason: str) -> None:
    """Too little to compare gives no interval, and the reason."""
    found = compare(one, two)

    assert (found.answer, found.basis) == ("cannot tell", "nothing")
    assert math.isnan(found.low)
    assert reason in found.reason


def test_seeds_that_failed_are_not_left_out_to_win() -> None:
    """A group whose losses are lower is not better where some of its runs have none."""
    good = seeds("plain", 0.50, 0.51, 0.52)
    frail = seeds("frail", 0.30, 0.31, 0.32, math.nan)
    found, back = compare(good, frail), compare(frail, good)

    assert found.answer == "cannot tell"
    assert back.answer == "cannot tell"
    assert found.reason == "1 of 4 runs of frail have no finite loss"


def test_failed_seeds_of_the_loser_take_nothing_back() -> None:
    """A group that is worse and fails, too, is worse."""
    found = compare(seeds("a", 0.50, 0.51, 0.52), seeds("b", 0.70, 0.71, 0.72, math.nan))

    assert found.answer == "worse"
    assert "1 of 4 runs of b" in found.reason
