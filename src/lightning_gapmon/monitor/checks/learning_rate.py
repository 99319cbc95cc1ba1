"""What a Trainer's optimisers and schedulers say about the learning rate."""

import math
from typing import TYPE_CHECKING

from torch.optim.lr_scheduler import ReduceLROnPlateau

if TYPE_CHECKING:
    from lightning.pytorch import Trainer


def learning_rate(trainer: "Trainer") -> float:
    """Read the learning rate of the first optimiser's first parameter group; NaN without one."""
    groups = [group for optimizer in trainer.optimizers for group in optimizer.param_groups]
    return float(groups[0]["lr"]) if groups else math.nan


def plateau_wait(trainer: "Trainer") -> float:
    """Count the bad checks after which a `ReduceLROnPlateau` acts; NaN without one."""
    schedulers = [config.scheduler for config in trainer.lr_scheduler_configs]
    waits = [
        scheduler.patience - scheduler.num_bad_epochs + 1
        for scheduler in schedulers
        if isinstance(scheduler, ReduceLROnPlateau)
    ]
    return float(min(waits, default=math.nan))
