"""What a loader serves of its dataset, as something that can be read by index."""

from typing import Any

from torch.utils.data import (
    DataLoader,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
)

from lightning_gapmon.collect.apart import Served
from lightning_gapmon.monitor.compat import own_sampler

_ALL = (SequentialSampler, RandomSampler, DistributedSampler)  # these draw from all samples


def served(loader: Any) -> Served:  # noqa: ANN401 - whatever serves as a loader
    """Give the dataset behind a loader, or the part that its sampler draws from.

    One dataset is often split by two `SubsetRandomSampler`s.
    """
    dataset = getattr(loader, "dataset", loader)
    sampler = own_sampler(loader)
    if isinstance(sampler, SubsetRandomSampler):
        dataset = Subset(dataset, sampler.indices)
    return Served(dataset, loader if isinstance(loader, DataLoader) else None)


def shows_all(loader: Any) -> bool:  # noqa: ANN401
    """Tell whether a loader is known to serve all of `served`, in batches that others can make."""
    if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset):
        return False
    if loader.batch_size is None and loader.batch_sampler is not None:
        return False
    return type(own_sampler(loader)) in (*_ALL, SubsetRandomSampler)
