"""Rules as text, as they write themselves, read without running code."""

import ast
import dataclasses
import inspect
import warnings
from collections.abc import Callable
from typing import NoReturn, TypeVar

from lightning_gapmon.analysis.rules.budget import Budget
from lightning_gapmon.analysis.rules.custom import Custom
from lightning_gapmon.analysis.rules.gap_limit import GapLimit
from lightning_gapmon.analysis.rules.grace import Grace
from lightning_gapmon.analysis.rules.limits import Divergence, NonFinite, Target
from lightning_gapmon.analysis.rules.lr_aware import LrAware
from lightning_gapmon.analysis.rules.patience import Patience
from lightning_gapmon.analysis.rules.rule import After, AllOf, AnyOf, Rule
from lightning_gapmon.analysis.rules.smoothed import Smoothed
from lightning_gapmon.analysis.wording import did_you_mean
from lightning_gapmon.errors import ConfigurationError

RULES: dict[str, type[Rule]] = {
    cls.__name__: cls for cls in (Budget, Divergence, GapLimit, NonFinite, Patience, Target)
}
METHODS = ("after", "smoothed", "grace", "lr_aware")
SETTINGS = ("eager", "careful")
LONGEST = 1000  # characters: what is longer was not written by hand, and may be nested too deep
LONGEST_SHOWN = 60
Made = TypeVar("Made", bound=type[Rule])

_registered: dict[str, type[Rule]] = {}


def register_rule(cls: Made) -> Made:
    """Let a rule of one's own be written as text, under the name of its class.

    Without it the rule works in Python and as a class path in a configuration file.

    Raises:
        ConfigurationError: It is no rule, or there is one of that name.

    Example:
        >>> from dataclasses import dataclass
        >>> from lightning_gapmon import Rule
        >>> @register_rule
        ... @dataclass(frozen=True, repr=False)
        ... class LongEnough(Rule):
        ...     checks: int
        ...
        ...     def __call__(self, history):
        ...         return self.reason(history, "enough") if len(history) >= self.checks else None
        >>> parse_rule("LongEnough(7) | Target(0.1)")
        LongEnough(7) | Target(0.1)
    """
    if not (isinstance(cls, type) and issubclass(cls, Rule)) or inspect.isabstract(cls):
        msg = (
            f"Found {cls!r} to register; expected a class derived from lightning_gapmon.Rule that "
            "has a __call__(self, history)."
        )
        raise ConfigurationError(msg)
    name, known = cls.__name__, _registered.get(cls.__name__)
    again = known is not None and _address(known) == _address(cls)  # a cell that is run again
    if name in (*RULES, Custom.__name__) or (known is not None and not again):
        msg = (
            f"Found {name} of {cls.__module__} to register, a name that a rule of "
            f"{(known or RULES.get(name, Custom)).__module__} has; give the class another name."
        )
        raise ConfigurationError(msg)
    _registered[name] = cls
    return cls


def _address(cls: type) -> tuple[str, str]:
    return cls.__module__, cls.__qualname__


def parse_rule(text: str) -> Rule:
    """Read a rule as one writes it in Python, or as it prints itself.

    Raises:
        ConfigurationError: It is no rule; says where.

    Example:
        >>> parse_rule('Patience("20%").grace(5) | Target(0.1)')
        Patience().grace(5) | Target(0.1)
        >>> parse_rule("Budget.eager()")
        Budget(0.15, tolerance=0.05)
    """
    line = " ".join(text.split())
    if len(line) > LONGEST:
        msg = f"Found a rule of {len(line)} characters; expected {LONGEST} at most. {_EXPECTED}"
        raise ConfigurationError(msg)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on what Python might have meant by it
            tree = ast.parse(line, mode="eval")
        return _Reader(line).rule(tree.body)
    except SyntaxError as error:
        at = f" at character {error.offset}" if error.offset else ""
        msg = f"Found the rule {_short(text)}, which is not Python{at}: {error.msg}. {_EXPECTED}"
        raise ConfigurationError(msg) from error
    except (ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, ConfigurationError):
            raise
        msg = f"Found the rule {_short(text)}, which cannot be read: {error}. {_EXPECTED}"
        raise ConfigurationError(msg) from error


def is_written(rule: Rule) -> bool:
    """Tell whether a rule has a text: it and all rules in it are the package's or registered."""
    names = getattr(rule, "__dataclass_fields__", ())
    values: list[object] = [getattr(rule, name) for name in names]
    parts = [part for value in values for part in (value if type(value) is tuple else (value,))]
    rules = [part for part in parts if isinstance(part, Rule)]
    joined = isinstance(rule, (AnyOf, AllOf, After, Smoothed, Grace, LrAware))
    return (joined or type(rule) in _known().values()) and all(map(is_written, rules))


