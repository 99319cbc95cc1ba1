"""Rules as text, as they write themselves, read without running code."""

import ast
from collections.abc import Callable
from typing import NoReturn

from lightning_gapmon.analysis.rules.rule import Rule, family
from lightning_gapmon.errors import ConfigurationError

METHODS = ("after", "smoothed", "grace", "lr_aware")
SETTINGS = ("eager", "careful")


def parse_rule(text: str) -> Rule:
    """Read a rule as one writes it in Python, or as it prints itself.

    Raises:
        ConfigurationError: It is no rule.

    Example:
        >>> parse_rule('Patience("20%").grace(5) | Target(0.1)')
        Patience().grace(5) | Target(0.1)
        >>> parse_rule("Budget.eager()")
        Budget(0.08, tolerance=0.02)
    """
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        msg = f"Found the rule {text!r}, which is not Python: {error.msg}. {_EXPECTED}"
        raise ConfigurationError(msg) from error
    return _rule(tree.body)


_EXPECTED = "Write it as in Python, for example 'Patience(10) | Target(0.1)' or 'Budget.eager()'."


def _rule(node: ast.expr) -> Rule:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitOr, ast.BitAnd)):
        left, right = _rule(node.left), _rule(node.right)
        return left | right if isinstance(node.op, ast.BitOr) else left & right
    if isinstance(node, ast.Call):
        return _call(node)
    return _refuse(node)


def _call(node: ast.Call) -> Rule:
    make = _maker(node.func)
    arguments = [_setting(argument) for argument in node.args]
    named = {word.arg or "**": _setting(word.value) for word in node.keywords}
    try:
        return make(*arguments, **named)
    except TypeError as error:
        msg = f"Found {ast.unparse(node)}; {error}. {_EXPECTED}"
        raise ConfigurationError(msg) from error


def _maker(node: ast.expr) -> Callable[..., Rule]:
    rules = family()
    if isinstance(node, ast.Name) and node.id in rules:
        return rules[node.id]
    if not isinstance(node, ast.Attribute):
        _refuse(node)
    of = node.value
    if isinstance(of, ast.Name) and of.id == "Budget" and node.attr in SETTINGS:
        made: Callable[..., Rule] = getattr(rules["Budget"], node.attr)
        return made
    if node.attr in METHODS:
        method: Callable[..., Rule] = getattr(_rule(of), node.attr)
        return method
    return _refuse(node)


def _setting(node: ast.expr) -> object:
    if isinstance(node, ast.Call):
        return _call(node)
    try:
        value: object = ast.literal_eval(node)
    except ValueError:
        _refuse(node)
    return value


def _refuse(node: ast.expr) -> NoReturn:
    known = ", ".join(sorted(family()))
    msg = f"Found {ast.unparse(node)!r}, which is no rule; there are {known}. {_EXPECTED}"
    raise ConfigurationError(msg)
