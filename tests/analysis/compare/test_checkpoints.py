"""Checks that are as good as the best."""

import math
import random

import pytest
from scipy import stats

from lightning_gapmon.analysis.compare.checkpoints import as_good_as_best
from lightning_gapmon.analysis.compare.noise import noise_of
from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation


def _flat(checks: int, sigma: float, *, after: int = 0) -> History:
    dice = random.Random(0)  # noqa: S311 - no secret
    high = [3.0 + dice.gauss(0, sigma) for _ in range(after)]
    low = [1.0 + dice.gauss(0, sigma) for _ in range(checks)]
    return History.from_curves(train=high + low, val=high + low)


def test_the_noise_is_that_which_was_drawn() -> None:
    """Bends of the last checks give back the standard deviation that was put in."""
    dice = random.Random(0)  # noqa: S311 - no secret
    drawn = ([dice.gauss(0, 0.1) for _ in range(31)] for _ in range(80))
    sigmas = [noise_of(History.from_curves(train=val, val=val)).sigma for val in drawn]

    assert sum(sigmas) / len(sigmas) == pytest.approx(0.1, rel=0.1)


def test_few_checks_show_no_noise() -> None:
    """Below five finite checks nothing is known of the noise, and only the best is listed."""
    run = History.from_curves(train=[1.0] * 5, val=[1.0, 1.0, math.nan, 0.9, 1.0])

    assert math.isnan(noise_of(run).sigma)
    assert [found.seen.check for found in as_good_as_best(run)] == [4]


def test_what_is_within_noise_of_the_best_is_as_good() -> None:
    """The reach is Student's t at 95 % times the noise of a difference of two checks."""
    run = _flat(30, 0.01, after=5)
    sigma, degrees = noise_of(run)
    reach = stats.t.ppf(0.95, degrees) * math.sqrt(2) * sigma
    expected = [seen.check for seen in run if seen.val <= min(run.val) + reach]

    assert [found.seen.check for found in as_good_as_best(run)] == expected
    assert 10 < len(expected) <= 30
    assert min(expected) > 5


def test_a_run_without_a_finite_loss_has_no_best() -> None:
    """Nothing is as good as what is not there."""
    assert as_good_as_best(History.from_curves(train=[1.0], val=[math.nan])) == []


@pytest.mark.parametrize(
    ("path", "check"),
    [
        ("epoch=2-step=30.ckpt", 3),
        ("runs/last-epoch=2-step=31.ckpt", 3),  # a logger that counts from 0
        ("epoch=1.ckpt", 2),
        ("checkpoint-20/pytorch_model.bin", 2),
        ("out/checkpoint-20", 2),
        ("model_step_10.pt", 1),
        ("epoch=9-step=30.ckpt", None),  # of another run
        ("epoch=2-step=35.ckpt", None),
        ("last.ckpt", None),
        ("misstep30.ckpt", None),
    ],
)
def test_the_name_of_a_checkpoint_says_whose_it_is(path: str, check: int | None) -> None:
    """Step and epoch in a file's or a folder's name lead to the check."""
    run = History(
        Observation(check=i + 1, epoch=i, step=10 * (i + 1), train=1.0, val=1.0) for i in range(5)
    )
    found = {one.seen.check for one in as_good_as_best(run, [path]) if one.paths == (path,)}

    assert found == ({check} if check else set())


def test_an_epoch_with_several_checks_does_not_tell_which() -> None:
    """A name with nothing but an epoch is no check's where the epoch has two."""
    run = History(Observation(check=i, epoch=0, step=i, train=1.0, val=1.0) for i in range(1, 7))

    assert not [one for one in as_good_as_best(run, ["epoch=0.ckpt"]) if one.paths]
