"""What the ranks agree on before a check, where they have not heard the same."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, TypeVar

from torch import distributed

from lightning_gapmon.board.tags import Tags
from lightning_gapmon.monitor.checks.rank_zero import RankZero
from lightning_gapmon.monitor.checks.reduction import Reduced, reduce
from lightning_gapmon.monitor.losses.recorder import Recorder
from lightning_gapmon.monitor.losses.watched import SIDES, Names, Watched

if TYPE_CHECKING:
    from lightning.pytorch import Trainer


T = TypeVar("T")


def reduce_agreed(
    trainer: "Trainer", recorder: Recorder, watched: Watched, own: RankZero
) -> tuple[Reduced, Names]:
    """Add up; once more where the ranks would call the losses by different names.

    A rank that had no validation batch has heard of no validation loss, be it rank 0: so what
    all of them have heard is put together, and each chooses from that.

    Args:
        trainer: The Trainer, in validation.
        recorder: What this rank has recorded.
        watched: What is settled so far, the same on all ranks.
        own: This rank's own numbers; only those of rank 0 go out.
    """
    names = watched.names if watched.settled else recorder.names()
    reduced = reduce(trainer, recorder, watched, names, own)
    if watched.settled or reduced.one_mind:
        return reduced, names
    heard = gather(recorder.heard())
    names = recorder.names({side: set().union(*(one[side] for one in heard)) for side in SIDES})
    return reduce(trainer, recorder, watched, names, own), names


def gather(own: T) -> list[T]:
    """Give what each rank has to all of them, pickled."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return [own]
    everyone: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(everyone, own)
    return everyone


def free_tags(trainer: "Trainer", tags: Tags, logged: Collection[str]) -> Tags:
    """Move on until no rank's module logs below the prefix; all ranks ask equally often.

    What a module logs may differ by rank, so that no rank can tell alone.

    Args:
        trainer: The Trainer, in validation.
        tags: Those that are taken.
        logged: Every name that this rank's module has logged.
    """
    taken = True
    while taken:
        tags = tags.moved()
        taken = trainer.strategy.reduce_boolean_decision(not tags.are_free(logged), all=False)
    return tags
