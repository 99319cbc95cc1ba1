"""What all ranks recorded since the last check, added up: one all-reduce, one device wait."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torchmetrics import Metric

from lightning_gapmon.collect.meter.meter import LossMeter
from lightning_gapmon.collect.meter.rows import wide_dtype
from lightning_gapmon.collect.meter.sums import WIDTH, Sums
from lightning_gapmon.monitor.checks.rank_zero import RankZero
from lightning_gapmon.monitor.compat import data_parallel
from lightning_gapmon.monitor.losses.logged_name import are_rivals
from lightning_gapmon.monitor.losses.logged_value import whole
from lightning_gapmon.monitor.losses.recorder import Recorder
from lightning_gapmon.monitor.losses.watched import SOURCES, Names, Source, Watched

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

BINS = 16
COMPLETE = 0.9  # of the steps: a step may return nothing, and a batch be left out


@dataclass(frozen=True, slots=True)
class Votes:
    """What is asked of all ranks, as numbers that can be added up.

    Attributes:
        tags_taken: 1 of a rank whose module logs under one of our names.
        rivals: 1 of a rank that has heard several losses of a side and none that is the total.
        checksum: Of the names of the losses that a rank has heard.
        checksum_squared: Its square.
        metrics: Validation losses that a rank has as metrics, which compute them.
        steps: Training steps of the window.
        mixin: Those with a loss from this source.
        logged: Likewise.
        outputs: Likewise.
    """

    tags_taken: float = 0.0
    rivals: float = 0.0
    checksum: float = 0.0
    checksum_squared: float = 0.0
    metrics: float = 0.0
    steps: float = 0.0
    mixin: float = 0.0
    logged: float = 0.0
    outputs: float = 0.0

    @classmethod
    def on(cls, recorder: Recorder, names: Names, *, tags_taken: bool, metrics: int) -> "Votes":
        """Vote for what this rank has heard."""
        # 16 bits: the sums below are exact in float64 then, on up to a thousand ranks.
        checksum = zlib.crc32("\n".join(names.values()).encode()) % 2**16
        rivals, steps = are_rivals(recorder.heard()), recorder.steps
        heard = [min(recorder.meter("train", s, names=names).batches, steps) for s in SOURCES]
        counts = tags_taken, rivals, checksum, checksum**2, metrics, steps, *heard
        return cls(*map(float, counts))

    def share(self, source: Source) -> float:
        """Share of the window's training steps that had a loss from a source; 1 without any."""
        heard: float = getattr(self, source)
        return heard / self.steps if self.steps else 1.0

    def are_one(self, ranks: int) -> bool:
        """Tell from the sums over ranks whether all of them have heard the same names.

        `ranks * sum(x^2)` is never below `sum(x)^2`, and equals it only where all `x` are the
        same (Cauchy and Schwarz), so that two sums tell what would else take a gather.
        """
        return ranks * self.checksum_squared == self.checksum**2