_EXPECTED = "Write it as in Python, for example 'Patience(10) | Target(0.1)' or 'Budget.eager()'."


def _short(text: str) -> str:
    return repr(text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}...")


def _known() -> dict[str, type[Rule]]:
    return {**RULES, **_registered}


@dataclasses.dataclass(frozen=True)
class _Reader:
    """Turns the tree of a text into a rule.

    Attributes:
        line: The text, on one line.
    """

    line: str

    def rule(self, node: ast.expr) -> Rule:
        """Read rules that are combined, or one."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitOr, ast.BitAnd)):
            left, right = self.rule(node.left), self.rule(node.right)
            return left | right if isinstance(node.op, ast.BitOr) else left & right
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.BoolOp):
            self._refuse(node, "which is no rule: rules are joined by | and &")
        if isinstance(node, (ast.Name, ast.Attribute)):
            self._maker(node)  # says what is wrong with the name, if anything is
            self._refuse(node, f"which is no rule yet: write {ast.unparse(node)}()")
        return self._refuse(node, "which is no rule")

    def _call(self, node: ast.Call) -> Rule:
        make = self._maker(node.func)
        if any(word.arg is None for word in node.keywords):
            self._refuse(node, "whose settings are hidden by **")
        arguments = [self._setting(argument) for argument in node.args]
        named = {word.arg or "": self._setting(word.value) for word in node.keywords}
        self._need_settings(node, make, list(named))
        try:
            inspect.signature(make).bind(*arguments, **named)
            return make(*arguments, **named)
        except ConfigurationError as error:
            self._refuse(node, f"which cannot be. {error}", cause=error)
        except (TypeError, ValueError, ArithmeticError) as error:  # a rule of somebody's own too
            self._refuse(node, f"which cannot be: {error}", cause=error)

    def _need_settings(self, node: ast.Call, make: Callable[..., Rule], named: list[str]) -> None:
        settings = [*inspect.signature(make).parameters]
        for name in named:
            if name not in settings:
                there = f"has {', '.join(settings)}" if settings else "has none"
                asked = did_you_mean(name, settings)
                self._refuse(node, f"which has no setting {name!r}: it {there}.{asked}")

    def _maker(self, node: ast.expr) -> Callable[..., Rule]:
        rules = _known()
        if isinstance(node, ast.Name):
            if node.id in rules:
                return rules[node.id]
            self._refuse_name(node)
        if not isinstance(node, ast.Attribute):
            self._refuse(node, "which is no rule")
        of = node.value
        if isinstance(of, ast.Name) and of.id == "Budget" and node.attr in SETTINGS:
            made: Callable[..., Rule] = getattr(Budget, node.attr)
            return made
        if node.attr in METHODS:
            method: Callable[..., Rule] = getattr(self.rule(of), node.attr)
            return method
        asked = did_you_mean(node.attr, METHODS)
        return self._refuse(
            node, f"but rules have .{', .'.join(METHODS)} and no .{node.attr}.{asked}"
        )

    def _refuse_name(self, node: ast.Name) -> NoReturn:
        if node.id == Custom.__name__:
            self._refuse(node, "which takes a function: give it in Python, or as a class path")
        known = _known()
        asked = did_you_mean(node.id, known) or f" There are {', '.join(sorted(known))}."
        self._refuse(node, f"which is no rule that is known.{asked}")

    def _setting(self, node: ast.expr) -> object:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            value = self._setting(node.operand)
            if type(value) in (int, float):
                return -value  # type: ignore[operator]
        if isinstance(node, (ast.Tuple, ast.List)):
            return tuple(self._setting(part) for part in node.elts)
        if isinstance(node, (ast.Call, ast.BinOp)):
            return self.rule(node)
        return self._refuse(node, "which is no setting: expected a number, a text or a rule")

    def _refuse(self, node: ast.expr, why: str, *, cause: Exception | None = None) -> NoReturn:
        piece = ast.get_source_segment(self.line, node) or self.line
        at = len(self.line.encode()[: node.col_offset].decode()) + 1
        where = "" if piece == self.line else f" at character {at} of {_short(self.line)}"
        end = "" if why.endswith((".", "?")) else "."
        msg = f"Found {_short(piece)}{where}, {why}{end} {_EXPECTED}"
        raise ConfigurationError(msg) from cause
