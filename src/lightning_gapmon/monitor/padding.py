"""Samples that a distributed sampler repeats so that all ranks have equally many."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor


class Padding:
    """Knows which validation samples of this rank are repeats, and leaves them out.

    `DistributedSampler` puts its `k`-th sample of rank `r` at position `r + k * ranks` of a list
    that it filled up with repeats at the end: at most one a rank.
    """

    def __init__(self) -> None:
        self._samplers: list[Any] = []
        self._seen: dict[int, int] = {}
        self.left_out = False

    def watch(self, loaders: Any) -> None:  # noqa: ANN401 - a loader, or a collection of them
        """Look at the samplers of the validation loaders."""
        self._samplers = [_padded_sampler(loader) for loader in flat(loaders)]

    @property
    def repeats(self) -> int:
        """How many samples are repeats, over all ranks and loaders."""
        return sum(s.total_size - len(s.dataset) for s in self._samplers if s is not None)

    def without(self, losses: Tensor, loader: int) -> Tensor:
        """Cut the repeats off a batch of losses, one a sample: `(samples,)`."""
        sampler = self._samplers[loader] if loader < len(self._samplers) else None
        if sampler is None:
            return losses
        self.left_out = True
        start = self._seen.get(loader, 0)
        self._seen[loader] = start + len(losses)
        own = -((sampler.rank - len(sampler.dataset)) // sampler.num_replicas)
        return losses[: max(0, own - start)]

    def reset(self) -> None:
        """Begin a new pass over the loaders."""
        self._seen.clear()


def flat(loaders: Any) -> list[Any]:  # noqa: ANN401
    """List the loaders of a collection of them, or of one."""
    if isinstance(loaders, Mapping):
        return list(loaders.values())
    return list(loaders) if isinstance(loaders, (list, tuple)) else [loaders]


def _padded_sampler(loader: Any) -> Any:  # noqa: ANN401 - whatever serves as a loader
    sampler = getattr(loader, "sampler", None)
    needed = ("rank", "num_replicas", "total_size", "dataset")
    if all(hasattr(sampler, name) for name in needed) and not getattr(sampler, "drop_last", False):
        return sampler
    return None