@dataclass(frozen=True, kw_only=True, slots=True)
class Reduced:
    """The sums of one check over all ranks, the same on every rank.

    Attributes:
        train: For each source the window in bins.
        val: For each source one entry a validation loader.
        probe: For each source what the probe read, in one entry.
        ranks: For each source, or the one that is watched, the validation sums of each rank;
            empty on a single process.
        rank_zero: What rank 0 says for all.
        tags_taken: Whether the module logs under one of our names, on any rank.
        rivals: Whether any rank has heard several losses of a side and none that is the total.
        one_mind: Whether all ranks have heard the same names.
        shares: For each source the share of training steps that had a loss from it.
        loaders: The validation loaders that are watched.
        computed: For each loader the logged validation loss as its metric computes it; NaN where
            there is none.
    """

    train: dict[Source, list[Sums]]
    val: dict[Source, list[Sums]]
    probe: dict[Source, list[Sums]]
    ranks: dict[Source, list[Sums]]
    rank_zero: RankZero
    tags_taken: bool
    rivals: bool
    one_mind: bool
    shares: dict[Source, float]
    loaders: Sequence[int]
    computed: Sequence[float] = ()

    def watched_val(self, source: Source) -> list[Sums]:
        """Give a source's validation losses, one entry a loader that is watched."""
        return [self.val[source][loader] for loader in self.loaders]

    @property
    def has_val(self) -> bool:
        """Whether any rank heard anything that may be a validation loss."""
        return any(_units(self.watched_val(source)) for source in SOURCES)

    def sources(self) -> tuple[Source | None, Source | None]:
        """Choose where train and validation losses are taken from.

        The first source that has both sides; only where there is none, one a side. One that says
        the train loss now and then gives way to one that says it at each step.
        """
        full = COMPLETE * max(self.shares.values())
        trains = [s for s in SOURCES if _units(self.train[s]) and self.shares[s] >= full]
        vals = [source for source in SOURCES if _units(self.watched_val(source))]
        both = [source for source in trains if source in vals]
        if both:
            return both[0], both[0]
        return (trains[0] if trains else None), (vals[0] if vals else None)

    def share(self, watched: Watched) -> float:
        """Give the share of training steps that had the train loss; 1 where there were none."""
        return self.shares[watched.train] if watched.train else 1.0

    def settled(self, watched: Watched, names: Names, *, given: Names, by_itself: bool) -> Watched:
        """Settle where the losses come from; a train loss that is not heard stays as it was.

        Args:
            watched: What was watched so far.
            names: What the logged losses are called.
            given: The names that were asked for.
            by_itself: Whether the module steps its optimisers by itself, as a GAN does.
        """
        train, val = self.sources()
        several = by_itself or (self.rivals and "logged" in (train, val))
        guessed = val and not given and "mixin" not in (train, val)
        return replace(
            watched,
            train=train or watched.train,
            val=val,
            names=names,
            opposed=bool(guessed and several),
            lost=False,
        )


def _units(parts: list[Sums]) -> float:
    return sum(part.units for part in parts)


def reduce(
    trainer: "Trainer", recorder: Recorder, watched: Watched, names: Names, own: RankZero
) -> Reduced:
    """Add up what all ranks recorded.

    Every rank comes here at every check, with parts of the same lengths, whatever it has heard:
    a branch on what one rank knows would leave the others waiting in the collective.

    Args:
        trainer: The Trainer, in validation.
        recorder: What this rank has recorded.
        watched: What is settled so far, the same on all ranks.
        names: Of the logged losses, as this rank has heard them.
        own: This rank's own numbers; only those of rank 0 go out.
    """
    device = trainer.strategy.root_device
    taken = not watched.tags.are_free(recorder.logged_names)
    metrics = _metrics(trainer, recorder, watched, names)
    votes = Votes.on(recorder, names, tags_taken=taken, metrics=len(metrics))
    sources = (watched.val,) if watched.settled and watched.val else SOURCES
    parts = {
        **_recorded(trainer, recorder, names),
        "ranks": _of_this_rank(trainer, recorder, names, sources, watched),
        **_numbers_of(own if trainer.is_global_zero else RankZero(), votes, device),
    }
    # Laid end to end they are the vector; their lengths, the same on all ranks, cut it up again.
    vector = trainer.strategy.reduce(torch.cat(list(parts.values())), reduce_op="sum").cpu()
    cut = vector.split([len(part) for part in parts.values()])
    loaders = watched.loaders(val_loaders(trainer))
    summed = dict(zip(parts, cut, strict=True))
    reduced, agreed = _read(summed, trainer.world_size, sources, loaders)
    all_have_them = agreed.metrics == trainer.world_size * len(metrics)
    return replace(reduced, computed=_compute(trainer, metrics)) if all_have_them else reduced


def _metrics(
    trainer: "Trainer", recorder: Recorder, watched: Watched, names: Names
) -> list[Metric]:
    """List the metrics that the validation loss is logged as, one a loader; all or none."""
    loaders = range(val_loaders(trainer))
    found = [recorder.metrics.get((names.get("val", ""), loader)) for loader in loaders]
    unused = watched.settled and watched.val != "logged"
    metrics = [metric for metric in found if metric is not None]
    return metrics if len(metrics) == len(loaders) and not unused else []


