"""What a rule is, and how rules combine."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from lightning_gapmon.analysis.history import History
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

    def after(self, checks: int) -> "Rule":
        """Leave the first `checks` checks out of sight: a warm-up."""
        return After(self, checks)

    def _reason(self, history: History, message: str) -> StopReason:
        return StopReason(rule=repr(self), message=message, check=history[-1].check)


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
        if len(messages) < len(reasons):
            return None
        return self._reason(history, " and ".join(messages))

    def __repr__(self) -> str:
        """Write it as it is put together."""
        return " & ".join(
            f"({rule})" if isinstance(rule, Any_) else repr(rule) for rule in self.rules
        )


@dataclass(frozen=True, repr=False)
class After(Rule):
    """A rule that looks only at what comes after a warm-up."""

    rule: Rule
    checks: int

    def __post_init__(self) -> None:
        """Refuse a warm-up that is no count."""
        if not isinstance(self.checks, int) or self.checks < 0:
            msg = (
                f"Found .after({self.checks!r}); expected a number of checks, such as .after(10)."
            )
            raise ConfigurationError(msg)

    def __call__(self, history: History) -> StopReason | None:
        """Ask the rule about the later checks."""
        later = history[self.checks :]
        return self.rule(later) if later else None

    def __repr__(self) -> str:
        """Write it as it is put together."""
        inner = f"({self.rule})" if isinstance(self.rule, (Any_, All)) else repr(self.rule)
        return f"{inner}.after({self.checks})"
