"""The loss at the end of a window: right, honest about its error, and free of the lag."""

import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.special import log_softmax, softmax
from sklearn.datasets import load_digits

from lightning_gapmon.analysis.history.window import Bin, at_end

Truth = Callable[[float], float]

TRUTHS: dict[str, Truth] = {
    "constant": lambda _: 1.0,
    "line": lambda u: 1 - 0.3 * u,
    "slow": lambda u: 0.4 + 1.6 * math.exp(-u),
    "exponential": lambda u: 0.4 + 1.6 * math.exp(-5 * u),
    "steep": lambda u: 0.4 + 1.6 * math.exp(-18 * u),
    "power": lambda u: 0.4 / math.sqrt(0.05 + u),
    "rise": lambda u: 0.4 + 0.05 * math.exp(2 * u),
}

OTHERS: dict[str, Truth] = {  # not among the curves that are fitted
    "sigmoid": lambda u: 0.4 + 1.6 / (1 + math.exp(12 * (u - 0.4))),
    "drop at the end": lambda u: 0.4 + 1.6 / (1 + math.exp(8 * (u - 0.8))),
    "bend": lambda u: 2 - 2.4 * min(u, 0.5) - 0.4 * max(0.0, u - 0.5),
}


def window(truth: Truth, *, bins: int, noise: float, dice: random.Random) -> list[Bin]:
    """Draw a window of batches, six to a bin, with noise by the level of the loss."""
    parts = []
    for i in range(bins):
        places = [(i + (j + 0.5) / 6) / bins for j in range(6)]
        losses = [truth(u) * (1 + noise * dice.gauss(0, 1)) for u in places]
        mean = sum(losses) / 6
        error = math.sqrt(sum((loss - mean) ** 2 for loss in losses) / 5 / 6)
        parts.append(Bin(n=192, position=sum(places) / 6, loss=mean, stderr=error))
    return parts


@pytest.mark.parametrize("truth", TRUTHS.values(), ids=TRUTHS)
@pytest.mark.parametrize("bins", [5, 16])
def test_reads_the_end_of_a_curve_without_noise(truth: Truth, bins: int) -> None:
    """Without noise the reading is within 3 % of the window's range of the truth, and knows it."""
    parts = window(truth, bins=bins, noise=0.0, dice=random.Random(0))  # noqa: S311
    value, stderr = at_end(parts)

    assert value == pytest.approx(truth(1.0), abs=0.03 * abs(truth(0.0) - truth(1.0)))
    assert abs(value - truth(1.0)) <= 3 * stderr


def share_held(truth: Truth, *, bins: int, noise: float, rounds: int = 40) -> float:
    """How often an interval of 1.96 standard errors holds the truth."""
    dice, held = random.Random(bins), 0  # noqa: S311
    for _ in range(rounds):
        value, stderr = at_end(window(truth, bins=bins, noise=noise, dice=dice))
        held += abs(value - truth(1.0)) <= 1.96 * stderr
    return held / rounds


@pytest.mark.parametrize("bins", [4, 7, 16])
def test_errors_cover_the_truth(bins: int) -> None:
    """An interval of 1.96 standard errors holds the truth 93 to 97 % of the time."""
    shares = [
        share_held(truth, bins=bins, noise=noise)
        for truth in TRUTHS.values()
        for noise in (0.05, 0.2, 0.5)
    ]

    assert 0.93 <= sum(shares) / len(shares) <= 0.97


@pytest.mark.parametrize("truth", OTHERS.values(), ids=OTHERS)
def test_errors_cover_other_curves(truth: Truth) -> None:
    """They hold it no less often where the curve is none of those that are fitted."""
    shares = [share_held(truth, bins=16, noise=noise) for noise in (0.02, 0.05, 0.2, 0.5)]

    assert sum(shares) / len(shares) >= 0.93


def test_beats_the_mean_of_the_window() -> None:
    """On a falling loss the reading is nearer to the truth than the mean of the window."""
    dice = random.Random(0)  # noqa: S311
    truth = TRUTHS["slow"]
    for _ in range(50):
        parts = window(truth, bins=16, noise=0.05, dice=dice)
        mean = sum(part.loss for part in parts) / 16

        assert abs(at_end(parts)[0] - truth(1.0)) < abs(mean - truth(1.0)) / 3


