"""The unfinished window of a run that is saved between two checks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from lightning_gapmon.monitor.checks.reduction import BINS, share_of_data
from lightning_gapmon.monitor.losses.recorder import SOURCES, Recorder

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

Window = list[list[Any]]


def window_state(trainer: "Trainer", recorder: Recorder) -> Window:
    """Write what has been recorded since the last check, of all ranks, as plain types.

    On one process row by row, so that a resumed run continues to the last bit; on several the
    ranks' windows are added up in bins first. Saving a checkpoint is collective anyway.
    """
    if trainer.world_size == 1:
        meters = recorder.train_meters().items()
        return [[source, name, *meter.state()] for (source, name), meter in meters]
    return _reduced(trainer, recorder)


def _reduced(trainer: "Trainer", recorder: Recorder) -> Window:
    device = trainer.strategy.root_device
    meters = [recorder.meter("train", source) for source in SOURCES]
    rows = torch.stack([meter.rows(device, BINS) for meter in meters]) * share_of_data(trainer)
    summed = trainer.strategy.reduce(rows, reduce_op="sum").tolist()
    name = recorder.heard_names()["train"]
    names = [name if source == "logged" else "" for source in SOURCES]
    ends = [_even_ends(meter.batches) for meter in meters]
    return [list(parts) for parts in zip(SOURCES, names, summed, ends, strict=True) if parts[3]]


def _even_ends(batches: int) -> list[int]:
    return [batches * (i + 1) // BINS for i in range(BINS)] if batches else []


def continue_window(recorder: Recorder, window: Sequence[Sequence[Any]], *, rank: int) -> None:
    """Read what `window_state` wrote; the numbers go to rank 0, their places to all."""
    for source, name, rows, ends in window:
        mine = rows if rank == 0 else [[0.0] * len(row) for row in rows]
        recorder.load(source, name, mine, ends)
