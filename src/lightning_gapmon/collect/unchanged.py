"""What a second look at a module or at data leaves as it was: contexts that give it back."""

import random
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics import Metric

_VALUES = (bool, int, float, complex, str, type(None))
_CONTAINERS = (list, dict, set, deque, defaultdict)


@contextmanager
def unchanged_random_state() -> Iterator[None]:
    """Give the random state of Python, NumPy and torch back as it was, on all devices."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the global one
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002 - the global one


@contextmanager
def unchanged_metrics(module: nn.Module) -> Iterator[None]:
    """Give every metric in a module back as it was, whatever happens in between.

    Example:
        >>> from torchmetrics import MeanMetric
        >>> module = nn.ModuleList([MeanMetric()])
        >>> module[0].update(1.0)
        >>> with unchanged_metrics(module):
        ...     module[0].update(3.0)
        >>> module[0].compute()
        tensor(1.)
    """
    metrics = [part for part in module.modules() if isinstance(part, Metric)]
    before = [_state(metric) for metric in metrics]
    try:
        yield
    finally:
        for metric, state in zip(metrics, before, strict=True):
            vars(metric).update(state)


def _state(metric: Metric) -> dict[str, Any]:
    """Copy what an update changes: a metric's own attributes; its parts are metrics or modules."""
    return {name: _copied(value) for name, value in vars(metric).items() if name[:2] != "__"}


def _copied(value: Any) -> Any:  # noqa: ANN401 - a metric's state is whatever it keeps
    if isinstance(value, Tensor):
        return value.detach().clone()
    return copy(value) if isinstance(value, (list, dict)) else value


@contextmanager
def unchanged_attributes(module: nn.Module) -> Iterator[None]:
    """Give back the numbers, texts, lists, dicts and sets that are attributes of a module.

    Also those that are in one of its lists or dicts, however deep. Modules gather losses and
    outputs there until their epoch ends. What torch itself keeps in a module stays as it has
    become.

    Example:
        >>> module = nn.Identity()
        >>> module.outputs, module.count = [1.0], 1
        >>> with unchanged_attributes(module):
        ...     module.outputs.append(2.0)
        ...     module.count += 1
        >>> module.outputs, module.count
        ([1.0], 1)
    """
    own = {name: value for name, value in vars(module).items() if name not in vars(nn.Module())}
    values = {name: value for name, value in own.items() if isinstance(value, _VALUES)}
    known: set[int] = set()
    contents = [held for value in own.values() for held in _contents(value, known)]
    try:
        yield
    finally:
        vars(module).update(values)
        for container, before in contents:
            container.clear()
            _fill(container, before)


def _contents(value: Any, known: set[int]) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - any attribute
    """List a container and those in it, each with a copy, and each once."""
    if type(value) not in _CONTAINERS or id(value) in known:
        return
    known.add(id(value))
    yield value, copy(value)
    for part in value.values() if isinstance(value, dict) else value:
        yield from _contents(part, known)


def _fill(container: Any, before: Any) -> None:  # noqa: ANN401 - one of _CONTAINERS
    if isinstance(container, (list, deque)):
        container.extend(before)
    else:
        container.update(before)
