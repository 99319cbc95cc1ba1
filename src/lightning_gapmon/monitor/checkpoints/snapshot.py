"""The best check's weights, kept in memory and put back after fit."""

import torch
from torch import Tensor, nn


class Snapshot:
    """A copy of a module's parameters and buffers on the host, this rank's shards only.

    No file, no collective, no format: it is the same under every strategy.
    """

    def __init__(self) -> None:
        self.check: int | None = None
        self._kept: dict[str, Tensor] = {}

    def take(self, module: nn.Module, check: int) -> None:
        """Copy what the module holds now, as the weights of a check."""
        self._kept = {name: _local(value).cpu().clone() for name, value in _named(module).items()}
        self.check = check

    @torch.no_grad()
    def put_back(self, module: nn.Module) -> None:
        """Write the kept values into the module's own tensors."""
        for name, value in _named(module).items():
            _local(value).copy_(self._kept[name])


def _named(module: nn.Module) -> dict[str, Tensor]:
    _reshard(module)
    named = dict(module.named_parameters()) | dict(module.named_buffers())
    return {name: value.detach() for name, value in named.items()}


def _reshard(module: nn.Module) -> None:
    """Free what FSDP2 gathered for the last forward: until then its parameters are whole ones."""
    for part in module.modules():
        # By name: the class has moved between torch 2.4 and 2.6, and needs torch.distributed.
        if any(kind.__name__ == "FSDPModule" for kind in type(part).__mro__):
            part.reshard()  # type: ignore[operator]


def _local(value: Tensor) -> Tensor:
    to_local = getattr(value, "to_local", None)  # a DTensor's own shard
    return value if to_local is None else to_local()
