"""Digests by index, read at once where the data are tensors."""

import torch
from torch.utils.data import Subset, TensorDataset

from lightning_gapmon.collect.overlap.digest import fingerprints


def test_subset_reads_the_samples_of_its_indices() -> None:
    """Subsets of subsets of tensors are read at once, with the digests of their samples."""
    base = TensorDataset(torch.arange(40.0).reshape(10, 4), torch.arange(10))
    inner = Subset(Subset(base, [9, 3, 5, 7]), [2, 0])

    assert fingerprints(inner, [0, 1]) == fingerprints(base, [5, 9])
    assert fingerprints(inner, [1]) == fingerprints([base[9]], [0])
