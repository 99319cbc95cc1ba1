"""Which training batches the probe reads: fixed, within an amount, shared out over the ranks."""

import itertools
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader, Dataset, default_collate, default_convert

from lightning_gapmon.collect.apart import SEED, Served, answers, is_plain, opened
from lightning_gapmon.monitor.compat import data_parallel
from lightning_gapmon.monitor.losses.padding import flat
from lightning_gapmon.monitor.probe.loaders import served, shows_all

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from lightning_gapmon.monitor.checks.rank_zero import RankZero

KEPT_BYTES = 1 << 26  # of read batches that are held on the host, to be read but once


@dataclass(frozen=True, slots=True)
class Amount:
    """How much the probe may read: all, so many batches a rank, or a share of validation's time.

    Attributes:
        batches: So many batches a rank.
        share: Of the time that validation takes, from 0 to 1.
    """

    batches: int | None = None
    share: float | None = None


class ProbeBatches:
    """The probe's batches: the same at every check.

    Data that can be read by index give the same batches after a resume too. They are read in a
    process of their own, for nothing that training reads may change by it; what fits is kept, so
    that one reading is enough. Of a stream, or of a loader that serves a part nobody can know,
    copies of the first batches of this process are kept.

    Args:
        amount: How much to read.
        data: A loader or a dataset of the user's own; by default the training data.

    Attributes:
        used: How many batches are read now.
        read: How many have been read so far, at all checks together.
        seconds: The time that took, with what was done with them.
    """

    def __init__(
        self, amount: Amount, data: "DataLoader[Any] | Dataset[Any] | None" = None
    ) -> None:
        self.amount, self.data = amount, data
        self.used = amount.batches or 1
        self.seconds, self.read = 0.0, 0
        self._validated, self._checks = 0.0, 0
        self._trained: list[object] = []
        self._from_training: bool | None = None
        self._held: list[bytes] = []
        self._source: _Source | None = None

    def keep(self, trainer: "Trainer", batch: object) -> None:
        """Keep a copy of a batch that is to be trained on, where it cannot be asked for again."""
        if self._reads_training(trainer) and len(self._trained) < self.used:
            self._trained.append(deepcopy(batch))

    def batches(self, trainer: "Trainer") -> Iterator[tuple[object, bool]]:
        """Go through the batches, each with whether it is still to be brought to the device.

        Each is a new object: what a step does to it stays there.
        """
        start = time.monotonic()
        trained = self._reads_training(trainer)
        for batch in self._copies() if trained else self._indexed(trainer):
            yield batch, not trained
            self.read += 1
        self.seconds += time.monotonic() - start

    def fit_amount(self, rank_zero: "RankZero") -> None:
        """Choose how much to read from now on, by times that all ranks agree on."""
        self._validated += rank_zero.validating
        self._checks += 1
        if self.amount.share is not None and rank_zero.probing:
            a_check = self.amount.share * self._validated / self._checks
            self.used = max(1, int(a_check * rank_zero.probed / rank_zero.probing))

    def resume(self, used: int) -> None:
        """Read as much as before the resume at once, where that follows a share of the time."""
        if self.amount.share is not None and used:
            self.used = used

    def _reads_training(self, trainer: "Trainer") -> bool:
        """Tell, the same for the whole fit, whether to read what has been trained on itself."""
        if self._from_training is None:
            loader: Any = trainer.train_dataloader
            whole = shows_all(loader) and trainer.num_training_batches == len(loader)
            self._from_training = self.data is None and not whole
        return self._from_training

    def _copies(self) -> Iterator[object]:
        return map(deepcopy, itertools.islice(self._trained, self.used))

    def _indexed(self, trainer: "Trainer") -> Iterator[object]:
        """Read by index: here what changes nothing, else apart, or from what was held."""
        source = self._source = self._source or self._find(trainer)
        requests = source.requests[: None if self.amount == Amount() else self.used]
        if source.is_plain:
            return (source.read(source.served.data, request) for request in requests)
        if len(requests) <= len(self._held):
            return map(opened, self._held[: len(requests)])
        return map(opened, self._hold(answers(source.served, source.read, requests)))

    def _hold(self, found: Iterator[bytes]) -> Iterator[bytes]:
        """Hold on to what is read, if all of it is small."""
        held, size = list[bytes](), 0
        for answer in found:
            size += len(answer)
            if size <= KEPT_BYTES:
                held.append(answer)
            else:
                held.clear()
            yield answer
        self._held = held

    def _find(self, trainer: "Trainer") -> "_Source":
        """Lay out this rank's samples in batches like those of training."""
        given = served(trainer.train_dataloader if self.data is None else self.data)
        like = self._like(trainer, given.data)
        size = _batch_size(like)
        own = _own_indices(given.data, size or 1, trainer, self.amount.batches)
        requests = own if size is None else [own[i : i + size] for i in range(0, len(own), size)]
        return _Source(Served(given.data, like), like.collate_fn, requests)

    def _like(self, trainer: "Trainer", data: Any) -> "DataLoader[Any]":  # noqa: ANN401
        """Find the loader whose batches are to be imitated: the closest to what is read."""
        loaders = [self.data, *flat(trainer.train_dataloader), *flat(trainer.val_dataloaders)]
        return next((one for one in loaders if isinstance(one, DataLoader)), DataLoader(data))


class _Source:
    """Data with how batches of them are made, and of which indices."""

    def __init__(self, data: Served, collate: Any, requests: list[Any]) -> None:  # noqa: ANN401
        self.served, self.requests = data, requests
        self.read = partial(_batch, collate=collate)
        # A collate function of the user's may draw random numbers of its own.
        self.is_plain = is_plain(data.data) and collate in (default_collate, default_convert)


def _batch(data: Any, wanted: Any, *, collate: Any) -> object:  # noqa: ANN401 - the user's
    """Read a batch as torch's loaders do; a single index gives a sample as it is."""
    if not isinstance(wanted, list):
        return collate(data[wanted])
    together = getattr(data, "__getitems__", None)
    return collate(together(wanted) if together else [data[index] for index in wanted])


def _own_indices(
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