def test_weighs_quiet_bins_more() -> None:
    """Where the noise dies down in the window and is known, the reading is nearer to the truth."""
    dice, errors = random.Random(0), [0.0, 0.0]  # noqa: S311
    for _ in range(60):
        sizes = [0.5 * 0.7**i + 0.01 for i in range(16)]
        losses = [1 - i / 32 + size * dice.gauss(0, 1) for i, size in enumerate(sizes)]
        for known in (0, 1):
            parts = [
                Bin(32, (i + 0.5) / 16, loss, size if known else math.nan)
                for i, (loss, size) in enumerate(zip(losses, sizes, strict=True))
            ]
            errors[known] += abs(at_end(parts)[0] - (1 - 15.5 / 32))

    assert errors[1] < 0.85 * errors[0]


@given(
    st.lists(st.floats(-10, 10), min_size=4, max_size=16),
    st.floats(-100, 100),
    st.sampled_from([-1000.0, -1.0, 0.001, 1.0, 1000.0]),
)
def test_follows_unit_and_origin(losses: list[float], shift: float, unit: float) -> None:
    """Another unit and origin of the loss give the same reading in that unit and from there."""
    parts = [Bin(8, (i + 0.5) / len(losses), loss) for i, loss in enumerate(losses)]
    moved = [Bin(8, part.position, unit * part.loss + shift) for part in parts]
    value, stderr = at_end(parts)

    size = 1e-6 * (1 + abs(unit) * 10 + abs(shift))
    assert at_end(moved)[0] == pytest.approx(unit * value + shift, abs=size)
    assert at_end(moved)[1] == pytest.approx(abs(unit) * stderr, abs=size)


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=16),
    st.floats(0, 1e9, exclude_min=True),
)
def test_gives_a_number_or_nothing(losses: list[float], n: float) -> None:
    """Whatever the losses, the reading is a number with an error, or both are NaN."""
    parts = [Bin(n, (i + 0.5) / len(losses), loss) for i, loss in enumerate(losses)]
    value, stderr = at_end(parts)

    assert math.isnan(value) == math.isnan(stderr)
    assert math.isnan(stderr) or stderr >= 0
    if sum(map(math.isfinite, losses)) < 4:
        assert math.isnan(value)


def test_leaves_out_what_is_no_bin() -> None:
    """Bins without samples or without a finite loss are as if they were not there."""
    good = [Bin(8, (i + 0.5) / 6, 2.0 - i / 6) for i in range(6)]
    empty = [Bin(0, 0.5, 7.0), Bin(8, 0.4, math.nan), Bin(8, 0.6, math.inf)]

    value, stderr = at_end([*good[:3], *empty, *good[3:]])
    assert value == pytest.approx(at_end(good)[0], rel=0.01)
    assert math.isfinite(stderr)


def test_constant_bins_have_no_error() -> None:
    """Bins that are all the same are read as that."""
    assert at_end([Bin(8, (i + 0.5) / 5, 0.25) for i in range(5)]) == (0.25, 0.0)


def test_gap_of_a_run_on_the_same_data_is_zero_within_its_error() -> None:
    """Where training and validation are the same digits, the corrected gap is no gap."""
    held = [
        [
            (abs(truth - value) <= 1.96 * stderr, abs(truth - mean) <= 1.96 * error)
            for truth, (value, stderr), (mean, error) in _checks_on_digits(seed)
        ]
        for seed in range(10)
    ]

    for checks in (slice(0, 2), slice(2, 8)):
        end, online = np.mean([run[checks] for run in held], axis=(0, 1))
        assert end >= 0.9
        assert online <= 0.15


def _checks_on_digits(seed: int) -> list[tuple[float, tuple[float, float], tuple[float, float]]]:
    """Fit softmax to digits: loss on all of them, reading at the end, and mean, per epoch."""
    pixels, labels = load_digits(return_X_y=True)
    x, y, weight = pixels / 16, np.eye(10)[labels], np.zeros((64, 10))
    dice, checks = np.random.default_rng(seed), []
    for _ in range(8):
        losses = []
        for batch in np.array_split(dice.permutation(len(x)), 56):
            shares = softmax(x[batch] @ weight, axis=1)
            losses.append(-(y[batch] * np.log(shares)).sum(1).mean())
            weight = weight - 0.1 * x[batch].T @ (shares - y[batch]) / len(batch)
        truth = -(y * log_softmax(x @ weight, axis=1)).sum(1).mean()
        parts = np.array_split(np.array(losses), 16)
        ends = np.cumsum([len(part) for part in parts])
        bins = [
            Bin(
                n=32.0 * len(part),
                position=(end - len(part) / 2) / 56,
                loss=part.mean(),
                stderr=part.std(ddof=1) / math.sqrt(len(part)),
            )
            for part, end in zip(parts, ends, strict=True)
        ]
        online = np.mean(losses), np.std(losses, ddof=1) / math.sqrt(56)
        checks.append((truth, at_end(bins), online))
    return checks
