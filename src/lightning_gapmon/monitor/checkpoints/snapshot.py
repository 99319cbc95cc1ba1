"""The best check's weights, kept in memory."""

import torch
from torch import Tensor, nn


class Snapshot:
    """A copy of a module's parameters and buffers on the host, this rank's shards only.

    No file, no collective, no format: it is the same under every strategy. There is one copy,
    which is written over; where the module is on a GPU it is pinned, so that it is quick.

    Attributes:
        check: Whose weights these are; None before the first.
    """

    def __init__(self) -> None:
        self.check: int | None = None
        self._kept: dict[str, Tensor] = {}

    def take(self, module: nn.Module, check: int) -> None:
        """Copy what the module holds now, as the weights of a check."""
        held = _held(module)
        self._kept = {name: _copied(value, self._kept.get(name)) for name, value in held.items()}
        for device in {value.device for value in held.values() if value.is_cuda}:
            torch.cuda.current_stream(device).synchronize()
        self.check = check

    def misfit(self, module: nn.Module) -> str:
        """Say what of the module is not as it was when it was copied; "" if it all is."""
        held = _held(module)
        for name in [*held, *self._kept]:
            if name not in self._kept:
                return f"{name} has come since then"
            if name not in held:
                return f"{name} has gone since then"
            before, now = tuple(self._kept[name].shape), tuple(held[name].shape)
            if before != now:
                return f"{name} had the shape {before} then and has {now} now"
        return ""

    @torch.no_grad()
    def put_back(self, module: nn.Module) -> None:
        """Write the kept values into the module's own tensors, which they fit."""
        for name, value in _held(module).items():
            value.copy_(self._kept[name])


def _copied(value: Tensor, room: Tensor | None) -> Tensor:
    """Copy to the host, into the room that there is."""
    if room is None or room.shape != value.shape or room.dtype != value.dtype:
        room = torch.empty(value.shape, dtype=value.dtype, pin_memory=value.is_cuda)
    return room.copy_(value, non_blocking=True)


def _held(module: nn.Module) -> dict[str, Tensor]:
    """Name this rank's part of each parameter and buffer."""
    _reshard(module)
    named = dict(module.named_parameters()) | dict(module.named_buffers())
    return {name: _local(value.detach()) for name, value in named.items()}


def _reshard(module: nn.Module) -> None:
    """Free what FSDP2 gathered for the last forward: until then its parameters are whole ones."""
    for part in module.modules():
        # By name: the class has moved between torch 2.4 and 2.6, and needs torch.distributed.
        if any(kind.__name__ == "FSDPModule" for kind in type(part).__mro__):
            part.reshard()  # type: ignore[operator]


def _local(value: Tensor) -> Tensor:
    to_local = getattr(value, "to_local", None)  # a DTensor's own shard
    return value if to_local is None else to_local()
