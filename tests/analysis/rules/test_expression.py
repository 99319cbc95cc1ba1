"""Rules as text."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings, strategies as st

from lightning_gapmon import (
    Budget,
    GapLimit,
    History,
    NonFinite,
    Patience,
    Rule,
    StopReason,
    Target,
    register_rule,
)
from lightning_gapmon.analysis.rules import expression
from lightning_gapmon.analysis.rules.expression import RULES, parse_rule
from lightning_gapmon.errors import ConfigurationError

RULES_WRITTEN: list[Rule] = [
    Patience(5),
    Patience(steps=100),
    Patience("10%", 0.01, "relative") | Target(-0.5),
    (Patience(5) | Target(0.1)).after(10) & Budget.eager(),
    Budget().lr_aware().grace(5).smoothed(3, by="ema"),
    (Patience(3) & Patience(4)).after(2, epochs=1),
    Patience(1) | (Patience(2) | Patience(3)),
    Patience(1) & (Patience(2) & Patience(3)) | Target(1e-12),
    (Patience(1) & Patience(2)) & (Patience(3) | GapLimit(0.5, checks=3)),
]


@pytest.mark.parametrize("rule", RULES_WRITTEN, ids=repr)
def test_reads_what_a_rule_prints(rule: Rule) -> None:
    """A rule comes back from its own text."""
    assert parse_rule(repr(rule)) == rule


single = st.one_of(
    st.integers(1, 99).map(Patience),
    st.floats(-1e6, 1e6).map(Target),
    st.floats(0, 1).map(Budget),
    st.integers(1, 9).map(NonFinite),
)
combined = st.recursive(
    single,
    lambda rules: st.one_of(
        st.tuples(rules, rules).map(lambda two: two[0] | two[1]),
        st.tuples(rules, rules).map(lambda two: two[0] & two[1]),
        st.tuples(rules, st.integers(1, 9)).map(lambda two: two[0].after(two[1])),
        st.tuples(rules, st.integers(1, 9)).map(lambda two: two[0].grace(two[1])),
        st.tuples(rules, st.sampled_from(["median", "ema"])).map(
            lambda two: two[0].smoothed(3, by=two[1])
        ),
        rules.map(lambda rule: rule.lr_aware()),
    ),
    max_leaves=6,
)


@given(combined)
def test_reads_whatever_rules_are_put_together(rule: Rule) -> None:
    """The text form loses nothing, however rules are combined."""
    assert parse_rule(repr(rule)) == rule


def test_reads_the_settings_of_budget() -> None:
    """The two named settings are understood."""
    assert parse_rule("Budget.eager() | Budget.careful()") == Budget.eager() | Budget()


def test_text_may_have_several_lines() -> None:
    """In a configuration file a long rule is folded."""
    assert parse_rule("\n  Patience(5)\n  | Target(0.1)\n") == Patience(5) | Target(0.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Patience(5",
            r"Found the rule 'Patience\(5', which is not Python at character \d+: .*'\(",
        ),
        (
            "patience(5)",
            r"Found 'patience' at character 1 of 'patience\(5\)', which is no rule that",
        ),
        ("patience(5)", r"Did you mean Patience\? Write it as in Python"),
        (
            "Target(1) | Patients(5)",
            r"Found 'Patients' at character 13 of .* Did you mean Patience",
        ),
        ("Zebra()", r"There are Budget, Divergence, GapLimit, .*Target\. Write it"),
        ("__import__('os').system('x')", r"Found .__import__\('os'\)\.system. .*no \.system"),
        ("Patience(5).smoth(3)", r"no \.smoth\. Did you mean smoothed\?"),
        ("Patience(a)", r"Found 'a' at character 10 of 'Patience\(a\)', which is no setting"),
        ("Patience(5) + Target(1)", r"which is no rule\. Write"),
        ("Patience(5) or Target(1)", r"rules are joined by \| and &"),
        ("(lambda: 1)()", r"Found 'lambda: 1' at character 2 .*which is no rule"),
        ("Patience", r"Found 'Patience', which is no rule yet: write Patience\(\)"),
        ("Budget.eager", r"which is no rule yet: write Budget\.eager\(\)"),
        ("Patience(5, patients=1)", r"has no setting 'patients': it has checks, min_delta, mode"),
        ("Patience(5, stepz=1)", r"Did you mean steps\?"),
        ("Budget.eager(3)", r"Found 'Budget\.eager\(3\)', which cannot be: too many positional"),
        (
            "Patience(0)",
            r"which cannot be\. Found Patience\(0\); expected a number of checks from",
        ),
        ("Patience(5).grace('x')", r"which cannot be\. Found \.grace\('x'\)"),
        ("Patience(**{'checks': 5})", r"whose settings are hidden by \*\*"),
        ("Custom('os:system')", r"Found 'Custom' .* takes a function: give it in Python, or as a"),
        ("LrAware(Patience(3))", r"Found 'LrAware' .*no rule that is known\. There are Budget, D"),
        ("AnyOf((Patience(3),))", r"Found 'AnyOf' at character 1 of .*, which is no rule that is"),
        (
            "Patience(5) | 5",
            r"Found '5' at character 15 of 'Patience\(5\) \| 5', which is no rule",
        ),
        ("Pätience(5) | ärger", r"Found 'Pätience' at character 1 "),
        ("Patience('ä') | x", r"Found \"Patience\('ä'\)\" at character 1 "),
        ("", r"Found the rule '', which is not Python"),
        ("Patience(5)" + " " * 2000 + "x" * 2000, r"of 2012 characters; expected 1000 at most"),
        ("(" * 400, r"Found the rule '\(+\.\.\.', which"),
        ("Target(1e999)", r"Found Target\(inf\); expected a finite loss"),
        ("Target(" + "9" * 600 + ")", r"expected a finite loss"),
        ("\0", r"cannot be read|not Python"),
        ("\ud800", r"cannot be read"),
    ],
)
def test_refuses_what_is_no_rule(text: str, message: str) -> None:
    """Text that is no rule is refused, with the place and what to write; no code is run."""
    with pytest.raises(ConfigurationError, match=message):
        parse_rule(text)


INTERNAL = ("Any", "All", "AnyOf", "AllOf", "LrAware", "After", "Smoothed", "_Reader", "__init__")


@given(st.sampled_from(["x(5)", "Patience.x()", "Patience(x=1)", "Any_(1)", "5", "family()"]))
def test_messages_name_what_one_can_write(text: str) -> None:
    """Names of the inside are not offered."""
    with pytest.raises(ConfigurationError) as error:
        parse_rule(text)

    offered = str(error.value).replace(text, "")
    assert not any(f" {name}" in offered for name in INTERNAL)


words = st.sampled_from(
    [
        *(*RULES, "Custom", "LrAware", "Smoothed", "Rule", "patience", "os", "lambda", "None"),
        *("(", ")", ",", "=", ".", "|", "&", "[", "]", "{", "}", "*", "**", ":", "-", " ", "\n"),
        *("after", "smoothed", "grace", "lr_aware", "eager", "checks", "mode", "by", "steps"),
        *("5", "0", "-1", "1e999", "9" * 400, "True", "'20%'", "'x'", "b'x'", "1j", "...", "ä"),
        *("\\", "\0", "\ud800", "#", "'", '"""', "f'{x}'", "and", "if", "yield", "await", ":="),
    ]
)


