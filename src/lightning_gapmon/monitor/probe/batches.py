"""Which training batches the probe reads: fixed, within a budget, shared out over the ranks."""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader, Dataset, Subset as Part

from lightning_gapmon.monitor.compat import data_parallel
from lightning_gapmon.monitor.losses.padding import flat
from lightning_gapmon.monitor.probe.loaders import served, shows_all

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from lightning_gapmon.monitor.checks.rank_zero import RankZero

SEED = 0


@dataclass(frozen=True, slots=True)
class Budget:
    """How much the probe may read: so many batches a rank, or a share of validation's time."""

    batches: int | None = None
    share: float | None = None


class Subset:
    """The probe's batches: the same at every check.

    Data that can be read by index give the same batches after a resume too. Of a stream, or of a
    loader that serves a part nobody can know, the first batches of this process are kept.

    Args:
        budget: How much to read; None reads all of the user's own data.
        data: A loader or a dataset of the user's own; by default the training data.
    """

    def __init__(
        self, budget: Budget, data: "DataLoader[Any] | Dataset[Any] | None" = None
    ) -> None:
        self.budget, self.data = budget, data
        self.used = budget.batches or 1
        self.seconds = self.read = 0.0
        self._validated, self._checks = 0.0, 0
        self._kept: list[object] = []
        self._keeps: bool | None = None
        self._loader: DataLoader[Any] | None = None

    def keep(self, trainer: "Trainer", batch: object) -> None:
        """Keep a batch that is being trained on, where the data cannot be asked for it again."""
        if self._from_kept(trainer) and len(self._kept) < self.used:
            self._kept.append(batch)

    def batches(self, trainer: "Trainer") -> Iterator[tuple[object, bool]]:
        """Go through the batches, each with whether it is still to be brought to the device."""
        start = time.monotonic()
        kept = self._from_kept(trainer)
        for batch in itertools.islice(
            self._kept if kept else self._indexed(trainer), self._most()
        ):
            yield batch, not kept
            self.read += 1
        self.seconds += time.monotonic() - start

    def fit_budget(self, rank_zero: "RankZero") -> None:
        """Choose how much to read from now on, by times that all ranks agree on."""
        self._validated += rank_zero.validating
        self._checks += 1
        if self.budget.share is not None and rank_zero.probing:
            a_check = self.budget.share * self._validated / self._checks
            self.used = max(1, int(a_check * rank_zero.probed / rank_zero.probing))

    def resume(self, used: int) -> None:
        """Read as much as before the resume at once, where that follows the budget's share."""
        if self.budget.share is not None and used:
            self.used = used

    def _from_kept(self, trainer: "Trainer") -> bool:
        """Tell, the same for the whole fit, whether to read what has been trained on itself."""
        if self._keeps is None:
            loader: Any = trainer.train_dataloader
            whole = shows_all(loader) and trainer.num_training_batches == len(loader)
            self._keeps = self.data is None and not whole
        return self._keeps

    def _most(self) -> int | None:
        return None if self.budget == Budget() else self.used

    def _indexed(self, trainer: "Trainer") -> "DataLoader[Any]":
        """Build the loader of this rank's samples once, with batches like those of training."""
        if self._loader is None:
            data = served(trainer.train_dataloader if self.data is None else self.data)
            like = self._like(trainer, data)
            size = _batch_size(like)
            own = _own_share(data, size or 1, trainer, self.budget.batches)
            self._loader = DataLoader(Part(data, own), batch_size=size, collate_fn=like.collate_fn)
        return self._loader

    def _like(self, trainer: "Trainer", data: Any) -> "DataLoader[Any]":  # noqa: ANN401
        """Find the loader whose batches are to be imitated: the closest to what is read."""
        loaders = [self.data, *flat(trainer.train_dataloader), *flat(trainer.val_dataloaders)]
        return next((one for one in loaders if isinstance(one, DataLoader)), DataLoader(data))


def _own_share(
    dataset: Any,  # noqa: ANN401 - anything with a length
    size: int,
    trainer: "Trainer",
    batches: int | None,
) -> list[int]:
    """Choose this rank's samples: equally many on each, so that every forward has its peers."""
    rank, ranks = data_parallel(trainer)
    shuffled = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(SEED)).tolist()
    most = len(shuffled) if batches is None else batches * size * ranks
    chosen = shuffled[:most]
    return chosen[rank : len(chosen) // ranks * ranks : ranks]


def _batch_size(loader: "DataLoader[Any]") -> int | None:
    """Give the samples in a batch; None where a loader gives samples as they are."""
    if loader.batch_size is None and loader.batch_sampler is not None:
        return int(getattr(loader.batch_sampler, "batch_size", 1))
    return loader.batch_size
