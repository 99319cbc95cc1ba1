"""How many checks a Trainer intends, as far as that is known."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.monitor.checks.rank_zero import RankZero
from lightning_gapmon.monitor.compat import batches_trained

if TYPE_CHECKING:
    from lightning.pytorch import Trainer


class Plan:
    """The plan of one history, asked anew at each check, for it may change.

    Args:
        place: Where the last validation was: its epoch, and the batches that had been trained on,
            of that epoch and of all.

    Attributes:
        place: The same.
    """

    def __init__(self, place: Sequence[int] = (0, 0, 0)) -> None:
        self.place = tuple(place)
        # What the Trainer's settings count up to there and the history has not: they have changed
        # at a resume, it began later than the run, or in a validation no loss was heard.
        self._missed = 0

    def resumed(self, trainer: "Trainer", history: History) -> History:
        """Give a history that knows at its last check what the Trainer plans that goes on."""
        if not history:
            return history
        last = history[-1]
        self._missed = _checks_until(trainer, self.place) - last.check
        planned = self.at(last.check, trainer, RankZero(seconds_left=math.nan))
        return History([*history[:-1], replace(last, planned=planned)], start=history.start)

    def take(self, check: int, trainer: "Trainer", rank_zero: RankZero) -> float:
        """Count the checks of the history in all, at a check."""
        self.pass_by(trainer)
        self._missed = _checks_until(trainer, self.place) - check
        return self.at(check, trainer, rank_zero)

    def pass_by(self, trainer: "Trainer") -> None:
        """Note the place of a validation, whether or not there is a check of it."""
        of_epoch = batches_trained(trainer, of_epoch=True)
        self.place = (trainer.current_epoch, of_epoch, batches_trained(trainer))

    def at(self, check: int, trainer: "Trainer", rank_zero: RankZero) -> float:
        """Count the checks of the history in all, NaN where nobody can know.

        By the Trainer's counts; where it validates by the clock, by the share of its batches that
        it has trained on; and not beyond what the time allows at the pace so far.
        """
        counted = planned_checks(trainer)
        if counted is None:
            plans = [check + _left_by_batches(trainer, check)]
        else:
            plans = [float(counted - self._missed)]
        plans.append(check + _left_by_time(rank_zero, check))
        known = [plan for plan in plans if not math.isnan(plan)]
        return max(float(check), min(known)) if known else math.nan


def _left_by_batches(trainer: "Trainer", check: int) -> float:
    planned, done = _batches(trainer), batches_trained(trainer)
    by_count = getattr(trainer, "val_check_batch", None) is not None
    if planned is None or by_count:
        return math.nan
    size, whole, rest = planned
    left = size * whole + rest - done
    return float(left * check // done) if done and math.isfinite(left) else math.nan


def _left_by_time(rank_zero: RankZero, check: int) -> float:
    left, seconds = rank_zero.seconds_left, rank_zero.seconds
    return float(left * check // seconds) if seconds > 0 and math.isfinite(left) else math.nan


def all_ranks_validate(trainer: "Trainer") -> bool:
    """Agree on whether each rank will validate at all; asked once a fit, on all ranks.

    A rank whose validation loader is empty leaves out all hooks of validation, where a module
    has set `allow_zero_length_dataloader_with_multiple_devices`; the others would wait for it.
    """
    batches = trainer.num_val_batches
    own = not batches or sum(batches) > 0  # not known yet where no validation is near
    return trainer.world_size == 1 or trainer.strategy.reduce_boolean_decision(own, all=True)


def planned_checks(trainer: "Trainer") -> int | None:
    """Count the checks of the whole fit, resumed or not; None where nobody can know.

    To be asked once training has begun, when Lightning knows its loaders.
    """
    every = getattr(trainer, "val_check_batch", None)  # not there for time-based validation
    planned = _batches(trainer)
    if every is None or planned is None:
        return None
    size, whole, rest = planned
    if whole and math.isinf(size) and not math.isinf(every):
        return None
    epochs = trainer.check_val_every_n_epoch
    if epochs is None:
        return int((size * whole + rest if whole else rest) // every)
    in_rest = _checks_in_epoch(rest, every) if rest and (whole + 1) % epochs == 0 else 0
    return whole // epochs * _checks_in_epoch(size, every) + in_rest


def _checks_until(trainer: "Trainer", place: Sequence[int]) -> int:
    """Count the checks up to a place, and at it, by the Trainer's settings."""
    epoch, of_epoch, of_all = place
    every, size = getattr(trainer, "val_check_batch", None), trainer.num_training_batches
    if every is None or (math.isinf(size) and not math.isinf(every)):
        return 0
    epochs = trainer.check_val_every_n_epoch
    if epochs is None:
        return int(of_all // every)
    done = 1 if math.isinf(every) else int(of_epoch // every)
    return epoch // epochs * _checks_in_epoch(size, every) + done * ((epoch + 1) % epochs == 0)


def _checks_in_epoch(batches: float, every: float) -> int:
    """Count an epoch's checks: one each so many batches, or one at its unknown end."""
    return 1 if math.isinf(every) else int(batches // every)


def _batches(trainer: "Trainer") -> tuple[float, int, float] | None:
    """Give the batches of an epoch, the epochs, and the batches of one that is cut short."""
    size = trainer.num_training_batches
    epochs = trainer.max_epochs if trainer.max_epochs not in (None, -1) else None
    if trainer.max_steps in (None, -1):
        return None if epochs is None else (size, epochs, 0.0)
    if math.isinf(size) or len(trainer.optimizers) != 1:
        return None
    return _cut_by_steps(trainer, int(size), epochs)


def _cut_by_steps(trainer: "Trainer", size: int, epochs: int | None) -> tuple[float, int, float]:
    accumulate = trainer.accumulate_grad_batches
    whole, rest = divmod(trainer.max_steps, math.ceil(size / accumulate))
    if epochs is not None and whole >= epochs:
        return float(size), epochs, 0.0
    return float(size), whole, float(rest * accumulate)
