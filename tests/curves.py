"""Curves of known kinds, for tests: what they show was put into them."""

import math
import random
from collections.abc import Callable, Sequence

Curves = tuple[list[float], list[float]]
Shape = Callable[[float], tuple[float, float]]


def good(u: float) -> tuple[float, float]:
    """Fall fast to a small gap; `u` is the share of the run that is over."""
    fall = math.exp(-5 * u)
    return 0.35 + 1.5 * fall, 0.42 + 1.5 * fall


def slow(u: float) -> tuple[float, float]:
    """Fall slowly: a third of the run is the time constant."""
    fall = math.exp(-3 * u)
    return 0.35 + 1.5 * fall, 0.42 + 1.5 * fall


def power(u: float) -> tuple[float, float]:
    """Fall by a power law, as large models do."""
    fall = (1 + 50 * u) ** -0.5
    return 0.2 + 2 * fall, 0.25 + 2 * fall


def dropout(u: float) -> tuple[float, float]:
    """Keep train above validation: dropout is at work in training only."""
    fall = math.exp(-5 * u)
    return 0.7 + 1.6 * fall, 0.42 + 1.5 * fall


def drop(u: float) -> tuple[float, float]:
    """Fall once more when the learning rate is lowered."""
    train, val = good(u)
    return (train - 0.15, val - 0.13) if u > 0.6 else (train, val)


def restart(u: float) -> tuple[float, float]:
    """Fall, jump up in both losses at a warm restart, and fall below."""
    train, val = good(2 * (u % 0.5))
    bump = 0.35 if u < 0.5 else 0.0
    lift = 0.0 if u < 0.5 else -0.75 * max(0.0, train - 0.45)
    return train + bump + lift, val + bump + lift


def u_shape(u: float) -> tuple[float, float]:
    """Overfit: validation turns at 0.3 of the run and is 60 % above its best at the end."""
    rise = max(0.0, u - 0.3) / 0.7
    return 0.05 + 1.8 * math.exp(-6 * u), 0.5 + 1.4 * math.exp(-12 * u) + 0.3 * rise


def stall(u: float) -> tuple[float, float]:
    """Memorise without harm: validation settles while train goes to zero."""
    return 1.9 * math.exp(-6 * u), 0.6 + 1.3 * math.exp(-12 * u)


def underfit(u: float) -> tuple[float, float]:
    """Learn next to nothing."""
    fall = 0.06 * math.exp(-30 * u)
    return 2.2 + fall, 2.22 + fall


def flat(u: float) -> tuple[float, float]:
    """Halt high, after some progress."""
    fall = 0.8 * math.exp(-20 * u)
    return 1.45 + fall, 1.5 + fall


def double_descent(u: float) -> tuple[float, float]:
    """Rise in the middle and fall below in the end, while train falls all the time."""
    bump = 0.5 * math.exp(-(((u - 0.35) / 0.1) ** 2))
    return 0.1 + 1.5 * math.exp(-6 * u), 0.3 + 1.2 * math.exp(-5 * u) + bump


def blow_up(u: float) -> tuple[float, float]:
    """Fall, then grow without end, both losses alike."""
    train, val = good(u)
    growth = math.expm1(max(0.0, 30 * (u - 0.5)))
    return train + 0.05 * growth, val + 0.05 * growth


HEALTHY: dict[str, Shape] = {
    "good": good,
    "slow": slow,
    "power": power,
    "dropout": dropout,
    "drop": drop,
    "restart": restart,
}


def draw(
    shape: Shape,
    *,
    checks: int,
    noise: float,
    seed: int,
    unit: float = 1.0,
    shift: float = 0.0,
) -> Curves:
    """Draw a run: the shape, with noise by the level of the loss, in some unit."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    points = [shape(i / checks) for i in range(1, checks + 1)]
    train = [unit * (t * (1 + noise / 2 * dice.gauss(0, 1)) + shift) for t, _ in points]
    val = [unit * (v * (1 + noise * dice.gauss(0, 1)) + shift) for _, v in points]
    return train, val


def with_gaps(values: Sequence[float], *, seed: int, share: float) -> list[float]:
    """Lose some of the values."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    return [math.nan if dice.random() < share else value for value in values]
