"""The golden gallery: each kind of curve gets its verdict, healthy ones never a warning."""

import math
import random
from collections import Counter
from dataclasses import replace

import pytest
from tests import curves

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.verdicts.diagnose import Diagnosis, diagnose
from lightning_gapmon.errors import HistoryError

SEEDS = 100
UNITS = [(1.0, 0.0), (1000.0, 0.0), (0.001, 0.0), (1.0, -5.0)]
UNIT_IDS = ["one", "thousand", "thousandth", "negative"]


def verdicts(
    shape: curves.Shape,
    *,
    checks: int,
    noise: float,
    unit: tuple[float, float] = (1.0, 0.0),
    seeds: int = SEEDS,
) -> Counter[str]:
    """Count the verdicts at the end of runs of one shape."""
    found: Counter[str] = Counter()
    for seed in range(seeds):
        train, val = curves.draw(
            shape, checks=checks, noise=noise, seed=seed, unit=unit[0], shift=unit[1]
        )
        found[diagnose(train=train, val=val).verdict] += 1
    return found


def live(train: list[float], val: list[float]) -> list[Diagnosis]:
    """Diagnose at each check, as a run does."""
    history, seen = History(), []
    for i, (t, v) in enumerate(zip(train, val, strict=True)):
        history.append(Observation(check=i + 1, epoch=i, step=i + 1, train=t, val=v))
        seen.append(diagnose(history, live=True))
    return seen


@pytest.mark.parametrize("noise", [0.01, 0.05])
@pytest.mark.parametrize("name", curves.HEALTHY)
def test_healthy_run_is_never_accused(name: str, noise: float) -> None:
    """At no check of a healthy run is there a warning, in more than 1 % of runs."""
    accused = 0
    for seed in range(SEEDS):
        train, val = curves.draw(curves.HEALTHY[name], checks=24, noise=noise, seed=seed)
        accused += any(seen.severity != "info" for seen in live(train, val))

    assert accused <= 0.01 * SEEDS


@pytest.mark.parametrize("name", curves.HEALTHY)
def test_long_healthy_run_is_never_accused(name: str) -> None:
    """Over a hundred noisy checks there is no warning either."""
    for seed in range(12):
        train, val = curves.draw(curves.HEALTHY[name], checks=100, noise=0.05, seed=seed)
        assert {seen.severity for seen in live(train, val)} == {"info"}


@pytest.mark.parametrize("unit", UNITS, ids=UNIT_IDS)
@pytest.mark.parametrize("name", ["good", "dropout", "drop"])
def test_good_fit_is_told(name: str, unit: tuple[float, float]) -> None:
    """A run that came down and settled is a good fit, whatever the unit of the loss."""
    found = verdicts(curves.HEALTHY[name], checks=40, noise=0.01, unit=unit, seeds=50)

    assert found["good_fit"] >= 0.95 * 50, found


@pytest.mark.parametrize("unit", UNITS, ids=UNIT_IDS)
@pytest.mark.parametrize(("noise", "least"), [(0.0, 1.0), (0.01, 0.99), (0.05, 0.9)])
def test_overfitting_is_told(noise: float, least: float, unit: tuple[float, float]) -> None:
    """A U-shaped validation loss under a falling train loss is overfitting."""
    found = verdicts(curves.u_shape, checks=40, noise=noise, unit=unit, seeds=100)

    assert found["overfitting"] >= least * 100, found


@pytest.mark.parametrize("checks", [8, 24, 100])
def test_overfitting_is_told_in_time(checks: int) -> None:
    """With 1 % of noise, overfitting is told within a quarter of the run after the turn."""
    turn, delay = math.ceil(0.3 * checks), checks // 4 + 3
    for seed in range(20):
        seen = live(*curves.draw(curves.u_shape, checks=checks, noise=0.01, seed=seed))
        first = next(i for i, found in enumerate(seen, 1) if found.form in ("rise", "both"))

        assert turn < first <= turn + delay


def test_textbook_example() -> None:
    """The textbook's five checks are overfitting that began after check 3."""
    found = diagnose(train=[0.85, 0.60, 0.45, 0.30, 0.20], val=[0.90, 0.65, 0.50, 0.55, 0.70])

    assert (found.verdict, found.form, found.severity) == ("overfitting", "both", "error")
    assert (found.since, found.best) == (3, 3)
    assert "since check 3" in found.message
    assert found.remedies[0] == "stop here and keep the weights of check 3"


