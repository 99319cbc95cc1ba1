"""What a rule is, how it is written as plain types, and how rules combine."""

import dataclasses
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class StopReason:
    """Why a run should stop.

    Attributes:
        rule: The rule that fired, as one would write it.
        message: One sentence with the numbers behind it.
        check: Number of the check at which it fired.
    """

    rule: str
    message: str
    check: int

    def __str__(self) -> str:
        """Give the sentence, with its rule."""
        return f"{self.message} [{self.rule}]"


class Rule(ABC):
    """A pure function of the history: asked at each check, it answers why to stop, or None.

    Subclasses are frozen dataclasses. Rules combine: `a | b` stops when either does, `a & b`
    when both do at the same check, `a.after(10)` looks only at what comes after ten checks.
    """

    @abstractmethod
    def __call__(self, history: History) -> StopReason | None:
        """Judge the history as it is at its last check."""

    def __or__(self, other: "Rule") -> "Rule":
        """Stop when either rule does."""
        return Any_(_both(self, other, "|"))

    def __and__(self, other: "Rule") -> "Rule":
        """Stop when both rules do."""
        return All(_both(self, other, "&"))

    def after(self, checks: int = 0, *, epochs: int = 0, steps: int = 0) -> "Rule":
        """Leave the first checks, epochs or optimiser steps out of sight: a warm-up."""
        return After(self, checks, epochs, steps)

    def smoothed(self, checks: int = 5, *, by: str = "median") -> "Rule":
        """Judge smoothed losses, see `Smoothed`."""
        return family()["Smoothed"](self, checks, by)

    def grace(self, checks: int) -> "Rule":
        """Give the run that many checks more when the rule fires, see `Grace`."""
        return family()["Grace"](self, checks)

    def lr_aware(self) -> "Rule":
        """Wait for the learning rate's warm-up and count afresh after a drop, see `LrAware`."""
        return family()["LrAware"](self)

    def to_plain(self) -> dict[str, Any]:
        """Write the rule as plain types, fit for JSON.

        Example:
            >>> from lightning_gapmon import Target
            >>> Target(0.5).to_plain()
            {'type': 'Target', 'loss': 0.5}
        """
        return {"type": type(self).__name__} | {n: _plain(v) for n, v in _settings(self)}

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> "Rule":
        """Read what `to_plain` wrote.

        Raises:
            ConfigurationError: There is no such rule, or it has no such settings.

        Example:
            >>> Rule.from_plain({"type": "Target", "loss": 0.5})
            Target(0.5)
        """
        make = family().get(plain.get("type", ""))
        settings = {n: _from_plain(v) for n, v in plain.items() if n != "type"}
        try:
            return make(**settings) if make else _unknown(plain)
        except TypeError as error:
            msg = f"Found {dict(plain)!r}; {error}. Expected what Rule.to_plain() writes."
            raise ConfigurationError(msg) from error

    def __repr__(self) -> str:
        """Write it as one would, without what is at its default."""
        defaults = {field.name: field.default for field in _fields(self)}
        said = [(n, v) for n, v in _settings(self) if v != defaults[n]]
        first = next(iter(defaults), None)
        words = [repr(v) if n == first else f"{n}={v!r}" for n, v in said]
        return f"{type(self).__name__}({', '.join(words)})"

    def _reason(self, history: History, message: str) -> StopReason:
        return StopReason(rule=repr(self), message=message, check=history[-1].check)


def family() -> dict[str, Callable[..., Rule]]:
    """Give every rule that is defined, by its name; wrappers and users' own are among them."""
    return {cls.__name__: cls for cls in _descendants(Rule)}  # type: ignore[type-abstract]


def _descendants(cls: type[Rule]) -> Iterator[type[Rule]]:
    for child in cls.__subclasses__():
        yield child
        yield from _descendants(child)


def _fields(rule: Rule) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(rule) if dataclasses.is_dataclass(rule) else ()


def _settings(rule: Rule) -> list[tuple[str, Any]]:
    return [(field.name, getattr(rule, field.name)) for field in _fields(rule)]


