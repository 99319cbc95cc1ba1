"""The leak check: before training, are validation samples in the training data too?"""

from typing import TYPE_CHECKING, Any

from torch.utils.data import ConcatDataset

from lightning_gapmon.analysis.overlap import Overlap
from lightning_gapmon.collect.apart import Served
from lightning_gapmon.collect.overlap.digest import is_indexed
from lightning_gapmon.collect.overlap.find import compare
from lightning_gapmon.monitor import console
from lightning_gapmon.monitor.fence import switched_off
from lightning_gapmon.monitor.leak_check.rank_group import rank_group
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
        What was found, one entry a validation loader; a single one with a note where the data
        could not be read, which ends no fit.
    """
    bar = trainer.progress_bar_callback is not None and trainer.is_global_zero
    try:
        known = compare(
            lambda: _sides(trainer), limit=limit, progress=bar, group=rank_group(trainer)
        )
    except Exception as error:  # noqa: BLE001 - a user's dataset may raise anything
        told = switched_off("leakage", error)
        console.warn(told)
        return [Overlap(notes=(told,))]
    for number, overlap in enumerate(known):
        if overlap.shared:
            console.warn(messages.leak(overlap, number if len(known) > 1 else None))
    return known


def _sides(trainer: "Trainer") -> list[Served]:
    train, val = (
        [served(loader) for loader in flat(loaders)]
        for loaders in (trainer.train_dataloader, trainer.val_dataloaders)
    )
    return [_joined(train), *val]


def _joined(several: list[Served]) -> Served:
    """Join the data of several train loaders; one that is a stream makes all one."""
    streams = [one for one in several if not is_indexed(one.data)]
    if streams or len(several) == 1:
        return (streams or several)[0]
    loaders = [one.loader for one in several if one.loader is not None]
    with_workers = [loader for loader in loaders if loader.num_workers]
    together = ConcatDataset[Any]([one.data for one in several])
    return Served(together, next(iter(with_workers), None))


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
