"""Samples that a distributed sampler repeats so that all ranks have equally many."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.utils.data import BatchSampler

# Whose samplers follow each other as torch's: Lightning wraps a sampler of the user's in one.
_KNOWN = ("torch", "lightning", "lightning_fabric")


class Padding:
    """Knows which validation samples of this rank are repeats, and leaves them out.

    `DistributedSampler` puts its `k`-th sample of rank `r` at position `r + k * ranks` of a list
    that it filled up with repeats at the end: at most one a rank.
    """

    def __init__(self) -> None:
        self._samplers: list[Any] = []
        self._known: list[bool] = []
        self._sizes: list[int] = []
        self._batches: Counter[int] = Counter()
        self._left_out: set[int] = set()
        self._other: set[int] = set()

    def watch(self, loaders: Any) -> None:  # noqa: ANN401 - a loader, or a collection of them
        """Look at the samplers of the validation loaders."""
        several = flat(loaders)
        self._samplers = [_padded_sampler(loader) for loader in several]
        self._known = [_is_in_order(loader) for loader in several]
        self._sizes = [getattr(loader, "batch_size", None) or 1 for loader in several]

    @property
    def repeats(self) -> int:
        """How many samples are repeats that were not left out, over all ranks and loaders."""
        clean = self._left_out - self._other
        return sum(
            sampler.total_size - len(sampler.dataset)
            for loader, sampler in enumerate(self._samplers)
            if sampler is not None and loader not in clean
        )

    @property
    def batches(self) -> int:
        """How many batches this pass has had so far, over all loaders."""
        return self._batches.total()

    def begin_batch(self, loader: int) -> None:
        """Count a batch, of whose losses nothing may come."""
        self._batches[loader] += 1

    def without(self, losses: Tensor, loader: int) -> Tensor:
        """Cut the repeats off a batch of losses where there is one a sample, `(samples,)`.

        Losses that are more or fewer than the batch's samples (one a token, two views, a mask)
        do not show which of them are a repeat's, and are left alone.
        """
        sampler = self._samplers[loader] if loader < len(self._samplers) else None
        if sampler is None or not self._known[loader]:
            return losses
        size = self._sizes[loader]
        start = (self._batches[loader] - 1) * size
        if len(losses) != min(size, sampler.num_samples - start):
            self._other.add(loader)
            return losses
        self._left_out.add(loader)
        own = -((sampler.rank - len(sampler.dataset)) // sampler.num_replicas)
        return losses[: max(0, own - start)]

    def reset(self) -> None:
        """Begin a new pass over the loaders."""
        self._batches.clear()


def flat(loaders: Any) -> list[Any]:  # noqa: ANN401
    """List the loaders of a collection of them, nested or not, or of one.

    Example:
        >>> flat({"a": ["one", "two"], "b": ["three"]})
        ['one', 'two', 'three']
    """
    if isinstance(loaders, Mapping):
        return flat(list(loaders.values()))
    if isinstance(loaders, (list, tuple)):
        return [loader for part in loaders for loader in flat(part)]
    return [loaders]


def _padded_sampler(loader: Any) -> Any:  # noqa: ANN401 - whatever serves as a loader
    sampler = getattr(getattr(loader, "batch_sampler", None), "sampler", None)
    needed = ("rank", "num_replicas", "total_size", "dataset")
    if all(hasattr(sampler, name) for name in needed) and not getattr(sampler, "drop_last", False):
        return sampler
    return None


def _is_in_order(loader: Any) -> bool:  # noqa: ANN401
    """Tell whether samples come as `DistributedSampler` gives them, batch after batch."""
    batches = getattr(loader, "batch_sampler", None)
    order = getattr(type(getattr(batches, "sampler", None)), "__iter__", None)
    home = getattr(order, "__module__", "").partition(".")[0]
    return type(batches) is BatchSampler and home in _KNOWN
