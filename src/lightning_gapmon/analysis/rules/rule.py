"""What a rule and its reason are, and how rules combine."""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class StopReason:
    """Why a run should stop.

    Attributes:
        rule: The rule that fired, as one would write it.
        message: One sentence with the numbers behind it.
        check: Number of the check at which it fired.
        evidence: The numbers behind it, by name.
    """

    rule: str
    message: str
    check: int
    evidence: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """Give the sentence, with its rule."""
        return f"{self.message} [{self.rule}]"


class Rule(ABC):
    """A pure function of the history: asked at each check, it answers why to stop, or None.

    Subclasses are frozen dataclasses. Rules combine: `a | b` stops when either does, `a & b`
    when both do at the same check, `a.after(10)` looks only at what comes after ten checks.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True, repr=False)
        ... class Halved(Rule):
        ...     times: int = 1
        ...
        ...     def __call__(self, history):
        ...         share = history.val[-1] / history.val[0] if history else 1.0
        ...         if share <= 0.5**self.times:
        ...             return self.reason(history, "the loss has halved", share=share)
        >>> Halved(2)(History.from_curves(train=[1, 1], val=[4.0, 1.0]))
        StopReason(rule='Halved(2)', message='the loss has halved', check=2, evidence={...0.25})
    """

    @abstractmethod
    def __call__(self, history: History) -> StopReason | None:
        """Judge the history as it is at its last check."""

    def view(self, history: History) -> History:
        """Give the checks that this rule looks at, for what is told beside it, as the outlook."""
        return history

    @property
    def asks_user(self) -> bool:
        """Whether a function of the user's has a say, which no one can know to be pure."""
        held = vars(self).values()
        rules = [rule for one in held for rule in (one if isinstance(one, tuple) else (one,))]
        return any(isinstance(rule, Rule) and rule.asks_user for rule in rules)

    def __or__(self, other: "Rule") -> "Rule":
        """Stop when either rule does."""
        return AnyOf(_both(self, other, "|"))

    def __and__(self, other: "Rule") -> "Rule":
        """Stop when both rules do."""
        return AllOf(_both(self, other, "&"))

    def after(self, checks: int = 0, *, epochs: int = 0, steps: int = 0) -> "Rule":
        """Leave the first checks, epochs or optimiser steps out of sight: a warm-up."""
        return After(self, checks, epochs, steps)

    def smoothed(self, checks: int = 5, *, by: str = "median") -> "Rule":
        """Judge smoothed losses, see `Smoothed`."""
        return _wrappers["smoothed"](self, checks, by)

    def grace(self, checks: int) -> "Rule":
        """Give the run that many checks more when the rule fires, see `Grace`."""
        return _wrappers["grace"](self, checks)

    def lr_aware(self) -> "Rule":
        """Wait for the learning rate's warm-up and count afresh after a drop, see `LrAware`."""
        return _wrappers["lr_aware"](self)

    def reason(self, history: History, message: str, **evidence: float) -> StopReason:
        """Say at the last check why to stop, with the numbers behind it."""
        return StopReason(repr(self), message, history[-1].check, evidence)

    def __repr__(self) -> str:
        """Write it as one would, without what is at its default."""
        fields: tuple[dataclasses.Field[Any], ...] = ()
        if dataclasses.is_dataclass(self):
            fields = dataclasses.fields(self)
        said = [(one.name, getattr(self, one.name)) for one in fields]
        defaults = {one.name: one.default for one in fields}
        first = fields[0].name if fields else ""
        words: list[str] = [
            repr(value) if name == first else f"{name}={value!r}"
            for name, value in said
            if value != defaults[name]
        ]
        return f"{type(self).__name__}({', '.join(words)})"


Wrapper = TypeVar("Wrapper", bound=type[Rule])
_wrappers: dict[str, Callable[..., Rule]] = {}


def wrapper(method: str) -> Callable[[Wrapper], Wrapper]:
    """Let a rule around a rule be made by a method: it is defined where this module ends."""

    def remember(cls: Wrapper) -> Wrapper:
        _wrappers[method] = cls
        return cls

    return remember


def need_rule(rule: object, written_behind: str) -> None:
    """Refuse to wrap what is no rule, when it is made and not at the first check.

    Raises:
        ConfigurationError: It is none.
    """
    if not isinstance(rule, Rule):
        msg = (
            f"Found {rule!r} where .{written_behind} needs a rule; write it behind one, as in "
            f"Patience(10).{written_behind}."
        )
        raise ConfigurationError(msg)


def is_count(value: object, *, least: int = 1) -> bool:
    """Tell whether a setting is a whole number that is large enough."""
    return type(value) is int and value >= least


