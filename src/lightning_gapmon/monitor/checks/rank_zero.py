"""What rank zero says for all ranks: its clock, and what only a Trainer's schedulers know."""

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch.optim.lr_scheduler import (
    CosineAnnealingWarmRestarts,
    MultiStepLR,
    ReduceLROnPlateau,
    StepLR,
)

from lightning_gapmon.monitor.compat import trainer_callbacks

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from lightning_gapmon.analysis.history.history import History
    from lightning_gapmon.analysis.rules.rule import Rule, StopReason

HALF = 0.5


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
        seconds_left: Time that `max_time` leaves; NaN without one.
        lr_change_in: Checks until the schedule halves the rate or restarts it; NaN if never.
    """

    seconds: float = 0.0
    lr: float = 0.0
    lr_drop_in: float = 0.0
    validating: float = 0.0
    probing: float = 0.0
    probed: float = 0.0
    baseline: float = 0.0
    seconds_left: float = 0.0
    lr_change_in: float = 0.0


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


def rank_zero(
    trainer: "Trainer", clock: Clock, probe: Spent, *, check: int, baseline: float
) -> RankZero:
    """Put together what this rank would say for all.

    Args:
        trainer: The Trainer, in validation.
        clock: That of this fit.
        probe: What the probe has spent.
        check: The number of this check in its run.
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
        seconds_left=seconds_left(trainer),
        lr_change_in=change_in(trainer, check),
    )


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


def seconds_left(trainer: "Trainer") -> float:
    """Ask the Trainer's `Timer` (`max_time`) how much training is left; NaN without one."""
    asked = (getattr(callback, "time_remaining", None) for callback in trainer_callbacks(trainer))
    told = [left for ask in asked if ask is not None and (left := ask()) is not None]
    return float(min(told, default=math.nan))


def stop_reason(trainer: "Trainer", rule: "Rule", history: "History") -> "StopReason | None":
    """Ask a rule, on all ranks together.

    All hold the same history, and a pure function of it says the same on each. A user's function
    may ask a clock or a file, and one rank that stops alone leaves the others waiting: there the
    answer of rank 0 is sent to all.
    """
    if trainer.world_size == 1 or not rule.asks_user:
        return rule(history)
    own = rule(history) if trainer.is_global_zero else None
    return trainer.strategy.broadcast(own)


def change_in(trainer: "Trainer", check: int) -> float:
    """Count the checks, at the pace so far, until a schedule halves the rate or restarts it.

    Args:
        trainer: The Trainer, in validation.
        check: The number of this check in its run.

    Returns:
        Their number; NaN where no schedule is known to change the rate at once.
    """
    done = {"epoch": trainer.current_epoch + 1, "step": trainer.global_step}
    waits = [
        _steps_to_change(config.scheduler) * config.frequency * check / done[config.interval]
        for config in trainer.lr_scheduler_configs
        if done[config.interval]
    ]
    return min((wait for wait in waits if not math.isnan(wait)), default=math.nan)


def _steps_to_change(scheduler: object) -> float:
    """Count a scheduler's own steps until its rate falls to half or less, or restarts."""
    if isinstance(scheduler, CosineAnnealingWarmRestarts):
        return float(scheduler.T_i - scheduler.T_cur)
    if not isinstance(scheduler, (StepLR, MultiStepLR)) or scheduler.gamma > HALF:
        return math.nan
    at = scheduler.last_epoch
    if isinstance(scheduler, StepLR):
        return float(scheduler.step_size - at % scheduler.step_size)
    return float(min((m - at for m in scheduler.milestones if m > at), default=math.nan))
