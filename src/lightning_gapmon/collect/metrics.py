"""The metrics of a module, as they were before."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

from torch import Tensor, nn
from torchmetrics import Metric


@contextmanager
def untouched(module: nn.Module) -> Iterator[None]:
    """Give every metric in a module back as it was, whatever happens in between.

    Example:
        >>> import torch
        >>> from torchmetrics import MeanMetric
        >>> module = nn.ModuleList([MeanMetric()])
        >>> module[0].update(1.0)
        >>> with untouched(module):
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