def _compute(trainer: "Trainer", metrics: Sequence[Metric]) -> list[float]:
    """Let each metric compute, on all ranks together; rank 0's numbers count for all."""
    computed = [whole(metric) for metric in metrics]
    return trainer.strategy.broadcast(computed) if metrics else []


def _recorded(trainer: "Trainer", recorder: Recorder, names: Names) -> dict[str, Tensor]:
    """Lay out this rank's sums, source after source; ranks with the same data count once."""
    device = trainer.strategy.root_device
    loaders = range(val_loaders(trainer))
    windows = [window_rows(recorder.meter("train", s, names=names), device) for s in SOURCES]
    val = [
        recorder.meter("val", s, one, names=names).rows(device) for s in SOURCES for one in loaders
    ]
    probe = [recorder.meter("probe", s, names=names).rows(device) for s in SOURCES]
    weight = data_parallel(trainer).size / trainer.world_size
    parts = {"train": windows, "val": val, "probe": probe}
    return {name: torch.cat(rows) * weight for name, rows in parts.items()}


def window_rows(meter: LossMeter, device: torch.device) -> Tensor:
    """Sum a window in bins, with positions from 0 to 1 in it: `(16, 12)`."""
    rows = meter.rows(device, BINS)
    rows[:, -1] /= max(meter.batches, 1)
    return rows


def val_loaders(trainer: "Trainer") -> int:
    """Count the validation loaders."""
    return max(1, len(trainer.num_val_batches))


def _of_this_rank(
    trainer: "Trainer",
    recorder: Recorder,
    names: Names,
    sources: Sequence[Source],
    watched: Watched,
) -> Tensor:
    """Put this rank's validation sums at its place among zeros, so that adding up gathers them."""
    device = trainer.strategy.root_device
    ranks = trainer.world_size if trainer.world_size > 1 else 0
    rows = torch.zeros(len(sources), ranks, WIDTH, dtype=wide_dtype(device), device=device)
    for place, source in enumerate(sources if ranks else ()):
        loaders = watched.loaders(val_loaders(trainer))
        own = [recorder.meter("val", source, one, names=names).rows(device) for one in loaders]
        if own:
            rows[place, trainer.global_rank] = torch.cat(own).sum(0)
    return rows.view(-1, WIDTH)


def _numbers_of(own: RankZero, votes: Votes, device: torch.device) -> dict[str, Tensor]:
    """Lay both out in a row each, in the order of their fields; one copy, and no wait for it."""
    rows = [[*each, *[0.0] * (WIDTH - len(each))] for each in (astuple(own), astuple(votes))]
    pinned = torch.tensor(rows, dtype=wide_dtype(device), pin_memory=device.type == "cuda")
    first, second = pinned.to(device, non_blocking=True).split(1)
    return {"rank zero": first, "votes": second}


def _read(
    parts: Mapping[str, Tensor], ranks: int, sources: Sequence[Source], loaders: Sequence[int]
) -> tuple[Reduced, Votes]:
    votes = Votes(*_numbers(parts["votes"], Votes))
    reduced = Reduced(
        train=_by_source(parts["train"]),
        val=_by_source(parts["val"]),
        probe=_by_source(parts["probe"]),
        ranks=_by_source(parts["ranks"], sources) if ranks > 1 else {},
        rank_zero=RankZero(*_numbers(parts["rank zero"], RankZero)),
        tags_taken=votes.tags_taken > 0,
        rivals=votes.rivals > 0,
        one_mind=votes.are_one(ranks),
        shares={source: votes.share(source) for source in SOURCES},
        loaders=loaders,
    )
    return reduced, votes


def _by_source(rows: Tensor, sources: Sequence[Source] = SOURCES) -> dict[Source, list[Sums]]:
    each = rows.view(len(sources), -1, WIDTH).tolist()
    return {source: [Sums(*row) for row in own] for source, own in zip(sources, each, strict=True)}


def _numbers(row: Tensor, kind: type[RankZero | Votes]) -> list[float]:
    numbers: list[float] = row[0, : len(fields(kind))].tolist()
    return numbers
