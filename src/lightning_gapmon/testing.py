"""What every stopping rule keeps to, as a test for a rule of your own."""

import dataclasses
import math
import random
from collections.abc import Callable, Iterator

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.rules.expression import is_written, parse_rule
from lightning_gapmon.analysis.rules.rule import Rule, StopReason

__all__ = ["check_rule"]

CHECKS = 30
Curve = Callable[[random.Random, int], float]

_ODD = (math.nan, math.inf, -math.inf, 1.0)
_CURVES: dict[str, Curve] = {
    "falls": lambda _, i: 1 / (i + 1),
    "rises again": lambda _, i: 1 + abs(i - 8) / 10,
    "is flat": lambda _, __: 0.5,
    "is noisy": lambda draw, i: 1 / (i + 1) + draw.gauss(0, 0.2),
    "has negative losses": lambda draw, i: -5 - i + draw.gauss(0, 1),
    "has huge losses": lambda draw, _: 1e300 * draw.random(),
    "has losses that are not finite": lambda draw, _: draw.choice(_ODD),
    "is NaN from check 10 on": lambda _, i: 1 / (i + 1) if i < 10 else math.nan,  # noqa: PLR2004
}


def check_rule(rule: Rule) -> None:
    """Hold a rule to what a live run, a resumed one and a replay need of it.

    Asked of many histories, with losses that are negative, huge, not finite or not measured, with
    and without a plan, a learning rate and a probe:

    - an empty history is no reason to stop, and nothing raises;
    - an answer is `None` or a `StopReason` of the last check, with a sentence and plain numbers;
    - asked twice it answers alike, and the history is as it was: it is pure;
    - it answers on a history that grows as on each of its prefixes, seen for the first time;
    - a rule that can be written as text is read back as it was.

    Args:
        rule: The rule, with the settings to try.

    Raises:
        AssertionError: The rule does not keep to one of these; says to which, and where.

    Example:
        >>> from lightning_gapmon import Patience
        >>> check_rule(Patience(3).smoothed(2) | Patience(9))
    """
    _need(isinstance(rule, Rule), rule, "is no lightning_gapmon.Rule")
    _need(rule(History()) is None, rule, "stops before the first check")
    for name, history in _histories():
        _check_on(rule, name, history)
    if is_written(rule):
        read = parse_rule(repr(rule))
        _need(read == rule, rule, f"is read back from its text as {read!r}")


def _check_on(rule: Rule, name: str, whole: History) -> None:
    live = History(planned=whole.planned)
    for number, seen in enumerate(whole, start=1):
        live.append(seen)
        before, where = repr(live.to_plain()), f"at check {number} of a run that {name}"
        answer = rule(live)
        _need_answer(rule, answer, seen, where)
        _need(repr(rule(live)) == repr(answer), rule, f"answers twice in two ways {where}")
        _need(repr(live.to_plain()) == before, rule, f"changes the history {where}")
        fresh = History(whole[:number], planned=whole.planned)
        _need(repr(rule(fresh)) == repr(answer), rule, f"remembers another history {where}")
        view = rule(whole[:number])
        _need(repr(view) == repr(answer), rule, f"looks beyond the checks it is given {where}")


def _need_answer(rule: Rule, answer: object, seen: Observation, where: str) -> None:
    if answer is None:
        return
    _need(isinstance(answer, StopReason), rule, f"answers {answer!r} and no StopReason {where}")
    if isinstance(answer, StopReason):
        _need(answer.check == seen.check, rule, f"speaks of check {answer.check} {where}")
        _need(bool(answer.message), rule, f"stops without a sentence {where}")
        plain = all(type(value) in (int, float) for value in answer.evidence.values())
        _need(plain, rule, f"has evidence that is no number, {dict(answer.evidence)}, {where}")


def _need(kept: bool, rule: object, fault: str) -> None:  # noqa: FBT001
    if not kept:
        msg = f"{rule!r} {fault}."
        raise AssertionError(msg)


def _histories() -> Iterator[tuple[str, History]]:
    draw = random.Random(0)  # noqa: S311 - the same runs each time
    for name, curve in _CURVES.items():
        for planned in (None, CHECKS + 10):
            checks = (_seen(draw, i, curve(draw, i)) for i in range(CHECKS))
            yield name, History(checks, planned=planned)
    unmeasured = Observation(check=1, epoch=0, step=1, val_n=0.0)
    several = (dataclasses.replace(unmeasured, check=i, step=i) for i in range(1, 9))
    yield "has nothing measured", History(several)


def _seen(draw: random.Random, index: int, val: float) -> Observation:
    missing = draw.random() < 0.1  # noqa: PLR2004
    return Observation(
        check=index + 1,
        epoch=index // 2,
        step=10 * (index + 1),
        seconds=1.5 * index,
        train=val * draw.uniform(0.5, 1.0),
        train_stderr=0.1,
        probe=val * draw.uniform(0.5, 1.0) if index % 3 else math.nan,
        val=math.nan if missing else val,
        val_n=0.0 if missing else 100.0,
        val_stderr=0.1,
        lr=draw.choice([0.1, 0.01, math.nan]),
        lr_drop_in=float(5 - index % 6),
    )
