"""A mean that costs a step a few microseconds and never waits for the device."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lightning_gapmon.collect.sums import WIDTH, Sums  # noqa: F401 - Sums is for the example

FLUSH_BATCHES = 1024
FLUSH_ELEMENTS = 1 << 16
MOST_ROWS = 1024


class LossMeter:
    """Collect the losses of a window, batch by batch, and sum them on their device.

    A batch's loss is buffered as it is; a few hundred at a time are turned into rows of sums,
    one row a batch. When there are many rows, neighbours are merged, so that memory stays flat
    while the window's recent part keeps the finer resolution.
    It is no torchmetrics `Metric`: what wraps a `Metric`'s update costs more than all this.

    Example:
        >>> meter = LossMeter()
        >>> meter.add(torch.tensor(1.0), 2)
        >>> meter.add(torch.tensor([2.0, 3.0]))
        >>> Sums(*meter.rows(torch.device("cpu"))[0].tolist()).mean
        1.75
    """

    def __init__(self) -> None:
        self._losses: list[Tensor] = []
        self._counts: list[float | Tensor] = []
        self._elements = 0
        self._rows: Tensor | None = None
        self._ends: list[int] = []

    @property
    def batches(self) -> int:
        """How many batches the window has so far."""
        return (self._ends[-1] if self._ends else 0) + len(self._losses)

    def add(self, loss: Tensor, n: float | Tensor = 1.0) -> None:
        """Take a batch's loss: its mean with the number of samples, or one loss a sample.

        Args:
            loss: Detached and not to be changed afterwards: `()`, or `(samples,)`.
            n: Weight of a mean; for `(samples,)` the weight of each sample. What weighs nothing
                is left out, whatever its loss.
        """
        self._losses.append(loss)
        self._counts.append(n)
        self._elements += loss.numel() if loss.ndim else 1
        if len(self._losses) >= FLUSH_BATCHES or self._elements >= FLUSH_ELEMENTS:
            self.flush()

    def rows(self, device: torch.device, bins: int = 1) -> Tensor:
        """Sum the window in bins of equal shares of its batches.

        Returns:
            `(bins, 8)`, float64 where the device has it, in the order of `Sums`; the position
            of a unit counts batches, and is to be divided by `batches`.
        """
        self.flush()
        if self._rows is None:
            return torch.zeros(bins, WIDTH, dtype=wide_dtype(device), device=device)
        parts = self._rows.split(self._shares(bins))
        return torch.stack([part.sum(0) for part in parts]).to(device)

    def reset(self) -> None:
        """Begin a new window."""
        self.__init__()  # type: ignore[misc]

    def flush(self) -> None:
        """Turn the buffered losses into rows, without a wait for the device."""
        if not self._losses:
            return
        start = self._ends[-1] if self._ends else 0
        rows = _batch_rows(self._losses, self._counts, start)
        self._losses, self._counts, self._elements = [], [], 0
        for part in rows.split(_steps(len(self._ends), len(rows))):
            self._append(part)

    def _append(self, rows: Tensor) -> None:
        start = self._ends[-1] if self._ends else 0
        self._rows = rows if self._rows is None else torch.cat([self._rows.to(rows.device), rows])
        self._ends.extend(range(start + 1, start + len(rows) + 1))
        if len(self._ends) == MOST_ROWS:
            self._rows = self._rows.view(MOST_ROWS // 2, 2, WIDTH).sum(1)
            self._ends = self._ends[1::2]

    def _shares(self, bins: int) -> list[int]:
        """Count the rows whose middle lies in each bin."""
        counts = [0] * bins
        for start, end in pairwise([0, *self._ends]):
            counts[(start + end) * bins // (2 * self.batches)] += 1
        return counts

    def state(self) -> tuple[list[list[float]], list[int]]:
        """Give the window so far, its rows and where each ends; this waits for the device."""
        self.flush()
        return ([] if self._rows is None else self._rows.tolist()), list(self._ends)

    def load(self, rows: Sequence[Sequence[float]], ends: Sequence[int]) -> None:
        """Continue a window from its state."""
        self.reset()
        self._ends = list(ends)
        self._rows = torch.tensor(rows, dtype=torch.float64) if rows else None


def _steps(used: int, rows: int) -> list[int]:
    """Cut new rows so that the store is full exactly at a cut, however often it was flushed."""
    cuts = []
    while rows:
        part = min(MOST_ROWS - used, rows)
        cuts.append(part)
        rows -= part
        used = MOST_ROWS // 2 if used + part == MOST_ROWS else used + part
    return cuts


def _batch_rows(losses: list[Tensor], counts: list[float | Tensor], start: int) -> Tensor:
    """Sum each batch's loss into a row: `(batches, 8)`."""
    values, weights = _laid_out(losses, counts)
    there = weights > 0
    values = values.where(there, 0.0)
    weighted = weights * values
    order = torch.arange(start, start + len(losses), dtype=values.dtype, device=values.device)
    n = weights.sum(1)
    columns = [
        n,
        weighted.sum(1),
        (weights * weights).sum(1),
        (weights * weighted).sum(1),
        (weighted * weighted).sum(1),
        there.sum(1).to(values.dtype),
        (~values.isfinite()).sum(1).to(values.dtype),
        n * (order + 0.5),
    ]
    return torch.stack(columns, 1)


def _laid_out(losses: list[Tensor], counts: list[float | Tensor]) -> tuple[Tensor, Tensor]:
    """Lay losses and weights out as `(batches, longest)`; what is padding weighs nothing."""
    device = losses[0].device
    dtype = wide_dtype(device)
    if any(loss.device != device for loss in losses):
        losses = [loss.to(device, non_blocking=True) for loss in losses]
    weights = _to_device(counts, device)[:, None]
    if len({loss.shape for loss in losses}) == 1:
        values = torch.stack(losses).reshape(len(losses), -1).to(dtype)
        return values, weights.expand_as(values)
    lengths: list[float | Tensor] = [float(loss.numel()) for loss in losses]
    values = pad_sequence([loss.reshape(-1).to(dtype) for loss in losses], batch_first=True)
    columns = torch.arange(values.shape[1], device=device)
    return values, weights * (columns < _to_device(lengths, device)[:, None])


def _to_device(numbers: list[float | Tensor], device: torch.device) -> Tensor:
    """Bring numbers to the device without a wait: equal ones as a fill, others pinned."""
    dtype = wide_dtype(device)
    if any(isinstance(number, Tensor) for number in numbers):
        tensors = [torch.as_tensor(number, dtype=dtype) for number in numbers]
        return torch.stack([tensor.to(device, non_blocking=True) for tensor in tensors])
    if len(set(numbers)) == 1:
        return torch.full((len(numbers),), float(numbers[0]), dtype=dtype, device=device)
    pinned = torch.tensor(numbers, dtype=dtype, pin_memory=device.type == "cuda")
    return pinned.to(device, non_blocking=True)


def wide_dtype(device: torch.device) -> torch.dtype:
    """The widest float that a device has."""
    return torch.float32 if device.type == "mps" else torch.float64
