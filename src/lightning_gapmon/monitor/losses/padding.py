"""Samples that a distributed sampler repeats so that all ranks have equally many."""

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
        self._seen: dict[int, int] = {}
        self._left_out: set[int] = set()
        self._unclear: set[int] = set()

    def watch(self, loaders: Any) -> None:  # noqa: ANN401 - a loader, or a collection of them
        """Look at the samplers of the validation loaders."""
        several = flat(loaders)
        self._samplers = [_padded_sampler(loader) for loader in several]
        self._known = [_is_in_order(loader) for loader in several]

    @property
    def repeats(self) -> int:
        """How many samples are repeats that were not left out, over all ranks and loaders."""
        return sum(
            sampler.total_size - len(sampler.dataset)
            for loader, sampler in enumerate(self._samplers)
            if sampler is not None and loader not in self._left_out - self._unclear
        )

    def concerns(self, loader: int) -> bool:
        """Tell whether a loader may have repeats, and it is known where."""
        known = loader < len(self._samplers) and self._known[loader]
        return known and self._samplers[loader] is not None

    def without(self, losses: Tensor, loader: int, samples: int | None) -> Tensor:
        """Cut the repeats off a batch of losses, one a sample: `(samples,)`.

        Others (one a token, some left out, two views of each) do not show which are a sample's,
        and stay as they are.

        Args:
            losses: As the module gave them.
            loader: The number of the loader.
            samples: How many the batch has; None where it does not show that.
        """
        if not self.concerns(loader):
            return losses
        start = self._seen.get(loader, 0)
        self._seen[loader] = start + (samples or 0)
        if samples != len(losses):
            self._unclear.add(loader)
            return losses
        sampler = self._samplers[loader]
        self._left_out.add(loader)
        own = -((sampler.rank - len(sampler.dataset)) // sampler.num_replicas)
        return losses[: max(0, own - start)]

    def reset(self) -> None:
        """Begin a new pass over the loaders."""
        self._seen.clear()


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
