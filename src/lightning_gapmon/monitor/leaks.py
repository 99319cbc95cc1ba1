"""The leak check: before training, are validation samples in the training data too?"""

from typing import TYPE_CHECKING, Any

from lightning_utilities.core.rank_zero import rank_zero_warn
from torch.utils.data import ConcatDataset

from lightning_gapmon.analysis.overlap import Overlap
from lightning_gapmon.collect.fingerprint import find_overlap, is_indexed
from lightning_gapmon.monitor import messages
from lightning_gapmon.monitor.padding import flat
from lightning_gapmon.monitor.supply import served

if TYPE_CHECKING:
    from lightning.pytorch import Trainer


def look(trainer: "Trainer", limit: int) -> list[Overlap]:
    """Compare the training data with each validation loader's: rank 0 reads, all ranks know.

    Args:
        trainer: The Trainer, about to train.
        limit: Samples of each side to look at, at most.

    Returns:
        What was found, one entry a validation loader.
    """
    found = _compare(trainer, limit) if trainer.is_global_zero else []
    known: list[Overlap] = trainer.strategy.broadcast(found)
    for number, overlap in enumerate(known):
        if overlap.shared:
            rank_zero_warn(messages.leak(overlap, number if len(known) > 1 else None))
    return known


def _compare(trainer: "Trainer", limit: int) -> list[Overlap]:
    train = _joined([served(loader) for loader in flat(trainer.train_dataloader)])
    bar = trainer.progress_bar_callback is not None
    return [
        find_overlap(train, served(loader), limit=limit, progress=bar)
        for loader in flat(trainer.val_dataloaders)
    ]


def _joined(datasets: list[Any]) -> Any:  # noqa: ANN401 - whatever is behind a loader
    """Join the datasets of several train loaders; one that is a stream makes all one."""
    streams = [one for one in datasets if not is_indexed(one)]
    return streams[0] if streams else ConcatDataset(datasets) if len(datasets) > 1 else datasets[0]


def worst(overlaps: list[Overlap]) -> Overlap | None:
    """Give the loader with the largest share of known samples."""
    return max(overlaps, key=lambda overlap: overlap.share, default=None)


def notes(overlaps: list[Overlap]) -> list[str]:
    """Say what was compared, for the summary."""
    return [
        f"{len(one.shared)} of {one.val_seen} validation samples are among {one.train_seen} "
        f"training samples, {len(one.repeated)} are repeats within validation"
        for one in overlaps
        if one.val_seen
    ] + [note for one in overlaps for note in one.notes]
