"""The test of a rule of one's own: what keeps to it passes, and each fault is found."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from lightning_gapmon import Custom, History, Rule, StopReason
from lightning_gapmon.analysis.rules import expression
from lightning_gapmon.testing import check_rule

Answer = Callable[["Says", History], Any]


@dataclass(frozen=True, repr=False)
class Says(Rule):
    """Answer as it is told."""

    answer: Answer
    seen: list[int] = field(default_factory=list, compare=False)

    def __call__(self, history: History) -> StopReason | None:
        """Ask the function."""
        found: StopReason | None = self.answer(self, history)
        return found


def _last(rule: Rule, history: History) -> StopReason | None:
    if history and history[-1].val > 1.5:
        return rule.reason(history, "high", val=history[-1].val)
    return None


def _counts(rule: Says, history: History) -> StopReason | None:
    rule.seen.append(len(history))
    return rule.reason(history, "enough") if len(rule.seen) == 39 else None


def _changes(_: Rule, history: History) -> None:
    if history and history._stop is None:
        history._seen[-1] = History.from_curves(train=[1.0], val=[9.0])[0]


def _remembers(rule: Says, history: History) -> StopReason | None:
    rule.seen.append(id(history._seen))
    again = rule.seen.count(id(history._seen)) > 4
    return rule.reason(history, "again") if again and history else None


def _looks_ahead(rule: Rule, history: History) -> StopReason | None:
    ahead = len(history._seen) > len(history) > 0
    return rule.reason(history, "it will rise") if ahead else None


FAULTS: dict[str, tuple[Answer, str]] = {
    "twice": (_counts, "answers twice in two ways at check"),
    "changes": (_changes, "changes the history at check 1 of a run that falls"),
    "remembers": (_remembers, r"answers twice in two ways|remembers another history"),
    "ahead": (_looks_ahead, "looks beyond the checks it is given at check 1 of"),
    "empty": (lambda _, history: not history or None, "stops before the first check"),
    "true": (lambda _, history: bool(history) or None, "answers True and no StopReason"),
    "check": (
        lambda _, history: StopReason("me", "because", 7) if history else None,
        "speaks of check 7 at check 1",
    ),
    "mute": (
        lambda me, history: me.reason(history, "") if history else None,
        "without a sentence",
    ),
    "evidence": (
        lambda me, history: me.reason(history, "x", best="1") if history else None,  # type: ignore[arg-type]
        "has evidence that is no number",
    ),
}


@pytest.mark.parametrize("what", FAULTS)
def test_each_fault_is_found(what: str) -> None:
    """A rule that would decide otherwise in a replay than live is told what it does, and where."""
    answer, message = FAULTS[what]

    with pytest.raises(AssertionError, match=message):
        check_rule(Says(answer))


def test_a_rule_that_raises_shows_its_own_error() -> None:
    """What is not measured must not break it."""
    with pytest.raises(ValueError, match="NaN"):
        check_rule(Says(lambda _, history: [*map(math.floor, history.val), None][-1]))


def test_a_good_rule_passes() -> None:
    """One that looks at what it is given, and a function in `Custom`, are fine."""
    check_rule(Says(_last))
    check_rule(Custom(lambda history: history.val[-1] > 1.5))


def test_the_text_of_a_registered_rule_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a rule writes of itself must lead back to it."""

    class Odd(Says):
        def __repr__(self) -> str:
            return "Patience(3)"

    monkeypatch.setattr(expression, "_registered", {"Odd": Odd})

    with pytest.raises(AssertionError, match="is read back from its text as Patience"):
        check_rule(Odd(_last))


def test_only_a_rule_can_be_tried() -> None:
    """A function is wrapped in `Custom` first."""
    with pytest.raises(AssertionError, match=r"is no lightning_gapmon\.Rule"):
        check_rule(len)  # type: ignore[arg-type]
