"""Digests of what a dataset holds, by index."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeGuard

import torch
from torch.utils.data import IterableDataset, Subset, TensorDataset

from lightning_gapmon.collect.overlap.content import digest, row_digests

Key = Callable[[Any], object]


class Indexed(Protocol):
    """A map-style dataset."""

    def __len__(self) -> int:
        """Count the samples."""
        ...

    def __getitem__(self, index: int, /) -> object:
        """Give a sample."""
        ...


def is_indexed(dataset: object) -> TypeGuard[Indexed]:
    """Tell whether a dataset has a length and gives a sample for an index."""
    needed = hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")
    return needed and not isinstance(dataset, IterableDataset)


def inputs(sample: Any) -> Any:  # noqa: ANN401 - whatever a dataset gives
    """Take the first element of a tuple or list, the usual place of the inputs, else all of it.

    A label does not leak, and the same input under two labels is a leak all the same: so in a
    sample `(x, y)` it is `x` that is compared.

    Example:
        >>> inputs(("an image", 7)), inputs({"text": "as it is"})
        ('an image', {'text': 'as it is'})
    """
    return sample[0] if isinstance(sample, (tuple, list)) and sample else sample


def fingerprints(dataset: Indexed, indices: Sequence[int], *, key: Key = inputs) -> list[bytes]:
    """Give the digest of each of these samples.

    The inputs of a `TensorDataset`, and of subsets of it, are read as one tensor.
    """
    if key is inputs:
        base, places = _unwrapped(dataset, indices)
        if type(base) is TensorDataset:
            rows = base.tensors[0]
            return row_digests(rows[torch.as_tensor(places, dtype=torch.long, device=rows.device)])
    return [digest(key(dataset[index])) for index in indices]


def _unwrapped(dataset: object, indices: Sequence[int]) -> tuple[object, Sequence[int]]:
    """Look through subsets, such as those of `random_split`."""
    while type(dataset) is Subset:
        held = dataset.indices
        dataset, indices = dataset.dataset, [int(held[index]) for index in indices]
    return dataset, indices
