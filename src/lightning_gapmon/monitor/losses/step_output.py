"""What a step and its batch look like from outside: the loss it returned, the samples it had."""

import dataclasses
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from torch import Tensor


def loss_in(outputs: object, key: str | None = None) -> Tensor | None:
    """Find the loss in what a step returned; None where nothing is surely a loss.

    A tensor of one number is the loss; in a dict it is the entry `loss`. With a `key` it is that
    entry and nothing else. Whatever else a step returns (a tuple, predictions, a plain number)
    could be anything.
    """
    if type(outputs) is dict or isinstance(outputs, Mapping):
        found = outputs.get(key or "loss")
    else:
        found = None if key else outputs
    is_loss = isinstance(found, Tensor) and found.numel() == 1 and found.is_floating_point()
    return found if is_loss else None


def describe(outputs: object) -> str:
    """Say what a step returned, for a message.

    Example:
        >>> describe({"reward": 1.0})
        "a dict with the keys ['reward']"
    """
    if outputs is None or (isinstance(outputs, Mapping) and not outputs):
        return "None"  # Lightning hands the None of a training step over as {}
    if isinstance(outputs, Mapping):
        return f"a dict with the keys {sorted(map(str, outputs))}"
    if isinstance(outputs, Tensor):
        return f"a tensor of shape {tuple(outputs.shape)}"
    if isinstance(outputs, (tuple, list)):
        return f"a {type(outputs).__name__} of {len(outputs)}"
    return f"a {type(outputs).__name__}"


def first_sizes(batch: object, *, most: int | None = None) -> list[int]:
    """List the first sizes of a batch's tensors, in their order: the samples it seems to have.

    A graph batch knows by itself (`num_graphs`).

    Args:
        batch: Whatever a loader gives.
        most: How many sizes to look for, at most.

    Example:
        >>> import torch
        >>> first_sizes((torch.zeros(8, 3), torch.zeros(8)))
        [8, 8]
    """
    if type(batch) is tuple or type(batch) is list:  # what most loaders give, at every step
        parts = batch[:most]
        sizes = [part.shape[0] for part in parts if type(part) is Tensor and part.ndim]
        if len(sizes) == len(parts):
            return sizes
    graphs = getattr(batch, "num_graphs", None)
    if isinstance(graphs, int):
        return [graphs]
    return list(islice((len(tensor) for tensor in _tensors(batch) if tensor.ndim), most))


def _tensors(batch: object) -> Iterable[Tensor]:
    if isinstance(batch, Tensor):
        yield batch
    else:
        for part in _parts(batch):
            yield from _tensors(part)


def _parts(batch: Any) -> Iterable[object]:  # noqa: ANN401 - a batch is whatever a loader gives
    if isinstance(batch, Mapping):
        return batch.values()
    if isinstance(batch, (tuple, list)):
        return batch
    if dataclasses.is_dataclass(batch):
        return vars(batch).values()
    return ()
