"""What rank zero says for all ranks: its clock, and what only a Trainer's schedulers know."""

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch.optim.lr_scheduler import ReduceLROnPlateau

if TYPE_CHECKING:
    from lightning.pytorch import Trainer


@dataclass(frozen=True, slots=True)
class RankZero:
    """Numbers that would differ from rank to rank; those of global rank 0 count on all.

    Attributes:
        seconds: Time spent in `fit`.
        lr: Learning rate of the first parameter group.
        lr_drop_in: Bad checks that a plateau scheduler still waits for.
        validating: Seconds that this validation took, less the probe.
        probing: Seconds that the probe has taken so far.
        probed: Batches that the probe has read so far.
        baseline: Loss of a trivial predictor; NaN if not known.
    """

    seconds: float = 0.0
    lr: float = 0.0
    lr_drop_in: float = 0.0
    validating: float = 0.0
    probing: float = 0.0
    probed: float = 0.0
    baseline: float = 0.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What a probe has spent.

    Attributes:
        last: Seconds at this check.
        seconds: Seconds so far.
        batches: Batches read so far.
    """

    last: float = 0.0
    seconds: float = 0.0
    batches: float = 0.0


class Clock:
    """How long a fit has run, and its validation.

    Args:
        before: Seconds that the runs before this one took.
    """

    def __init__(self, before: float = 0.0) -> None:
        self._before, self._since = before, time.monotonic()
        self._validation = self._since

    def start(self) -> None:
        """Count from here, on top of the runs before."""
        self._since = time.monotonic()

    def start_validation(self) -> None:
        """Count a validation from here."""
        self._validation = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time spent in fit, resumed runs added up."""
        return self._before + time.monotonic() - self._since

    @property
    def validating(self) -> float:
        """Seconds since the validation began."""
        return time.monotonic() - self._validation


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


def rank_zero(trainer: "Trainer", clock: Clock, probe: Spent, *, baseline: float) -> RankZero:
    """Put together what this rank would say for all.

    Args:
        trainer: The Trainer, in validation.
        clock: That of the fit.
        probe: What the probe has spent.
        baseline: Loss of a trivial predictor.
    """
    return RankZero(
        seconds=clock.seconds,
        lr=learning_rate(trainer),
        lr_drop_in=plateau_wait(trainer),
        validating=clock.validating - probe.last,
        probing=probe.seconds,
        probed=probe.batches,
        baseline=baseline,
    )
