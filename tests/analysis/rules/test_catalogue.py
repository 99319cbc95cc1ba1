"""What every rule keeps to; the rules are found by walking the subclasses, not listed."""

import dataclasses
import inspect
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jsonargparse
import pytest
from hypothesis import given, settings, strategies as st

from lightning_gapmon import (
    Budget,
    Custom,
    History,
    Observation,
    Patience,
    Rule,
    StopReason,
    Target,
    replay,
)
from lightning_gapmon.analysis import rules
from lightning_gapmon.analysis.rules.expression import RULES, parse_rule
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.testing import check_rule


def halved(history: History) -> str | None:
    """Say so when the loss is below half of the first."""
    return "halved" if history.val[-1] < history.val[0] / 2 else None


class Traits(NamedTuple):
    """How a rule behaves under a change of the loss' unit and zero."""

    rule: Rule
    scaled: Callable[[float], Rule] | None = None
    shifts: bool = False


P = Patience(3)
TRAITS = {
    "After": [Traits(P.after(2), shifts=True), Traits(P.after(epochs=2), shifts=True)],
    "AllOf": [Traits(P & Patience(2), shifts=True)],
    "AnyOf": [Traits(P | Patience(5), shifts=True)],
    "Budget": [
        Traits(Budget(), shifts=True),
        Traits(Budget.eager()),
        Traits(Budget(0.0317, tolerance=0.0137)),
    ],
    "Custom": [Traits(Custom(halved))],
    "Divergence": [Traits(rules.Divergence(700.25), lambda f: rules.Divergence(700.25 * f))],
    "GapLimit": [
        Traits(rules.GapLimit(0.317, checks=2)),
        Traits(
            rules.GapLimit(100.7, mode="absolute"),
            lambda f: rules.GapLimit(100.7 * f, mode="absolute"),
            shifts=True,
        ),
        Traits(rules.GapLimit(1.618, mode="stderr"), shifts=True),
    ],
    "Grace": [Traits(P.grace(3), shifts=True)],
    "LrAware": [
        Traits(P.lr_aware(), shifts=True),
    ],
    "NonFinite": [Traits(rules.NonFinite(2), shifts=True)],
    "Patience": [
        Traits(P, shifts=True),
        Traits(Patience(), shifts=True),
        Traits(Patience(2, 10.3), lambda f: Patience(2, 10.3 * f), shifts=True),
        Traits(Patience(2, 0.0137, "relative")),
        Traits(Patience(2, 1.618, "stderr"), shifts=True),
        Traits(Patience(steps=30), shifts=True),
        Traits(Patience(seconds=3.0), shifts=True),
    ],
    "Smoothed": [Traits(P.smoothed(3), shifts=True), Traits(P.smoothed(3, by="ema"))],
    "Target": [Traits(Target(-50.25), lambda f: Target(-50.25 * f))],
}
EACH = [traits for name in sorted(TRAITS) for traits in TRAITS[name]]
ALL = [pytest.param(traits, id=repr(traits.rule)) for traits in EACH]
SHIFTING = [pytest.param(traits, id=repr(traits.rule)) for traits in EACH if traits.shifts]

losses = st.integers(-1000, 1000).map(float)
rates = st.sampled_from([0.1, 0.05, 0.01, math.nan])


@st.composite
def histories(draw: st.DrawFn, value: st.SearchStrategy[float] = losses) -> History:
    """A run of up to 30 checks; whole numbers, so that a change of unit makes no ties."""
    rows = draw(st.lists(st.tuples(value, value, rates), max_size=30))
    planned = draw(st.none() | st.integers(1, 40))
    return History((_check(i, *row) for i, row in enumerate(rows)), planned=planned)


def _check(index: int, train: float, val: float, lr: float) -> Observation:
    return Observation(
        check=index + 1,
        epoch=index // 2,
        step=10 * (index + 1),
        seconds=1.5 * index,
        train=train,
        val=val,
        val_stderr=20.0,
        train_stderr=15.0,
        lr=lr,
        lr_drop_in=float(5 - index % 6),
    )


def _moved(history: History, factor: float = 1.0, offset: float = 0.0) -> History:
    def move(seen: Observation) -> Observation:
        return dataclasses.replace(
            seen,
            train=seen.train * factor + offset,
            val=seen.val * factor + offset,
            val_stderr=seen.val_stderr * factor,
            train_stderr=seen.train_stderr * factor,
        )

    return History(map(move, history), planned=history.planned)


