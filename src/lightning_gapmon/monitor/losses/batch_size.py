"""How many samples a batch has: as the user says, else by the first size of its tensors."""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from numbers import Real
from typing import Any

from torch import Tensor

from lightning_gapmon.collect.meter.rows import wide_dtype
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.monitor.losses.step_output import describe
from lightning_gapmon.monitor.losses.watched import Source

_MOST_PARTS = 512
_PLAIN = (str, bytes, int, float, complex, type(None))
_END = object()

BatchSize = Callable[[Any], "int | Tensor"]


class BatchSizes:
    """Tells the samples of a batch, and keeps what was doubtful about it.

    Args:
        asked: The user's function of a batch, where there is one.
    """

    def __init__(self, asked: BatchSize | None = None) -> None:
        self._asked = asked
        self._doubts: dict[Source, str] = {}
        self._most: int | None = None

    def settle(self) -> None:
        """Look at a batch's first tensor only: what a batch looks like is known by now."""
        self._most = 1

    def of(self, batch: object, source: Source) -> "float | Tensor":
        """Give the samples of a batch, for a loss from this source."""
        if self._asked is not None:
            return _number(self._asked(batch))
        sizes = first_sizes(batch, most=self._most)
        if not sizes:
            self._doubt(source, f"{describe(batch)} does not show how many samples it has")
            return 1.0
        if len(sizes) > 1 and len(set(sizes)) > 1:
            self._doubt(source, f"tensors with the first sizes {sorted(set(sizes))} in one batch")
        return float(sizes[0])

    def doubts(self, sources: Collection[Source]) -> list[str]:
        """Say what was doubtful, each thing once, where a loss of these sources needed it."""
        found = (doubt for source, doubt in self._doubts.items() if source in sources)
        return list(dict.fromkeys(found))

    def _doubt(self, source: Source, found: str) -> None:
        doubt = (
            f"Batch sizes were guessed: {found}. Say how many samples a batch has, with "
            "GapMonitor(batch_size=...), self.log(..., batch_size=...) or "
            "self.track_loss(loss, batch_size=...)."
        )
        self._doubts.setdefault(source, doubt)  # batches of many sizes are one finding


def _number(size: object) -> "float | Tensor":
    if isinstance(size, Tensor) and size.numel() == 1:
        return size.detach().reshape(())
    if isinstance(size, Real):
        return float(size)
    msg = (
        f"Found GapMonitor(batch_size=...) that returned {describe(size)}; expected the number of "
        "samples in the batch, such as batch_size=lambda batch: len(batch[0])."
    )
    raise ConfigurationError(msg)


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


def _tensors(batch: object) -> Iterator[Tensor]:
    """Go through a batch's tensors in their order, as far as that is cheap at every step."""
    open_parts, looked = [iter((batch,))], 0
    while open_parts and looked < _MOST_PARTS:
        looked += 1
        part = next(open_parts[-1], _END)
        if part is _END:
            open_parts.pop()
        elif isinstance(part, Tensor):
            yield part
        else:
            open_parts.append(iter(_parts(part)))


def _parts(batch: Any) -> Iterable[object]:  # noqa: ANN401 - a batch is whatever a loader gives
    if isinstance(batch, Mapping):
        return batch.values()
    if isinstance(batch, (tuple, list)):
        # What begins with a text or a number holds no tensors, and may be long.
        return () if batch and isinstance(batch[0], _PLAIN) else batch
    if dataclasses.is_dataclass(batch):
        fields = dataclasses.fields(batch)
        return [getattr(batch, field.name, None) for field in fields]  # slots have no __dict__
    return ()


def per_sample(
    losses: Tensor, batch_size: "float | Tensor | None"
) -> "tuple[Tensor, float | Tensor]":
    """Bring losses to one a sample, `(samples,)`, with what each one stands for.

    Args:
        losses: `(samples, ...)`.
        batch_size: What all of them stand for; by default each for its elements.
    """
    elements = losses.numel() / len(losses)
    if losses.ndim > 1:
        losses = losses.flatten(1).to(wide_dtype(losses.device)).mean(1)
    return losses, elements if batch_size is None else batch_size / len(losses)
