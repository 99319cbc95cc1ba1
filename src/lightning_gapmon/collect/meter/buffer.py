"""Where losses wait, so that a step does next to nothing with them."""

import torch
from torch import Tensor

from lightning_gapmon.collect.meter.rows import Block, on_device, side_by_side, wide_dtype

FLUSH_BATCHES = 1024
FLUSH_ELEMENTS = 1 << 16
FIRST_ROOM = 32  # of what hears more, the room is made for a thousand: half a megabyte on the host


class Buffer:
    """The losses of up to a thousand batches with their weights, in the order they came.

    Means are copied into room made ahead, for a new tensor takes longer and, being kept, leaves
    the next step to cold memory. Losses of several samples are copied one by one; once there are
    some, whatever follows joins them.
    """

    def __init__(self) -> None:
        self._room = torch.empty(0)
        self._slots: tuple[Tensor, ...] = ()
        self._device: int | None = None
        self._losses: list[Tensor] = []
        self._counts: list[float | Tensor] = []
        self._elements = 0

    def __len__(self) -> int:
        """Count the batches that wait."""
        return len(self._counts)

    def __getstate__(self) -> dict[str, object]:
        """Leave the empty room out of copies and pickles."""
        self._use_list()
        return {**vars(self), "_room": torch.empty(0), "_slots": (), "_device": None}

    def add(self, loss: Tensor, n: float | Tensor) -> bool:
        """Copy a loss, `()` or `(samples,)`, without a wait for the device.

        Returns:
            Whether what waits is to be taken now.
        """
        if loss.ndim or self._losses or loss.get_device() != self._device:
            self._add_apart(loss)
        else:
            if len(self._counts) == len(self._slots):
                self._make_room(loss.device, FLUSH_BATCHES)
            self._slots[len(self._counts)].copy_(loss.data if loss.requires_grad else loss)
        self._counts.append(n)
        return len(self._counts) >= FLUSH_BATCHES or self._elements >= FLUSH_ELEMENTS

    def _add_apart(self, loss: Tensor) -> None:
        if self._counts or loss.ndim:
            self._use_list()
            self._losses.append(loss.detach().clone())
            self._elements += loss.numel()
        else:
            self._make_room(loss.device, min(FIRST_ROOM, FLUSH_BATCHES))
            self._slots[0].copy_(loss.data)

    def _make_room(self, device: torch.device, size: int) -> None:
        """Make room, for what is there already too."""
        held = self._room[: len(self._counts)]
        with torch.inference_mode(mode=False):  # else it could be written to in there alone
            self._room = torch.empty(size, dtype=wide_dtype(device), device=device)
            self._room[: len(held)].copy_(held)
        self._slots = self._room.unbind()
        self._device = self._room.get_device()

    def _use_list(self) -> None:
        if not self._losses:
            self._losses = list(self._room[: len(self._counts)].clone().unbind())

    def take(self) -> list[Block]:
        """Give what waits, to be read before the next `add`, and begin anew."""
        if self._losses:
            blocks = side_by_side(self._losses, self._counts)
        else:
            values = self._room[: len(self._counts), None]
            weights = on_device(self._counts, values.device)[:, None]
            blocks = [Block(range(len(self._counts)), values, weights)]
        self.clear()
        return blocks

    def clear(self) -> None:
        """Forget what waits."""
        self._losses, self._counts, self._elements = [], [], 0