def _stop(rule: Rule, history: History) -> int | None:
    return replay(rule, history).stopped_at


def test_every_rule_of_the_package_has_its_traits_written_down() -> None:
    """A new rule cannot be left out of what every rule keeps to."""
    found = {cls.__name__ for cls in _descendants(Rule)}  # type: ignore[type-abstract]

    assert found == set(TRAITS)
    assert set(rules.__all__) == found | {"Rule", "StopReason"}


def _descendants(cls: type[Rule]) -> Iterator[type[Rule]]:
    for child in cls.__subclasses__():
        if child.__module__.startswith("lightning_gapmon.analysis."):
            yield child
        yield from _descendants(child)


def test_every_rule_is_a_frozen_dataclass_with_an_example() -> None:
    """Rules can be hashed, compared and understood."""
    for name in TRAITS:
        cls: Any = getattr(rules, name)
        parameters = vars(cls)["__dataclass_params__"]

        assert parameters.frozen
        assert inspect.getdoc(cls)


@pytest.mark.parametrize("traits", ALL)
@given(history=histories())
@settings(max_examples=25, deadline=None)
def test_replay_equals_live(traits: Traits, history: History) -> None:
    """A rule that is asked after each check decides as one that replays the finished run."""
    live = History(planned=history.planned)
    answers = []
    for seen in history:
        live.append(seen)
        answers.append(traits.rule(live))
    fresh = [
        traits.rule(History(history[:n], planned=history.planned))
        for n in range(1, len(history) + 1)
    ]
    views = [traits.rule(history[:n]) for n in range(1, len(history) + 1)]

    assert answers == fresh == views


@pytest.mark.parametrize("traits", ALL)
@pytest.mark.parametrize("factor", [1000.0, 0.001])
@given(history=histories())
@settings(max_examples=20, deadline=None)
def test_unit_of_the_loss_does_not_matter(traits: Traits, factor: float, history: History) -> None:
    """A loss in another unit stops at the same check, once limits are in that unit too."""
    rule = traits.scaled(factor) if traits.scaled else traits.rule

    assert _stop(rule, _moved(history, factor)) == _stop(traits.rule, history)


@pytest.mark.parametrize("traits", SHIFTING)
@given(history=histories(), offset=st.sampled_from([-5000.0, 3000.0]))
@settings(max_examples=20, deadline=None)
def test_zero_of_the_loss_does_not_matter(traits: Traits, offset: float, history: History) -> None:
    """A rule that is shift-invariant stops a log-likelihood where it stops a positive loss."""
    assert _stop(traits.rule, _moved(history, offset=offset)) == _stop(traits.rule, history)


@pytest.mark.parametrize("traits", ALL)
@given(history=histories(losses | st.sampled_from([math.nan, math.inf, -math.inf])))
@settings(max_examples=25, deadline=None)
def test_no_value_breaks_a_rule(traits: Traits, history: History) -> None:
    """NaN and infinity anywhere give an answer, and its sentence names no best that is none."""
    for used in range(len(history) + 1):
        reason = traits.rule(history[:used])

        assert reason is None or reason.check == used
        assert reason is None or all(type(x) in (int, float) for x in reason.evidence.values())
        assert reason is None or "best validation loss inf" not in reason.message


@pytest.mark.parametrize("traits", ALL)
def test_empty_history_never_stops(traits: Traits) -> None:
    """Before the first check there is nothing to judge."""
    assert traits.rule(History()) is None


@pytest.mark.parametrize("traits", ALL)
def test_rules_pass_the_test_that_users_have(traits: Traits) -> None:
    """The package's own rules, found and not listed, keep to what is asked of anybody's."""
    check_rule(traits.rule)


RISE_RULES = [
    "Budget",
    "Patience",
]


@pytest.mark.parametrize("name", RISE_RULES)
@pytest.mark.parametrize("zero", [100.0, 0.0, -100.0])
def test_steady_progress_never_stops_whatever_the_sign(name: str, zero: float) -> None:
    """A loss that falls all the time is let go on, below zero as above."""
    val = [zero - i for i in range(50)]
    rule = RULES[name]()

    assert replay(rule, train=val, val=val).stopped_at is None