@pytest.mark.parametrize("unit", UNITS, ids=UNIT_IDS)
def test_memorising_without_harm_is_a_gap(unit: tuple[float, float]) -> None:
    """Validation that settles while train goes to zero is overfitting by its gap, a warning."""
    for seed in range(20):
        train, val = curves.draw(
            curves.stall, checks=40, noise=0.01, seed=seed, unit=unit[0], shift=unit[1]
        )
        found = diagnose(train=train, val=val)

        assert (found.verdict, found.form, found.severity) == ("overfitting", "gap", "warning")


@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_underfitting_is_told(noise: float) -> None:
    """A hundred checks around where they started are underfitting, in any noise."""
    found = verdicts(curves.underfit, checks=100, noise=noise)

    assert found["underfitting"] >= 0.95 * SEEDS, found


@pytest.mark.parametrize("unit", UNITS, ids=UNIT_IDS)
@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_divergence_is_told(noise: float, unit: tuple[float, float]) -> None:
    """Losses that both grow beyond their start diverge."""
    found = verdicts(curves.blow_up, checks=40, noise=noise, unit=unit)

    assert found["diverging"] == SEEDS


def test_double_descent_ends_without_a_rise() -> None:
    """A validation loss that rose in the middle and fell below has not come up in the end."""
    for seed in range(20):
        train, val = curves.draw(curves.double_descent, checks=60, noise=0.01, seed=seed)

        assert diagnose(train=train, val=val).form == "gap"


def test_run_stopped_too_early_still_learns() -> None:
    """A run that is cut in the middle of its fall is told to go on."""
    for seed in range(SEEDS):
        train, val = curves.draw(curves.slow, checks=90, noise=0.01, seed=seed)

        assert diagnose(train=train[:40], val=val[:40]).verdict == "learning"


@pytest.mark.parametrize("checks", range(4))
def test_few_checks_are_undecided(checks: int) -> None:
    """Up to three checks say nothing."""
    found = diagnose(train=[3.0, 2.0, 1.0][:checks], val=[1.0, 2.0, 3.0][:checks])

    assert found.verdict == "undecided"
    assert found.message == f"too early to tell after {checks} check{'' if checks == 1 else 's'}"
    assert found.best == (1 if checks else None)


def test_rise_shared_by_train_is_divergence() -> None:
    """A rise of both losses diverges, with how much of the gain it costs; an alarm waits."""
    val = [2.0, 1.5, 1.0, 0.8, 0.6, 0.5, 1.0, 1.0]
    found = diagnose(train=[loss - 0.1 for loss in val], val=val)

    assert (found.verdict, found.severity) == ("diverging", "error")
    # 1.0 is twice the best of 0.5, and 0.5 of the 1.5 that were gained
    assert found.message == (
        "validation loss came up by 100 % since check 6, from 0.5000 to 1.000, and train loss "
        "came up from 0.4000 to 0.9000: 33.3 % of what training had gained is lost"
    )
    assert diagnose(train=[v - 0.1 for v in val], val=val, live=True).severity == "info"


@pytest.mark.parametrize("live", [False, True])
def test_restart_of_the_learning_rate_is_no_divergence(live: bool) -> None:  # noqa: FBT001
    """A loss that jumps up where the learning rate was raised has not diverged."""
    val = [2.0, 1.5, 1.0, 0.8, 0.6, 0.5, 2.1, 2.1, 2.2]
    train = [loss - 0.1 for loss in val]
    raised = History.from_curves(train=train, val=val, lr=[0.1, *[0.01] * 5, 0.1, 0.1, 0.1])

    assert diagnose(raised, live=live).verdict != "diverging"
    assert diagnose(train=train, val=val, live=live).verdict == "diverging"


def test_first_checks_after_a_restart_are_no_overfitting() -> None:
    """Where both losses jumped up and come back, and train first, nothing is memorised."""
    val = [0.5 + 1.5 * 0.8**i for i in range(30)]
    train = [0.45 + 1.5 * 0.8**i for i in range(30)]
    val += [0.5 + 1.0 * 0.6**i for i in range(4)]
    train += [0.44 + 0.9 * 0.4**i for i in range(4)]

    for checks in range(30, 35):
        for live in (False, True):
            found = diagnose(train=train[:checks], val=val[:checks], live=live)
            assert found.severity == "info", (checks, live)


