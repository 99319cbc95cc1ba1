"""One check's numbers from all ranks: laid out in one vector, reduced once, read back."""

import math
import zlib
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from itertools import islice
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lightning_gapmon.collect.meter.meter import LossMeter
from lightning_gapmon.collect.meter.rows import wide_dtype
from lightning_gapmon.collect.meter.sums import WIDTH, Sums
from lightning_gapmon.monitor.losses.recorder import SOURCES, Recorder, Source

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

BINS = 16


@dataclass(frozen=True, slots=True)
class Facts:
    """What only one rank may say, or what ranks vote on.

    Attributes:
        seconds: Time spent in `fit`, by the clock of global rank 0.
        lr: Learning rate of the first parameter group.
        lr_drop_in: Bad checks that a plateau scheduler still waits for.
        validating: Time that this validation took, less the probe.
        probing: Time that the probe has taken so far.
        probed: Batches that the probe has read so far.
        baseline: Loss of a trivial predictor; NaN if not known.
        tag_taken: How many ranks saw the module log under one of our names.
    """

    seconds: float = 0.0
    lr: float = 0.0
    lr_drop_in: float = 0.0
    validating: float = 0.0
    probing: float = 0.0
    probed: float = 0.0
    baseline: float = 0.0
    tag_taken: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """The reduced sums of one check, the same on every rank.

    Attributes:
        train: For each source the window in bins.
        val: For each source one entry a validation loader.
        probe: For each source what the probe read.
        ranks: For each source, or the one that is chosen, the validation sums of each rank;
            empty on a single process.
        one_mind: Whether all ranks have heard the same names.
        facts: The rest.
    """

    train: dict[Source, list[Sums]]
    val: dict[Source, list[Sums]]
    probe: dict[Source, list[Sums]]
    ranks: list[list[Sums]]
    one_mind: bool
    facts: Facts

    def sources(self) -> tuple[Source | None, Source | None]:
        """Choose where train and validation losses are taken from.

        The first source that has both sides; only where there is none, one a side.
        """
        trains = [source for source in SOURCES if _samples(self.train[source])]
        vals = [source for source in SOURCES if _samples(self.val[source])]
        both = [source for source in trains if source in vals]
        if both:
            return both[0], both[0]
        return (trains[0] if trains else None), (vals[0] if vals else None)

    def shards(self, source: Source | None) -> list[Sums]:
        """Give the validation sums of each rank, by the source that is used."""
        if not self.ranks or source is None:
            return []
        return self.ranks[SOURCES.index(source) if len(self.ranks) > 1 else 0]


def _samples(parts: list[Sums]) -> float:
    return sum(part.units for part in parts)


def gather(trainer: "Trainer", recorder: Recorder, loaders: int, facts: Facts) -> Ledger:
    """Add up what all ranks recorded: one all-reduce, one wait for the device.

    Every rank comes here at every check, with the same layout, whatever it has recorded.
    """
    strategy = trainer.strategy
    device = strategy.root_device
    parts = [_recorded(recorder, loaders, device) * share_of_data(trainer), _facts(trainer, facts)]
    if trainer.world_size > 1:
        parts += [_vote(recorder), _own_rows(trainer, recorder, loaders, device)]
    reduced = strategy.reduce(torch.cat([part.to(device) for part in parts]), reduce_op="sum")
    return _read(reduced.tolist(), loaders, trainer.world_size)


def _recorded(recorder: Recorder, loaders: int, device: torch.device) -> Tensor:
    train = [window_rows(recorder.meter("train", source), device) for source in SOURCES]
    val = [
        recorder.meter("val", source, loader).rows(device)
        for source in SOURCES
        for loader in range(loaders)
    ]
    probe = [recorder.meter("probe", source).rows(device) for source in SOURCES]
    return torch.cat([*train, *val, *probe])


def window_rows(meter: LossMeter, device: torch.device) -> Tensor:
    """Sum a window in bins, with positions as shares of it: `(16, 12)`."""
    rows = meter.rows(device, BINS)
    rows[:, -1] /= max(meter.batches, 1)
    return rows


def share_of_data(trainer: "Trainer") -> float:
    """Weight of this rank: ranks that hold the same data (tensor parallel) count once together."""
    sampling = getattr(trainer.strategy, "distributed_sampler_kwargs", None) or {}
    return float(sampling.get("num_replicas", trainer.world_size)) / trainer.world_size


def _facts(trainer: "Trainer", facts: Facts) -> Tensor:
    told = astuple(facts) if trainer.is_global_zero else astuple(Facts(tag_taken=facts.tag_taken))
    row = [*told, *[0.0] * (WIDTH - len(told))]
    return torch.tensor([row], dtype=wide_dtype(trainer.strategy.root_device))


def _vote(recorder: Recorder) -> Tensor:
    """Lay out the names that this rank has heard, so that their sums tell whether all are one."""
    names = "\n".join(recorder.heard_names().values())
    number = float(zlib.crc32(names.encode()) % 2**16)
    return torch.tensor([[number, number**2, *[0.0] * (WIDTH - 2)]], dtype=torch.float64)


def _own_rows(
    trainer: "Trainer", recorder: Recorder, loaders: int, device: torch.device
) -> Tensor:
    """Put this rank's validation sums among zeros: for each source until one is chosen."""
    chosen = recorder.chosen.get("val")
    sources = SOURCES if chosen is None else (chosen,)
    shape = trainer.world_size, len(sources), WIDTH
    rows = torch.zeros(shape, dtype=wide_dtype(device), device=device)
    for place, source in enumerate(sources):
        own = [recorder.meter("val", source, loader).rows(device) for loader in range(loaders)]
        rows[trainer.global_rank, place] = torch.cat(own).sum(0)
    return rows.view(-1, WIDTH)


def _read(rows: list[list[float]], loaders: int, world_size: int) -> Ledger:
    left = iter(rows)
    train = {source: _take(left, BINS) for source in SOURCES}
    val = {source: _take(left, loaders) for source in SOURCES}
    probe = {source: _take(left, 1) for source in SOURCES}
    facts = Facts(*next(left)[: len(fields(Facts))])
    total, squares, *_ = next(left, (0.0, 0.0))
    own = _take(left, None)
    return Ledger(
        train=train,
        val=val,
        probe=probe,
        ranks=[own[i :: len(own) // world_size] for i in range(len(own) // world_size)],
        one_mind=world_size * squares == total**2,
        facts=facts,
    )


def _take(rows: Iterator[list[float]], count: int | None) -> list[Sums]:
    return [Sums(*row) for row in islice(rows, count)]


def spread(ranks: list[Sums]) -> float:
    """Largest distance of one rank's mean from the mean of all; NaN for a single rank."""
    means = [rank.mean for rank in ranks if rank.n]
    if len(means) < 2:  # noqa: PLR2004
        return math.nan
    middle = Sums.total(ranks).mean
    return max(abs(mean - middle) for mean in means)
