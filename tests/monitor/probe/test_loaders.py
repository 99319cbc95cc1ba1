"""What the probe reads of the training data: what was trained on, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.fabric.utilities.distributed import DistributedSamplerWrapper
from tests.fits import Net, fit, loader
from torch import Tensor
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from lightning_gapmon import GapMonitor
from lightning_gapmon.monitor.probe.loaders import served, shows_all

DATA = TensorDataset(torch.arange(1.0, 21.0))
TEN = set(map(float, range(1, 11)))  # the first half
BATCHES = BatchSampler(RandomSampler(DATA), 4, drop_last=False)


class Read:
    """What was read; the probe takes it out of a module's own sets again, but not out of this."""

    def __init__(self) -> None:
        self.samples: set[float] = set()
        self.sizes: set[int] = set()


class Reading(Net):
    """Notes the sizes and the samples that it is probed with; validation is all zeros."""

    def __init__(self) -> None:
        super().__init__(lr=0.0)
        self.read = Read()

    def loss_step(self, batch: Any) -> Tensor:  # noqa: ANN401 - a batch, or several
        """Give one loss a sample."""
        batch = batch["a"] if isinstance(batch, dict) else batch
        if not self.training and batch[0].any():
            self.read.samples.update(batch[0].tolist())
            self.read.sizes.add(len(batch[0]))
        return super().loss_step(batch)  # type: ignore[no-any-return]


class Batches:
    """Serves batches of three, and is no `DataLoader`."""

    def __iter__(self) -> Iterator[list[Tensor]]:
        """Give two."""
        return iter([[torch.ones(3)], [torch.ones(3)]])


def _probed(
    folder: Path,
    probe: Any,  # noqa: ANN401 - whatever a monitor takes
    train: Any,  # noqa: ANN401 - whatever serves
    **settings: Any,  # noqa: ANN401 - for the Trainer
) -> tuple[set[float], set[int]]:
    module = Reading()
    monitor = GapMonitor(stop=None, summary=False, probe=probe)
    fit(module, folder, monitor, train=train, val=loader(torch.zeros(4)), **settings)
    return module.read.samples, module.read.sizes


@pytest.mark.parametrize(
    ("train", "settings"),
    [
        (DataLoader(DATA, 2, sampler=SubsetRandomSampler(range(10))), {}),
        (DataLoader(DATA, 2, sampler=WeightedRandomSampler([1.0] * 10 + [0.0] * 10, 10)), {}),
        (DataLoader(DATA, 2), {"limit_train_batches": 5}),
        (DataLoader(DATA, 2), {"overfit_batches": 5}),
    ],
)
def test_what_is_not_trained_on_is_not_probed(
    train: DataLoader[Any], settings: dict[str, Any], tmp_path: Path
) -> None:
    """Neither what a sampler leaves out nor what lies past a limit."""
    samples, sizes = _probed(tmp_path, 20, train, **settings)

    assert samples <= TEN
    assert len(samples) > 2
    assert sizes == {2}


@pytest.mark.parametrize(
    ("probe", "train", "size"),
    [
        (DATA, {"a": loader(8, batch_size=5)}, 5),
        (DATA, DataLoader(DATA, batch_sampler=BATCHES), 4),
        (DataLoader(DATA, batch_sampler=BATCHES), loader(8), 4),
        (DATA, Batches(), 4),
    ],
)
def test_data_of_ones_own_come_in_batches(
    probe: Any,  # noqa: ANN401 - a loader or a dataset
    train: Any,  # noqa: ANN401 - whatever serves
    size: int,
    tmp_path: Path,
) -> None:
    """As large as those of the loader that was given, else of training, else of validation."""
    samples, sizes = _probed(tmp_path, probe, train)

    assert samples == {float(value) for value in DATA.tensors[0]}
    assert sizes == {size}


def test_a_part_is_seen_through_lightnings_wrapper() -> None:
    """On several ranks Lightning wraps a sampler; what it draws from is found all the same."""
    inner = SubsetRandomSampler(range(3, 9))
    wrapped = DistributedSamplerWrapper(inner, num_replicas=2, rank=0)
    wrapping = DataLoader(DATA, 2, sampler=wrapped)

    assert [value.item() for (value,) in served(wrapping).data] == list(range(4, 10))
    assert shows_all(wrapping)
    assert not shows_all(DataLoader(DATA, 2, sampler=list(range(3))))
