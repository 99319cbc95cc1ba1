"""Rows of sums, one a batch, made on the device of its losses and without a wait for it."""

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


def batch_rows(values: Tensor, weights: Tensor, start: int) -> Tensor:
    """Sum each batch into a row, in the order of `Sums`: `(batches, 12)`.

    Args:
        values: Losses, `(batches, longest)`.
        weights: Their weights, likewise; what weighs nothing is left out, whatever its loss.
        start: How many batches the window had before.
    """
    there = weights > 0
    values = values.where(there, 0.0)
    weighted, squares = weights * values, weights * weights
    order = torch.arange(start, start + len(values), dtype=values.dtype, device=values.device)
    n = weights.sum(1)
    columns = [
        n,
        weighted.sum(1),
        squares.sum(1),
        (weights * weighted).sum(1),
        (weighted * weighted).sum(1),
        (squares * weights).sum(1),
        (squares * weighted).sum(1),
        (weights * weighted * weighted).sum(1),
        (weighted * weighted * weighted).sum(1),
        there.sum(1).to(values.dtype),
        (~values.isfinite()).sum(1).to(values.dtype),
        n * (order + 0.5),
    ]
    return torch.stack(columns, 1)


def side_by_side(losses: list[Tensor], counts: list[float | Tensor]) -> tuple[Tensor, Tensor]:
    """Lay losses and weights out as `(batches, longest)`; what is padding weighs nothing."""
    device = losses[0].device
    dtype = wide_dtype(device)
    if any(loss.device != device for loss in losses):
        losses = [loss.to(device, non_blocking=True) for loss in losses]
    weights = on_device(counts, device)[:, None]
    if len({loss.shape for loss in losses}) == 1:
        values = torch.stack(losses).reshape(len(losses), -1).to(dtype)
        return values, weights.expand_as(values)
    lengths: list[float | Tensor] = [float(loss.numel()) for loss in losses]
    values = pad_sequence([loss.reshape(-1).to(dtype) for loss in losses], batch_first=True)
    columns = torch.arange(values.shape[1], device=device)
    return values, weights * (columns < on_device(lengths, device)[:, None])


def on_device(numbers: list[float | Tensor], device: torch.device) -> Tensor:
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
