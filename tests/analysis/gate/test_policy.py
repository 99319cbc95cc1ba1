"""What a gate lets pass."""

import math
from typing import Any

import pytest

from lightning_gapmon.analysis.gate.findings import FINDINGS
from lightning_gapmon.analysis.gate.policy import Policy
from lightning_gapmon.errors import ConfigurationError


def test_by_itself_a_gate_fails_on_what_is_surely_wrong() -> None:
    """A rise, divergence, NaN and limits that were set fail; a gap alone and the rest warn."""
    levels: dict[str, list[str]] = {}
    for name in FINDINGS:
        levels.setdefault(Policy().level(name), []).append(name)

    assert levels == {
        "fail": [
            "non_finite",
            "overfitting:rise",
            "overfitting:both",
            "diverging",
            "max_val",
            "max_gap",
            "min_checks",
            "baseline",
        ],
        "warn": [
            "leakage_suspected",
            "overfitting:gap",
            "underfitting",
            "plateau",
            "undecided",
            "unreadable",
        ],
        "pass": ["learning", "good_fit"],
    }


def test_what_is_named_fails_or_warns() -> None:
    """A check stands for all of its forms, and a form goes before its check."""
    policy = Policy(fail_on=("overfitting", "learning"), warn_on=("overfitting:rise", "diverging"))
    named = ("overfitting:gap", "overfitting:both", "overfitting:rise", "learning", "diverging")

    assert [*map(policy.level, named)] == ["fail", "fail", "warn", "fail", "warn"]
    assert Policy(strict=True).level("unreadable") == "fail"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fail_on": ("overfiting",)}, "'overfiting', which is no finding.*mean overfitting"),
        ({"warn_on": ("nothing alike",)}, "'nothing alike', which is no finding"),
        ({"fail_on": ("plateau",), "warn_on": ("plateau",)}, r"\['plateau'\] both to fail and"),
        ({"max_val": math.nan}, "max_val = nan; expected a finite number"),
        ({"max_gap": 2.0}, "max_gap = 2; expected a relative gap between -1 and 1"),
        ({"min_checks": 0}, "min_checks = 0; expected one check at least"),
    ],
)
def test_what_says_nothing_is_refused(settings: dict[str, Any], message: str) -> None:
    """A policy that cannot be meant is refused with what was expected."""
    with pytest.raises(ConfigurationError, match=message):
        Policy(**settings)
