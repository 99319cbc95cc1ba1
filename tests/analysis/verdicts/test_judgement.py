"""What a textbook says of two curves is what a run that has ended is told."""

import math
import random
from dataclasses import replace

import pytest
from tests import curves

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.start_loss import StartLoss
from lightning_gapmon.analysis.verdicts.diagnose import diagnose

UNITS = [1.0, 1000.0, 0.001]

FALLING = [0.8**check + 0.3 for check in range(30)]


@pytest.mark.parametrize(("checks", "noise"), [(20, 0.0), (60, 0.02), (200, 0.02)])
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    ("train", "val", "verdict"),
    [
        ((2.3, 0.1, 0.13), (2.35, 0.6, 0.1), "overfitting"),
        ((1.8, 0.003, 0.08), (1.7, 0.37, 0.07), "overfitting"),
        ((2.3, 0.2, 0.13), (2.35, 0.25, 0.13), "good_fit"),
        ((2.3, 0.0, 0.13), (1.7, 0.0, 0.13), "good_fit"),
        ((2.28, 2.28, 1.0), (2.3, 2.3, 1.0), "underfitting"),
        ((2.3, 2.25, 0.13), (2.31, 2.27, 0.13), "underfitting"),
        ((2.3, 0.2, 1.5), (2.35, 0.3, 1.5), "learning"),
    ],
)
def test_textbook_holds_in_any_unit_and_number_of_checks(
    train: tuple[float, float, float],
    val: tuple[float, float, float],
    verdict: str,
    unit: float,
    checks: int,
    noise: float,
) -> None:
    """Exponentials from a to b with a time constant in shares of the run, as a textbook has."""
    dice = random.Random(0)  # noqa: S311 - no secret

    def losses(a: float, b: float, tau: float) -> list[float]:
        points = (b + (a - b) * math.exp(-i / checks / tau) for i in range(checks))
        return [unit * point * (1 + noise * dice.gauss(0, 1)) for point in points]

    assert diagnose(train=losses(*train), val=losses(*val)).verdict == verdict


def test_a_good_fit_is_never_said_of_a_train_loss_of_a_sixth() -> None:
    """Whatever the first check was, 0.1 against 0.6 at the end is no good fit."""
    train = [0.1 + 2.2 * 0.85**i for i in range(60)]
    val = [0.6 + 1.75 * 0.85**i for i in range(60)]

    for first in (0.7, 2.35, 5.0, 25.0, 1e6):
        found = diagnose(train=train, val=[first, *val[1:]])
        assert (found.verdict, found.form) == ("overfitting", "gap"), first


def test_what_is_left_of_a_long_way_down_is_a_good_fit_with_its_gap_named() -> None:
    """Where both end tiny beside where they began a good fit stands, and the gap is told."""
    train = [0.002 + 2.3 * 0.7**i for i in range(60)]
    val = [0.11 + 2.2 * 0.75**i for i in range(60)]
    found = diagnose(train=train, val=val)

    assert found.verdict == "good_fit"
    assert "0.1100" in found.message
    assert "0.002000" in found.message


def test_an_absurd_first_check_hides_no_rise() -> None:
    """What begins at 25720 and then rises from 5.8 to 6.3 is no good fit."""
    val = [25720.0, 11.0, 5.8, *[5.8 + 0.02 * i for i in range(1, 26)]]
    train = [30000.0, 10.0, *[6 * 0.93**i for i in range(26)]]

    assert diagnose(train=train, val=val).verdict == "overfitting"


@pytest.mark.parametrize("wild", range(9))
def test_one_wild_check_early_on_hides_no_overfitting(wild: int) -> None:
    """A single check that is far off changes neither the judgement nor the alarm."""
    val = [0.8**i + 0.3 + max(0, i - 15) * 0.012 for i in range(40)]
    val[wild] = 5.0
    train = [0.85**i + 0.02 for i in range(40)]

    assert diagnose(train=train, val=val).verdict == "overfitting"
    assert diagnose(train=train, val=val, live=True).verdict == "overfitting"


def test_a_plateau_soon_halts_with_little_progress() -> None:
    """Losses that fall by a seventh and stay there are a plateau."""
    stuck = [0.60 + 0.09 * 0.5**i for i in range(80)]
    found = diagnose(train=stuck, val=stuck)

    assert (found.verdict, found.severity) == ("plateau", "info")
    assert found.since is not None
    assert found.since < 10


def test_baseline_tells_underfitting() -> None:
    """The same curves are underfitting where a trivial predictor is as good."""
    train, val = curves.draw(curves.flat, checks=80, noise=0.01, seed=0)

    assert diagnose(train=train, val=val).verdict == "good_fit"
    assert diagnose(train=train, val=val, baseline=1.5).verdict == "underfitting"
    assert diagnose(train=train, val=val, baseline=1.7).verdict == "plateau"


def test_loss_before_training_tells_a_late_first_check_from_underfitting() -> None:
    """Flat curves have learned where validation was higher before the first step."""
    seen = [*History.from_curves(train=[0.3] * 20, val=[0.31] * 20)]

    assert diagnose(History(seen)).verdict == "underfitting"
    assert diagnose(History(seen, start=StartLoss(loss=0.315))).verdict == "underfitting"
    assert diagnose(History(seen, start=StartLoss(loss=0.69))).verdict == "good_fit"


def test_underfitting_names_what_guessing_costs() -> None:
    """A cross-entropy that stays at ln 10 is that of guessing among ten classes."""
    flat = [math.log(10)] * 20

    assert "guessing among 10 classes costs 2.303" in diagnose(train=flat, val=flat).message
    assert "guessing" not in diagnose(train=[3.5] * 20, val=[3.5] * 20).message


def test_validation_alone_is_no_good_fit() -> None:
    """Without a train loss nobody can say that the two are near each other."""
    found = diagnose(train=[math.nan] * 30, val=FALLING)

    assert found.verdict == "undecided"
    assert "no train loss is known" in found.message
    assert "nan" not in found.message


def test_a_window_in_which_no_train_loss_was_heard_is_not_measured() -> None:
    """It is neither NaN nor infinite, and so nothing is broken."""
    checks = [*History.from_curves(train=FALLING, val=FALLING)]
    unheard = replace(checks[-1], train=math.nan, train_n=0.0)
    broken = replace(checks[-1], train=math.nan, train_n=8.0)

    assert diagnose(History([*checks[:-1], unheard])).verdict != "non_finite"
    assert diagnose(History([*checks[:-1], broken])).verdict == "non_finite"