def is_number(value: object, *, least: float = -math.inf, most: float = math.inf) -> bool:
    """Tell whether a setting is a finite number within bounds; a truth value is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value) and least <= value <= most
    except OverflowError:  # a whole number past all floats
        return False


def _both(left: Rule, right: object, sign: str) -> tuple[Rule, Rule]:
    if not isinstance(right, Rule):
        msg = (
            f"Found {left!r} {sign} {right!r}; expected a rule on both sides, "
            "for example Patience(10) | Target(0.1)."
        )
        raise ConfigurationError(msg)
    return left, right


def _need_rules(rules: Any, sign: str) -> None:  # noqa: ANN401 - whatever was given
    if not (rules and isinstance(rules, tuple)) or not all(
        isinstance(rule, Rule) for rule in rules
    ):
        msg = (
            f"Found {rules!r} to be joined by {sign}; expected rules, for example "
            f"Patience(10) {sign} Target(0.1)."
        )
        raise ConfigurationError(msg)


@dataclass(frozen=True, repr=False)
class AnyOf(Rule):
    """Stop when any of the rules does; the first that fires gives the reason."""

    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        """Refuse what are no rules."""
        _need_rules(self.rules, "|")

    def __call__(self, history: History) -> StopReason | None:
        """Ask them in their order."""
        reasons = (rule(history) for rule in self.rules)
        return next((reason for reason in reasons if reason), None)

    def view(self, history: History) -> History:
        """Look at what the first of them does: the others are guards."""
        return self.rules[0].view(history)

    def __repr__(self) -> str:
        """Write it as it is put together."""
        return " | ".join(
            f"({rule})" if isinstance(rule, AnyOf) and n else repr(rule)
            for n, rule in enumerate(self.rules)
        )


@dataclass(frozen=True, repr=False)
class AllOf(Rule):
    """Stop when all of the rules do, at the same check."""

    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        """Refuse what are no rules."""
        _need_rules(self.rules, "&")

    def __call__(self, history: History) -> StopReason | None:
        """Ask them all; the reason holds each one's sentence, and its numbers by its name."""
        reasons = [reason for rule in self.rules if (reason := rule(history))]
        if not reasons or len(reasons) < len(self.rules):
            return None
        evidence = {f"{r.rule} {name}": x for r in reasons for name, x in r.evidence.items()}
        return self.reason(history, " and ".join(r.message for r in reasons), **evidence)

    def view(self, history: History) -> History:
        """Look at what the first of them does."""
        return self.rules[0].view(history)

    def __repr__(self) -> str:
        """Write it as it is put together."""
        return " & ".join(
            f"({rule})"
            if isinstance(rule, AnyOf) or (isinstance(rule, AllOf) and n)
            else repr(rule)
            for n, rule in enumerate(self.rules)
        )


def written(rule: Rule) -> str:
    """Write a rule as it stands before a dot."""
    return f"({rule})" if isinstance(rule, (AnyOf, AllOf)) else repr(rule)


@dataclass(frozen=True, repr=False)
class After(Rule):
    """A rule that looks only at what comes after a warm-up.

    Args:
        rule: The rule.
        checks: Checks to leave out.
        epochs: Epochs whose checks to leave out.
        steps: Optimiser steps up to which checks are left out; the latest of the three decides.
    """

    rule: Rule
    checks: int = 0
    epochs: int = 0
    steps: int = 0

    def __post_init__(self) -> None:
        """Refuse a warm-up that is no count."""
        need_rule(self.rule, "after(10)")
        if not all(is_count(n, least=0) for n in (self.checks, self.epochs, self.steps)):
            found = repr(self)[len(written(self.rule)) :]
            msg = f"Found {found}; expected a number of checks, such as .after(10)."
            raise ConfigurationError(msg)

    def __call__(self, history: History) -> StopReason | None:
        """Ask the rule about the later checks."""
        later = history[self._left_out(history) :]
        return self.rule(later) if later else None

    def view(self, history: History) -> History:
        """Look at the later checks."""
        return self.rule.view(history[self._left_out(history) :])

    def _left_out(self, history: History) -> int:
        if not (self.epochs or self.steps):
            return self.checks
        return max(self.checks, history.scan(self._count, 0))

    def _count(self, early: int, history: History) -> int:
        seen = history[-1]
        return early + (seen.epoch < self.epochs or seen.step <= self.steps > 0)

    def __repr__(self) -> str:
        """Write it as it is put together."""
        named = [("epochs", self.epochs), ("steps", self.steps)]
        words = [f"{name}={count}" for name, count in named if count]
        words = [repr(self.checks), *words] if self.checks or not words else words
        return f"{written(self.rule)}.after({', '.join(words)})"
