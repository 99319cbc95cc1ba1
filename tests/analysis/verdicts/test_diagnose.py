"""The golden gallery: each kind of curve gets its verdict, healthy ones never a warning."""

import math
from collections import Counter
from dataclasses import replace

import pytest
from tests import curves

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.verdicts.diagnose import Diagnosis, diagnose
from lightning_gapmon.errors import HistoryError

SEEDS = 200
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
        seen.append(diagnose(history))
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
@pytest.mark.parametrize("name", ["good", "power", "dropout", "drop"])
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
        first = next(i for i, found in enumerate(seen, 1) if found.verdict == "overfitting")

        assert turn < first <= turn + delay


def test_textbook_example() -> None:
    """The textbook's five checks are overfitting that began after check 3."""
    found = diagnose(train=[0.85, 0.60, 0.45, 0.30, 0.20], val=[0.90, 0.65, 0.50, 0.55, 0.70])

    assert (found.verdict, found.severity, found.since, found.best) == (
        "overfitting",
        "error",
        3,
        3,
    )
    assert "since check 3" in found.message
    assert found.remedies[0] == "stop here and keep the weights of check 3"


@pytest.mark.parametrize("unit", UNITS, ids=UNIT_IDS)
def test_memorising_without_harm_is_a_plateau(unit: tuple[float, float]) -> None:
    """Validation that settles while train goes to zero is a plateau, with a warning."""
    found = verdicts(curves.stall, checks=40, noise=0.01, unit=unit)

    assert found["plateau"] >= 0.99 * SEEDS, found


def test_underfitting_is_told() -> None:
    """Losses that halt where they started are underfitting, and never overfitting."""
    found = verdicts(curves.underfit, checks=80, noise=0.01)

    assert found["underfitting"] >= 0.95 * SEEDS, found
    assert not found["overfitting"]


def test_plateau_is_told() -> None:
    """Losses that halt after some progress are a plateau."""
    found = verdicts(curves.flat, checks=80, noise=0.01)

    assert found["plateau"] >= 0.95 * SEEDS, found


def test_baseline_tells_underfitting() -> None:
    """The same plateau is underfitting where a trivial predictor is as good."""
    train, val = curves.draw(curves.flat, checks=80, noise=0.01, seed=0)

    assert diagnose(train=train, val=val, baseline=1.55).verdict == "underfitting"
    assert diagnose(train=train, val=val, baseline=15.0).verdict == "good_fit"


@pytest.mark.parametrize("unit", UNITS, ids=UNIT_IDS)
@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_divergence_is_told(noise: float, unit: tuple[float, float]) -> None:
    """Losses that both grow beyond their start diverge."""
    found = verdicts(curves.blow_up, checks=40, noise=noise, unit=unit)

    assert found["diverging"] == SEEDS


def test_double_descent_ends_well() -> None:
    """A validation loss that rose in the middle and fell below is a good fit in the end."""
    found = verdicts(curves.double_descent, checks=60, noise=0.01)

    assert found["good_fit"] >= 0.99 * SEEDS, found


def test_run_stopped_too_early_is_undecided() -> None:
    """A run that is cut in the middle of its fall is undecided."""
    for seed in range(SEEDS):
        train, val = curves.draw(curves.slow, checks=90, noise=0.01, seed=seed)

        assert diagnose(train=train[:20], val=val[:20]).verdict == "undecided"


@pytest.mark.parametrize("checks", range(4))
def test_few_checks_are_undecided(checks: int) -> None:
    """Up to three checks say nothing."""
    found = diagnose(train=[3.0, 2.0, 1.0][:checks], val=[1.0, 2.0, 3.0][:checks])

    assert found.verdict == "undecided"
    assert found.message == f"too early to tell after {checks} check{'' if checks == 1 else 's'}"
    assert found.best == (1 if checks else None)


def test_rise_shared_by_train_is_no_overfitting() -> None:
    """A rise of both losses that keeps most of the improvement is left open."""
    val = [2.0, 1.5, 1.0, 0.8, 0.6, 0.5, 1.0, 1.0]
    found = diagnose(train=[loss - 0.1 for loss in val], val=val)

    assert found.verdict == "undecided"
    # 1.0 is twice the best of 0.5, and 0.5 of the 1.5 that were gained
    assert found.message == (
        "validation loss rose by 100 % of its best since check 6, from 0.5 to 1 (median of the "
        "last 2 checks), and train loss with it, by 0.5: 33 % of what was gained is lost, see "
        "what comes"
    )


def test_restart_of_the_learning_rate_is_no_divergence() -> None:
    """A loss that jumps up where the learning rate was raised has not diverged."""
    val = [2.0, 1.5, 1.0, 0.8, 0.6, 0.5, 2.1, 2.1]
    train = [loss - 0.1 for loss in val]
    raised = History.from_curves(train=train, val=val, lr=[0.1, *[0.01] * 5, 0.1, 0.1])

    assert diagnose(raised).verdict == "undecided"
    assert "as after a restart of the learning rate" in diagnose(raised).message
    assert diagnose(train=train, val=val).verdict == "diverging"


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
    assert found.message == "validation loss has risen, but no train loss says why"


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
