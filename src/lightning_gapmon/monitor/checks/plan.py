"""How many checks a Trainer intends, as far as that is known."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightning.pytorch import Trainer


def all_ranks_validate(trainer: "Trainer") -> bool:
    """Agree on whether each rank will validate at all; asked once a fit, on all ranks.

    A rank whose validation loader is empty leaves out all hooks of validation, where a module
    has set `allow_zero_length_dataloader_with_multiple_devices`; the others would wait for it.
    """
    own = sum(trainer.num_val_batches) > 0
    return trainer.world_size == 1 or trainer.strategy.reduce_boolean_decision(own, all=True)


def planned_checks(trainer: "Trainer") -> int | None:
    """Count the checks of the whole fit, resumed or not; None where nobody can know.

    To be asked once training has begun, when Lightning knows its loaders.
    """
    every = getattr(trainer, "val_check_batch", None)  # not there for time-based validation
    planned = _batches(trainer)
    if every is None or planned is None or not trainer.num_val_batches:
        return None
    size, whole, rest = planned
    if whole and math.isinf(size) and not math.isinf(every):
        return None
    epochs = trainer.check_val_every_n_epoch
    if epochs is None:
        return int((size * whole + rest if whole else rest) // every)
    in_rest = _checks_in_epoch(rest, every) if rest and (whole + 1) % epochs == 0 else 0
    return whole // epochs * _checks_in_epoch(size, every) + in_rest


def checks_before(trainer: "Trainer") -> int:
    """Count the checks of the epochs before this one, by the Trainer's settings.

    Asked at the first check of a history, these are checks that it will never hold: of a run that
    began without a monitor, or of an earlier fit of the same Trainer.
    """
    every, size = getattr(trainer, "val_check_batch", None), trainer.num_training_batches
    if every is None or (math.isinf(size) and not math.isinf(every)):
        return 0
    epochs = trainer.check_val_every_n_epoch
    if epochs is None:
        return int(size * trainer.current_epoch // every)
    return trainer.current_epoch // epochs * _checks_in_epoch(size, every)


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