@pytest.mark.parametrize("name", RISE_RULES)
@pytest.mark.parametrize("zero", [20.0, 0.0, -100.0])
def test_lasting_rise_stops_whatever_the_sign(name: str, zero: float) -> None:
    """A loss that rises for long is stopped, below zero as above."""
    val = [zero + abs(i - 10) for i in range(80)]
    rule = RULES[name]()

    assert (replay(rule, train=val, val=val).stopped_at or 0) > 10


@pytest.mark.parametrize("traits", ALL)
def test_text_round_trip(traits: Traits) -> None:
    """A rule is read back as it writes itself; one that holds a function has no text."""
    text = repr(traits.rule)

    if "Custom" in text:
        with pytest.raises(ConfigurationError, match="takes a function: give it in Python"):
            parse_rule(text)
    else:
        assert parse_rule(text) == traits.rule
        assert repr(parse_rule(text)) == text


@pytest.mark.parametrize("traits", ALL)
def test_lightning_cli_round_trip(traits: Traits) -> None:
    """A rule is read from a configuration file and written back, as LightningCLI does it."""
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--stop", type=Rule)
    config = parser.parse_object({"stop": _class_path(traits.rule)})
    again = parser.parse_string(parser.dump(config))

    instantiate = getattr(parser, "instantiate", None) or parser.instantiate_classes

    assert instantiate(again).stop == traits.rule


def _class_path(value: Any) -> Any:  # noqa: ANN401 - any setting
    if isinstance(value, Rule):
        cls = type(value)
        fields = [f.name for f in dataclasses.fields(value)]  # type: ignore[arg-type]
        return {
            "class_path": f"{cls.__module__}.{cls.__qualname__}",
            "init_args": {name: _class_path(getattr(value, name)) for name in fields},
        }
    if isinstance(value, tuple):
        return [_class_path(part) for part in value]
    return f"{value.__module__}.{value.__qualname__}" if callable(value) else value


@pytest.mark.parametrize("traits", ALL)
def test_work_of_a_check_does_not_grow(traits: Traits) -> None:
    """A check late in a long run takes no more function calls than an early one."""
    early, late = (_calls_of_last_check(traits.rule, checks) for checks in (300, 1500))

    assert late <= 1.2 * early


def _calls_of_last_check(rule: Rule, checks: int) -> int:
    history = History(planned=checks)
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    for i in range(checks):
        history.append(_check(i, 900.0 - i % 7, 1000.0 - i % 13 + 1e-3 * i, 0.1))
        if i == checks - 1:
            sys.setprofile(count)
        try:
            rule(history)
        finally:
            sys.setprofile(None)
    return calls


def test_rule_of_a_plain_class_works() -> None:
    """A user's rule without settings need not be a dataclass."""

    class Never(Rule):
        def __call__(self, history: History) -> StopReason | None:
            return self.reason(history, "now") if len(history) > 1 else None

    result = replay(Never() | Patience(9), train=[1.0] * 3, val=[1.0] * 3)

    assert str(result.reason) == "now [Never()]"


def test_classes_of_a_users_change_nothing() -> None:
    """A class that has the name of a rule is another rule; what is written means what it meant."""

    @dataclasses.dataclass(frozen=True, repr=False)
    class Patience(Rule):
        checks: int = 1

        def __call__(self, history: History) -> StopReason | None:
            return self.reason(history, "mine") if history else None

    class Smoothed(Patience):
        pass

    flat = History.from_curves(train=[1.0] * 4, val=[1.0] * 4)

    assert replay(parse_rule("Patience(3)"), flat).stopped_at == 4
    assert type(P.smoothed(3)) is rules.Smoothed
    assert replay(Patience() & Smoothed(), flat).stopped_at == 1


def test_repr_is_as_one_would_write_it() -> None:
    """Rules are written without their defaults and with the methods that wrap them."""
    rule = (Patience(5) | Target(0.1)).after(epochs=2).smoothed(3) & Patience(steps=7).grace(2)

    assert repr(rule) == (
        "(Patience(5) | Target(0.1)).after(epochs=2).smoothed(3) & Patience(steps=7).grace(2)"
    )
