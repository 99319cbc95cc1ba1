"""How a run has gone so far, folded check by check into a few numbers of flat cost."""

import math
from typing import NamedTuple

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.rules.span import Span

LONG, SHORT = 2, 8  # a memory of about a half and an eighth of the checks so far
TINY = 1e-9
NAMES = (
    "share of the plan that is behind",
    "log of the checks that are left",
    "age of the best, by the checks so far",
    "age of the best, by the checks that are left",
    "log of the noise",
    "fall of the level",
    "log of the recent fall of the best",
    "log of the fall of the best within a longer memory",
    "share of the checks that were a new best",
    "fall of the train loss",
    "level above the best",
    "level above the best, in units of noise",
    "whether there is a plan",
)


class Curve(NamedTuple):
    """What is remembered of a run; losses in their own units, memories as means.

    A mean with the gain `a / k` at check `k` forgets by shares of the run: a value at check `i`
    weighs about `(i / k) ** a`. So it is defined for every length, costs one update a check,
    and knows no unit of time.
    """

    checks: int = 0
    finite: int = 0
    span: Span = Span()
    age: int = 0
    long: float = math.nan
    short: float = math.nan
    best_long: float = math.nan
    best_short: float = math.nan
    roughness: float = math.nan
    news: float = 1.0
    train_long: float = math.nan
    train_short: float = math.nan
    last: tuple[float, ...] = ()


def follow(history: History) -> Curve:
    """Fold the checks of a history."""
    return history.scan(_update, Curve())


def _update(curve: Curve, history: History) -> Curve:
    seen = history[-1]
    curve = _with_train(curve, seen.train if math.isfinite(seen.train) else seen.probe)
    curve = curve._replace(checks=curve.checks + 1, age=curve.age + 1)
    return _with_val(curve, seen.val) if math.isfinite(seen.val) else curve


def _with_train(curve: Curve, train: float) -> Curve:
    if not math.isfinite(train):
        return curve
    count = curve.checks + 1
    return curve._replace(
        train_long=_mean(curve.train_long, train, LONG / count),
        train_short=_mean(curve.train_short, train, SHORT / count),
    )


def _with_val(curve: Curve, val: float) -> Curve:
    count = curve.finite + 1
    long, short = LONG / count, SHORT / count
    news = val < curve.span.low
    span = curve.span.widen(val)
    last = (*curve.last, val)[-3:]
    return curve._replace(
        finite=count,
        span=span,
        age=0 if news else curve.age,
        long=_mean(curve.long, val, long),
        short=_mean(curve.short, val, short),
        best_long=_mean(curve.best_long, span.low, long),
        best_short=_mean(curve.best_short, span.low, short),
        roughness=_rougher(curve.roughness, last, 4 / count),
        news=_mean(curve.news, float(news), 4 / count),
        last=last,
    )


def _rougher(before: float, last: tuple[float, ...], gain: float) -> float:
    """Mean of the logs of second differences: a trend cancels, and one jump moves it little."""
    if len(last) < 3:  # noqa: PLR2004
        return before
    second = abs(last[0] - 2 * last[1] + last[2])
    return _mean(before, math.log(second + TINY * (abs(last[1]) + TINY)), gain)


def _mean(before: float, value: float, gain: float) -> float:
    return value if math.isnan(before) or gain >= 1 else before + gain * (value - before)


def features(curve: Curve, left: float, *, planned: bool) -> list[float]:
    """Describe a curve and what is left of it by numbers without a unit, as in `NAMES`."""
    unit, best, count = curve.span.reference, curve.span.low, curve.checks
    noise = math.exp(curve.roughness) / unit
    above = (curve.short - best) / unit
    scale = abs(curve.train_short) + abs(curve.train_long - curve.train_short)
    learnt = (curve.train_long - curve.train_short) / scale if scale > 0 else 0.0
    return [
        count / (count + left),
        math.log(left),
        curve.age / count,
        min(curve.age / left, 10.0),
        math.log10(noise + 1e-6),
        _clip((curve.long - curve.short) / unit),
        math.log10(max(curve.best_short - best, 0.0) / unit + 1e-6),
        math.log10(max(curve.best_long - best, 0.0) / unit + 1e-6),
        curve.news,
        _clip(learnt),
        _clip(above),
        min(above / (noise + 1e-6), 50.0),
        float(planned),
    ]


def swing(curve: Curve) -> float:
    """How far the loss has moved of late, by its trend, its noise and its best; never 0."""
    moves = abs(curve.long - curve.short) + (curve.best_long - curve.span.low)
    return math.exp(curve.roughness) + moves


def _clip(value: float) -> float:
    return max(-2.0, min(2.0, value)) if math.isfinite(value) else 0.0
