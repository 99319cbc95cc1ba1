"""Rows of sums, one a batch, made on the device of its losses and without a wait for it."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence


class Block(NamedTuple):
    """Batches of about the same length, side by side.

    Attributes:
        places: Where each stands among those that waited together.
        values: Losses, `(batches, length)`.
        weights: Their weights, likewise; what is padding weighs nothing.
    """

    places: Sequence[int]
    values: Tensor
    weights: Tensor


def in_order(blocks: Sequence[Block], start: int) -> Tensor:
    """Sum the batches of all blocks into rows, in the order in which they came: `(batches, 12)`.

    Args:
        blocks: At least one.
        start: How many batches the window had before.
    """
    rows = torch.cat([_batch_rows(block, start) for block in blocks])
    if len(blocks) == 1:
        return rows
    places = [place for block in blocks for place in block.places]
    back: list[float | Tensor] = [0.0] * len(places)
    for row, place in enumerate(places):
        back[place] = float(row)
    return rows[on_device(back, rows.device).long()]


def _batch_rows(block: Block, start: int) -> Tensor:
    """Sum each batch into a row, in the order of `Sums`: `(batches, 12)`."""
    values, weights = block.values, block.weights
    there = weights > 0
    values = values.where(there, 0.0)
    weighted, squares = weights * values, weights * weights
    order = start + _places(block)
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


def _places(block: Block) -> Tensor:
    device = block.values.device
    if isinstance(block.places, range):
        return torch.arange(len(block.places), dtype=wide_dtype(device), device=device)
    return on_device([float(place) for place in block.places], device)


def side_by_side(losses: list[Tensor], counts: list[float | Tensor]) -> list[Block]:
    """Lay losses and weights out, those of about the same length together.

    Each is padded to the next power of two: so a long one among short ones costs its own length
    and not that of all, and a batch's sum is to the last bit the same whatever came beside it.
    """
    device = losses[0].device
    if any(loss.device != device for loss in losses):
        losses = [loss.to(device, non_blocking=True) for loss in losses]
    widths = [1 << (loss.numel() - 1).bit_length() for loss in losses]
    together: dict[int, list[int]] = {}
    for place, width in enumerate(widths):
        together.setdefault(width, []).append(place)
    if len(together) == 1:
        return [_block(range(len(losses)), losses, counts, widths[0])]
    return [
        _block(places, [losses[i] for i in places], [counts[i] for i in places], width)
        for width, places in together.items()
    ]


def _block(
    places: Sequence[int], losses: list[Tensor], counts: list[float | Tensor], width: int
) -> Block:
    device = losses[0].device
    dtype = wide_dtype(device)
    weights = on_device(counts, device)[:, None]
    lengths: list[float | Tensor] = [float(loss.numel()) for loss in losses]
    if len({loss.shape for loss in losses}) == 1:
        values = torch.stack(losses).reshape(len(losses), -1).to(dtype)
    else:
        values = pad_sequence([loss.reshape(-1).to(dtype) for loss in losses], batch_first=True)
    values = pad(values, (0, width - values.shape[1]))
    columns = torch.arange(width, device=device)
    return Block(places, values, weights * (columns < on_device(lengths, device)[:, None]))


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
