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
    batches = _batches(trainer)
    if every is None or batches is None or not trainer.num_val_batches:
        return None
    if math.isinf(sum(batches)) and not math.isinf(every):
        return None
    epochs = trainer.check_val_every_n_epoch
    if epochs is None:
        return int(sum(batches) // every)
    return sum(_checks_in_epoch(size, every) for size in batches[epochs - 1 :: epochs])


def _checks_in_epoch(batches: float, every: float) -> int:
    """Count an epoch's checks: one each so many batches, or one at its unknown end."""
    return 1 if math.isinf(every) else int(batches // every)


def _batches(trainer: "Trainer") -> list[float] | None:
    """List the batches of each planned epoch; the last may be cut by `max_steps`."""
    size = trainer.num_training_batches
    epochs = trainer.max_epochs if trainer.max_epochs not in (None, -1) else None
    if trainer.max_steps in (None, -1):
        return None if epochs is None else [size] * epochs
    if math.isinf(size) or len(trainer.optimizers) != 1:
        return None
    return _cut_by_steps(trainer, int(size), epochs)


def _cut_by_steps(trainer: "Trainer", size: int, epochs: int | None) -> list[float]:
    accumulate = trainer.accumulate_grad_batches
    steps = math.ceil(size / accumulate)
    whole, rest = divmod(trainer.max_steps, steps)
    if epochs is not None and whole >= epochs:
        return [float(size)] * epochs
    return [float(size)] * whole + ([float(rest * accumulate)] if rest else [])