def _plain(value: Any) -> Any:  # noqa: ANN401 - any setting
    if isinstance(value, Rule):
        return value.to_plain()
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return _address(value) if callable(value) else value


def _address(function: Any) -> dict[str, str]:  # noqa: ANN401 - any function
    module, name = function.__module__, function.__qualname__
    if _at(module, name) is not function:
        msg = (
            f"Found the function {name} of {module}, which cannot be found again by its name. "
            "Define it at the top of a module, to write a rule that uses it."
        )
        raise ConfigurationError(msg)
    return {"function": f"{module}:{name}"}


def _from_plain(value: Any) -> Any:  # noqa: ANN401 - any setting
    if isinstance(value, Mapping):
        return _function(value["function"]) if "function" in value else Rule.from_plain(value)
    return tuple(map(_from_plain, value)) if isinstance(value, list) else value


def _function(address: str) -> Any:  # noqa: ANN401 - any function
    module, _, name = address.partition(":")
    found = _at(module, name)
    if found is None:
        # Importing it here would let a file choose what code runs.
        msg = f"Found a rule that uses {address}, which is not loaded. Import {module} first."
        raise ConfigurationError(msg)
    return found


def _at(module: str, name: str) -> object:
    return getattr(sys.modules.get(module), name, None)


def _unknown(plain: Mapping[str, Any]) -> Rule:
    msg = (
        f"Found the rule {plain.get('type')!r}; expected one of {', '.join(sorted(family()))}. "
        "A rule of your own is known once its module is imported."
    )
    raise ConfigurationError(msg)


def _both(left: Rule, right: object, sign: str) -> tuple[Rule, Rule]:
    if not isinstance(right, Rule):
        msg = (
            f"Found {left!r} {sign} {right!r}; expected a rule on both sides, "
            "for example Patience(10) | Target(0.1)."
        )
        raise ConfigurationError(msg)
    return left, right


@dataclass(frozen=True, repr=False)
class Any_(Rule):  # noqa: N801 - `Any` is taken by typing
    """Stop when any of the rules does; the first that fires gives the reason."""

    rules: tuple[Rule, ...]

    def __call__(self, history: History) -> StopReason | None:
        """Ask them in their order."""
        reasons = (rule(history) for rule in self.rules)
        return next((reason for reason in reasons if reason), None)

    def __repr__(self) -> str:
        """Write it as it is put together."""
        return " | ".join(map(repr, self.rules))


@dataclass(frozen=True, repr=False)
class All(Rule):
    """Stop when all of the rules do, at the same check."""

    rules: tuple[Rule, ...]

    def __call__(self, history: History) -> StopReason | None:
        """Ask them all; the reason holds each one's sentence."""
        reasons = [rule(history) for rule in self.rules]
        messages = [reason.message for reason in reasons if reason]
        if not messages or len(messages) < len(reasons):
            return None
        return self._reason(history, " and ".join(messages))

    def __repr__(self) -> str:
        """Write it as it is put together."""
        return " & ".join(
            f"({rule})" if isinstance(rule, Any_) else repr(rule) for rule in self.rules
        )


def need_rule(rule: object, wrapper: str) -> None:
    """Refuse to wrap what is no rule, when it is made and not at the first check.

    Raises:
        ConfigurationError: It is none.
    """
    if not isinstance(rule, Rule):
        msg = (
            f"Found {rule!r} where .{wrapper} needs a rule; write it behind one, as in "
            f"Patience(10).{wrapper}."
        )
        raise ConfigurationError(msg)


def written(rule: Rule) -> str:
    """Write a rule as it stands before a dot."""
    return f"({rule})" if isinstance(rule, (Any_, All)) else repr(rule)


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
        counts = (self.checks, self.epochs, self.steps)
        if any(not isinstance(count, int) or count < 0 for count in counts):
            found = repr(self)[len(written(self.rule)) :]
            msg = f"Found {found}; expected a number of checks, such as .after(10)."
            raise ConfigurationError(msg)

    def __call__(self, history: History) -> StopReason | None:
        """Ask the rule about the later checks."""
        later = history[self._left_out(history) :]
        return self.rule(later) if later else None

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
