"""A mean that costs a step a few microseconds and never waits for the device."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from lightning_gapmon.collect.meter.buffer import Buffer
from lightning_gapmon.collect.meter.rows import in_order, wide_dtype
from lightning_gapmon.collect.meter.sums import WIDTH, Sums  # noqa: F401 - Sums is for the example

MOST_ROWS = 1024


class LossMeter:
    """Collect the losses of a window, batch by batch, and sum them on their device.

    A batch's loss is copied into a buffer; a thousand at a time are turned into rows of sums,
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
        self._buffer = Buffer()
        self._rows: Tensor | None = None
        self._ends: list[int] = []

    @property
    def batches(self) -> int:
        """How many batches the window has so far."""
        return (self._ends[-1] if self._ends else 0) + len(self._buffer)

    def add(self, loss: Tensor, n: float | Tensor = 1.0) -> None:
        """Take a batch's loss: its mean with the number of samples, or one loss a sample.

        Args:
            loss: `()`, or `(samples,)`; it may change afterwards.
            n: Weight of a mean; for `(samples,)` the weight of each sample. What weighs nothing
                is left out, whatever its loss.
        """
        if self._buffer.add(loss, n):
            self.flush()

    def rows(self, device: torch.device, bins: int = 1) -> Tensor:
        """Sum the window in bins of equal shares of its batches.

        Returns:
            `(bins, 12)`, float64 where the device has it, in the order of `Sums`; the position
            of a unit counts batches, and is to be divided by `batches`.
        """
        self.flush()
        if self._rows is None:
            return torch.zeros(bins, WIDTH, dtype=wide_dtype(device), device=device)
        parts = self._rows.split(self._shares(bins))
        return torch.stack([part.sum(0) for part in parts]).to(device)

    def reset(self) -> None:
        """Begin a new window, with no room until a loss comes: many meters hear but one."""
        self._buffer = Buffer()
        self._rows, self._ends = None, []

    def flush(self) -> None:
        """Turn the buffered losses into rows, without a wait for the device."""
        if not len(self._buffer):
            return
        start = self._ends[-1] if self._ends else 0
        rows = in_order(self._buffer.take(), start)
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
