"""The leak check: before training, are validation samples in the training data too?"""

from typing import TYPE_CHECKING, Any

from lightning_utilities.core.rank_zero import rank_zero_warn
from torch.utils.data import ConcatDataset

from lightning_gapmon.analysis.overlap import Overlap
from lightning_gapmon.collect.overlap.digest import is_indexed
from lightning_gapmon.collect.overlap.find import compare
from lightning_gapmon.monitor.leak_check.rank_group import company
from lightning_gapmon.monitor.losses.padding import flat
from lightning_gapmon.monitor.output import messages
from lightning_gapmon.monitor.probe.loaders import served

if TYPE_CHECKING:
    from lightning.pytorch import Trainer


def look(trainer: "Trainer", limit: int) -> list[Overlap]:
    """Compare the training data with each validation loader's: all ranks read, all know.

    Args:
        trainer: The Trainer, about to train.
        limit: Samples of each side to look at, at most, by all ranks together.

    Returns:
        What was found, one entry a validation loader.
    """
    bar = trainer.progress_bar_callback is not None and trainer.is_global_zero
    known = compare(lambda: _sides(trainer), limit=limit, progress=bar, company=company(trainer))
    for number, overlap in enumerate(known):
        if overlap.shared:
            rank_zero_warn(messages.leak(overlap, number if len(known) > 1 else None))
    return known


def _sides(trainer: "Trainer") -> list[object]:
    train, val = (
        [served(loader) for loader in flat(loaders)]
        for loaders in (trainer.train_dataloader, trainer.val_dataloaders)
    )
    return [_joined(train), *val]


def _joined(datasets: list[Any]) -> Any:  # noqa: ANN401 - whatever is behind a loader
    """Join the datasets of several train loaders; one that is a stream makes all one."""
    streams = [one for one in datasets if not is_indexed(one)]
    return streams[0] if streams else ConcatDataset(datasets) if len(datasets) > 1 else datasets[0]


def worst(overlaps: list[Overlap]) -> Overlap | None:
    """Give the loader with the largest share of known samples."""
    return max(overlaps, key=lambda overlap: overlap.share, default=None)


def notes(overlaps: list[Overlap]) -> list[str]:
    """Say what was compared, for the summary."""
    found = [
        f"{len(one.shared)} of {one.val_seen} validation samples are among {one.train_seen} "
        f"training samples, {len(one.repeated)} are repeats within validation"
        for one in overlaps
        if one.val_seen
    ]
    # Several loaders have the training side's notes in common.
    return found + list(dict.fromkeys(note for one in overlaps for note in one.notes))