@settings(max_examples=400)
@given(st.one_of(st.lists(words, max_size=25).map("".join), st.text(max_size=60)))
@example("Patience(5)" + ".grace(1)" * 100)
@example("(" * 333 + "Patience(5)" + ")" * 333)
@example("-" * 900 + "1")
@example("Patience(5)" + "|Patience(5)" * 70)
@example("Patience(" * 100 + ")" * 100)
@example("'\\d'()")
def test_any_text_is_a_rule_or_refused_in_one_way(text: str) -> None:
    """No text breaks the reading with an error of another kind, nor warns; what is read runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            rule = parse_rule(text)
        except ConfigurationError:
            return

    history = History.from_curves(train=[1.0] * 3, val=[1.0] * 3)
    assert rule(history) is None or isinstance(rule(history), StopReason)
    assert parse_rule(repr(rule)) == rule


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget what a test registers."""
    monkeypatch.setattr(expression, "_registered", {})
    return iter(())


@dataclass(frozen=True, repr=False)
class Enough(Rule):
    """Stop after so many checks."""

    checks: int = 2
    within: Rule | None = None

    def __call__(self, history: History) -> StopReason | None:
        """Count the checks."""
        return self.reason(history, "enough") if len(history) >= self.checks else None


@pytest.mark.usefixtures("registry")
def test_a_registered_rule_is_written_as_text() -> None:
    """Its settings may be rules too, and near names are asked for."""
    assert register_rule(Enough) is Enough
    assert register_rule(Enough) is Enough
    assert parse_rule("Enough(3).grace(1)") == Enough(3).grace(1)
    assert parse_rule(repr(Enough(3, Patience(2)))) == Enough(3, Patience(2))
    with pytest.raises(ConfigurationError, match="Did you mean Enough"):
        parse_rule("enough()")


@pytest.mark.usefixtures("registry")
def test_a_rule_that_is_not_registered_has_no_text() -> None:
    """That a class exists somewhere changes nothing."""
    with pytest.raises(
        ConfigurationError, match=r"Found 'Enough' .*which is no rule that is known"
    ):
        parse_rule("Enough(3)")


@pytest.mark.usefixtures("registry")
def test_an_error_of_a_registered_rule_is_said_in_the_same_way() -> None:
    """Whoever writes the text learns where and why, not from where in the code."""

    class Picky(Rule):
        def __init__(self, checks: int) -> None:
            self.checks = 10 // checks

        def __call__(self, history: History) -> StopReason | None:
            return None

    register_rule(Picky)

    with pytest.raises(ConfigurationError, match=r"Found 'Picky\(0\)', which cannot be: .*zero"):
        parse_rule("Picky(0)")


class Patient(Rule):
    """A rule whose name is given to another below."""

    def __call__(self, history: History) -> StopReason | None:
        """Go on."""
        return None


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("name", ["Patience", "Custom", "Patient"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    """What a text means does not hang on who came last."""
    register_rule(Patient)
    another = type(name, (Enough,), {"__module__": "somewhere.else"})

    with pytest.raises(
        ConfigurationError, match=rf"Found {name} of somewhere\.else to register, a"
    ):
        register_rule(another)


@pytest.mark.parametrize("odd", [5, int, Rule, Patience(5)])
def test_only_rules_are_registered(odd: type[Rule]) -> None:
    """What cannot judge a history is refused when it is registered."""
    with pytest.raises(ConfigurationError, match="expected a class derived from lightning_gapmon"):
        register_rule(odd)
