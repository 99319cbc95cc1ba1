"""Rules as text."""

import pytest

from lightning_gapmon import Budget, Patience, Rule, Target
from lightning_gapmon.analysis.rules.expression import parse_rule
from lightning_gapmon.errors import ConfigurationError

RULES: list[Rule] = [
    Patience(5),
    Patience(steps=100),
    Patience("10%", 0.01, "relative") | Target(-0.5),
    (Patience(5) | Target(0.1)).after(10) & Budget.eager(),
    Budget().lr_aware().grace(5).smoothed(3, by="ema"),
    (Patience(3) & Patience(4)).after(2, epochs=1),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_reads_what_a_rule_prints(rule: Rule) -> None:
    """What a rule prints is the rule."""
    assert parse_rule(repr(rule)) == rule


def test_reads_the_settings_of_budget() -> None:
    """The two named settings are understood."""
    assert parse_rule("Budget.eager() | Budget.careful()") == Budget.eager() | Budget()


def test_rules_within_rules() -> None:
    """A wrapper can be written as a call."""
    assert parse_rule("LrAware(Patience(3))") == Patience(3).lr_aware()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Patience(5", r"which is not Python: .* Write it as in Python"),
        ("Patients(5)", r"Found 'Patients', which is no rule; there are .*Patience"),
        ("__import__('os').system('x')", r"__import__.* which is no rule"),
        ("Patience(5).to_plain()", r"Found 'Patience\(5\)\.to_plain', which is no rule"),
        ("Patience(a)", r"Found 'a', which is no rule"),
        ("Patience(5) + Target(1)", r"which is no rule"),
        ("(lambda: 1)()", r"which is no rule"),
        ("Patience(5, patients=1)", r"unexpected keyword argument 'patients'"),
        ("Patience(0)", r"expected a number of checks from 1"),
        ("Patience(**{'checks': 5})", r"unexpected keyword argument '\*\*'"),
    ],
)
def test_refuses_what_is_no_rule(text: str, message: str) -> None:
    """Text that is no rule is refused, with what to write; no code is run."""
    with pytest.raises(ConfigurationError, match=message):
        parse_rule(text)
