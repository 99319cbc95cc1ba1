"""What a module logged, read as the loss of a batch: a number, a tensor of one, or a metric."""

from numbers import Real
from typing import NamedTuple, TypeGuard

import torch
from torch import Tensor
from torchmetrics import MeanMetric, Metric

from lightning_gapmon.monitor.losses.step_output import describe


class Reading(NamedTuple):
    """A value that was logged.

    Attributes:
        loss: Its mean, `()`; None where there is no telling.
        weight: What it weighs, where it says so itself.
    """

    loss: Tensor | None
    weight: Tensor | None = None


class LoggedValues:
    """Reads what is logged, and knows how far each mean had come when it was read last."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[int, Tensor, Tensor]] = {}

    def read(self, value: object, *, whole: bool) -> Reading:
        """Read a value: of a metric that of this batch, or of all batches once they are seen.

        A mean knows its sum and its weights. What they have grown by is the batch's own, so that
        the batches add up to what the metric computes: with its weights, and without what it
        leaves out.

        Args:
            value: As it was logged.
            whole: Whether all batches are seen.
        """
        if isinstance(value, Metric):
            if whole:
                return Reading(_number(value.compute()))
            if isinstance(value, MeanMetric):
                return self._grown(value)
            return Reading(_number(value._forward_cache))  # noqa: SLF001 - what forward returned
        return Reading(_number(value))

    def _grown(self, metric: MeanMetric) -> Reading:
        """Give the mean of what a metric has taken in since it was read, or was reset."""
        count = metric.update_count
        loss, weight = metric.mean_value.detach().clone(), metric.weight.detach().clone()
        seen, loss_before, weight_before = self._before.get(id(metric), (count, loss, weight))
        self._before[id(metric)] = count, loss, weight
        if count > seen:
            loss, weight = loss - loss_before, weight - weight_before
        return Reading(loss / weight, weight)


def _number(value: object) -> Tensor | None:
    if isinstance(value, Tensor):
        if value.numel() != 1:
            return None
        return value.reshape(()) if value.ndim else value
    return torch.tensor(float(value), dtype=torch.float64) if isinstance(value, Real) else None


def computes(value: object) -> TypeGuard[Metric]:
    """Tell whether this is a metric whose value for all batches is not a mean of theirs."""
    is_sum = isinstance(value, MeanMetric)  # what it grows by at each batch is all of it
    return isinstance(value, Metric) and not is_sum and value.sync_on_compute


def whole(value: Metric) -> float:
    """Give what a metric computes of all batches, over all ranks; NaN if that is no number."""
    found = _number(value.compute())
    return float("nan") if found is None else found.item()


def says_more_is_better(value: object) -> bool:
    """Tell whether a metric says that it grows as a model gets better."""
    return isinstance(value, Metric) and value.higher_is_better is True


def described(name: str, value: object) -> str:
    """Say what was logged, for a message."""
    return f"{name} was logged as {describe(value)}"
