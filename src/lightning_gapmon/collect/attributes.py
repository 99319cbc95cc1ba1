"""What a module keeps in its own attributes, as it was before."""

from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

from torch import nn

_VALUES = (bool, int, float, complex, str, type(None))
_CONTAINERS = (list, dict, set, deque, defaultdict)


@contextmanager
def kept(module: nn.Module) -> Iterator[None]:
    """Give back the numbers, texts, lists, dicts and sets that are attributes of a module.

    Also those that are in one of its lists or dicts. Modules gather losses and outputs there
    until their epoch ends. What torch itself keeps in a module stays as it has become.

    Example:
        >>> module = nn.Identity()
        >>> module.outputs, module.count = [1.0], 1
        >>> with kept(module):
        ...     module.outputs.append(2.0)
        ...     module.count += 1
        >>> module.outputs, module.count
        ([1.0], 1)
    """
    own = {name: value for name, value in vars(module).items() if name not in vars(nn.Module())}
    values = {name: value for name, value in own.items() if isinstance(value, _VALUES)}
    contents = [held for value in own.values() for held in _contents(value)]
    try:
        yield
    finally:
        vars(module).update(values)
        for container, before in contents:
            container.clear()
            _fill(container, before)


def _contents(value: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - any attribute
    """List a container and those right in it, each with a copy."""
    if type(value) not in _CONTAINERS:
        return
    yield value, copy(value)
    for part in value.values() if isinstance(value, dict) else value:
        if type(part) in _CONTAINERS:
            yield part, copy(part)


def _fill(container: Any, before: Any) -> None:  # noqa: ANN401 - one of _CONTAINERS
    if isinstance(container, (list, deque)):
        container.extend(before)
    else:
        container.update(before)
