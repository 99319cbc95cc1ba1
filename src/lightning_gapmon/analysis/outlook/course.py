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


class Course(NamedTuple):
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


def follow(history: History) -> Course:
    """Fold the checks of a history."""
    return history.scan(_update, Course())


def _update(course: Course, history: History) -> Course:
    seen = history[-1]
    course = _with_train(course, seen.train if math.isfinite(seen.train) else seen.probe)
    course = course._replace(checks=course.checks + 1, age=course.age + 1)
    return _with_val(course, seen.val) if math.isfinite(seen.val) else course


def _with_train(course: Course, train: float) -> Course:
    if not math.isfinite(train):
        return course
    count = course.checks + 1
    return course._replace(
        train_long=_mean(course.train_long, train, LONG / count),
        train_short=_mean(course.train_short, train, SHORT / count),
    )


def _with_val(course: Course, val: float) -> Course:
    count = course.finite + 1
    long, short = LONG / count, SHORT / count
    news = val < course.span.low
    span = course.span.widen(val)
    last = (*course.last, val)[-3:]
    return course._replace(
        finite=count,
        span=span,
        age=0 if news else course.age,
        long=_mean(course.long, val, long),
        short=_mean(course.short, val, short),
        best_long=_mean(course.best_long, span.low, long),
        best_short=_mean(course.best_short, span.low, short),
        roughness=_rougher(course.roughness, last, 4 / count),
        news=_mean(course.news, float(news), 4 / count),
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


def features(course: Course, left: float, *, planned: bool) -> list[float]:
    """Describe a course and what is left of it by numbers without a unit, as in `NAMES`."""
    unit, best, count = course.span.reference, course.span.low, course.checks
    noise = math.exp(course.roughness) / unit
    above = (course.short - best) / unit
    scale = abs(course.train_short) + abs(course.train_long - course.train_short)
    learnt = (course.train_long - course.train_short) / scale if scale > 0 else 0.0
    return [
        count / (count + left),
        math.log(left),
        course.age / count,
        min(course.age / left, 10.0),
        math.log10(noise + 1e-6),
        _clip((course.long - course.short) / unit),
        math.log10(max(course.best_short - best, 0.0) / unit + 1e-6),
        math.log10(max(course.best_long - best, 0.0) / unit + 1e-6),
        course.news,
        _clip(learnt),
        _clip(above),
        min(above / (noise + 1e-6), 50.0),
        float(planned),
    ]


def swing(course: Course) -> float:
    """How far the loss has moved of late, by its trend, its noise and its best; never 0."""
    moves = abs(course.long - course.short) + (course.best_long - course.span.low)
    return math.exp(course.roughness) + moves


def _clip(value: float) -> float:
    return max(-2.0, min(2.0, value)) if math.isfinite(value) else 0.0