@pytest.mark.parametrize("ratio", [0.1, 0.2])
def test_validation_far_below_train_is_never_passed_over(ratio: float) -> None:
    """Validation at a tenth of train is a warning, with what it may be and how to find out."""
    train = [0.5 + 1.8 * 0.85**i for i in range(60)]
    found = diagnose(train=train, val=[ratio * loss for loss in train])

    assert (found.verdict, found.severity) == ("good_fit", "warning")
    assert "validation loss is far below train loss" in found.message
    assert any("probe=" in remedy for remedy in found.remedies)
    assert any("leakage=" in remedy for remedy in found.remedies)


def test_range_so_far_is_no_measure_while_a_loss_without_zero_still_grows() -> None:
    """A noisy negative loss with one lucky check is not accused, and goes on."""
    dice = random.Random(1)  # noqa: S311 - no secret
    val = [-100 * (1 - math.exp(-i / 30)) + dice.gauss(0, 2) for i in range(1, 80)]
    train = [-100 * (1 - math.exp(-i / 30)) - 1 + dice.gauss(0, 1) for i in range(1, 80)]
    val[20] -= 15

    assert {seen.severity for seen in live(train, val)} == {"info"}


@pytest.mark.parametrize(
    ("train", "val", "message", "since"),
    [
        ([1.0, 0.9], [1.0, math.nan], "validation loss is nan since check 2", 2),
        ([1.0, 0.9], [math.inf, -math.inf], "validation loss is -inf since check 1", 1),
        ([1.0, math.nan], [1.0, 0.9], "train loss is nan since check 2", 2),
        ([math.inf], [1.0], "train loss is inf since check 1", 1),
    ],
)
def test_loss_that_is_no_number(
    train: list[float], val: list[float], message: str, since: int
) -> None:
    """A loss that is no number at the last check is an error, from where it began."""
    found = diagnose(train=train, val=val)

    assert (found.verdict, found.severity) == ("non_finite", "error")
    assert (found.message, found.since) == (message, since)


@pytest.mark.parametrize(
    ("train", "val"), [([math.nan] * 3, [1.0, 0.9, 0.8]), ([1.0] * 3, [1.0, math.nan, 0.8])]
)
def test_what_is_over_or_was_never_measured_is_no_fault(
    train: list[float], val: list[float]
) -> None:
    """A train loss that was never measured, and a NaN that is over, are no fault now."""
    assert diagnose(train=train, val=val).verdict == "undecided"


def test_validation_loss_that_was_not_measured_is_no_fault() -> None:
    """A check without a single validation sample has no loss that could be broken."""
    unheard = [Observation(check=i, epoch=i, step=i, train=1.0, val_n=0.0) for i in (1, 2, 3)]
    found = diagnose(History(unheard))

    assert (found.verdict, found.severity) == ("undecided", "info")
    assert found.message == "no validation loss was measured"
    unheard[-1] = replace(unheard[-1], train=math.inf)
    assert diagnose(History(unheard)).message == "train loss is inf since check 3"


def test_checks_without_validation_leave_the_verdict_to_those_with_it() -> None:
    """A run that validates its loss at some checks only is judged by these."""
    val = [2.0, 1.5, 1.0, 0.8, 0.6, 0.5, *[0.6 + 0.05 * i for i in range(12)]]
    seen = [*History.from_curves(train=[1 / (i + 1) for i in range(18)], val=val)]
    seen.append(replace(seen[-1], check=19, step=19, train=0.05, val=math.nan, val_n=0.0))
    found = diagnose(History(seen))

    assert found.verdict == "overfitting"
    assert "nan" not in found.message


def test_rise_without_train_loss_is_undecided() -> None:
    """Without a train loss a rise of validation is neither overfitting nor divergence."""
    val = [1.0, 0.6, 0.5, 0.9, 1.2, 1.4]
    found = diagnose(train=[math.nan] * 6, val=val)

    assert found.verdict == "undecided"
    assert found.message.endswith("and no train loss is known that could say why")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, "no run"),
        ({"train": [1.0]}, "train"),
        ({"history": History(), "val": [1.0]}, "a history and val"),
    ],
)
def test_history_or_both_curves(given: dict[str, object], found: str) -> None:
    """Anything but a history or both curves is refused."""
    with pytest.raises(
        HistoryError, match=rf"Found {found} in diagnose\(\.\.\.\); expected a history or"
    ):
        diagnose(**given)  # type: ignore[arg-type]
