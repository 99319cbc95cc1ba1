"""The ranks of a fit as one group: what one has made, or failed to make, all of them know."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from torch import distributed

from lightning_gapmon.collect.overlap.find import OneRank, RankGroup
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.monitor.output import messages

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

T = TypeVar("T")


def rank_group(trainer: "Trainer") -> RankGroup:
    """Give the ranks of a fit, or this process alone where there are no others to talk to."""
    together = trainer.world_size > 1 and distributed.is_available()
    return AllRanks() if together and distributed.is_initialized() else OneRank()


class AllRanks:
    """All processes of the default group, whatever its backend."""

    def __init__(self) -> None:
        self.rank = distributed.get_rank()

    def gather(self, make: Callable[[], T]) -> list[T]:
        """Make something on each rank, and give what all of them made to each, by rank.

        What is made is pickled, and goes through the device where the backend asks for it.

        Raises:
            ConfigurationError: A rank could not make it. All ranks raise, so that none waits.
        """
        made, failure = _attempt(make)
        everyone: list[Any] = [None] * distributed.get_world_size()
        told = f"{type(failure).__name__}: {failure}" if failure else ""
        distributed.all_gather_object(everyone, (made, told))
        failed = {rank: told for rank, (_, told) in enumerate(everyone) if told}
        if failed:
            raise ConfigurationError(messages.unread(failed)) from failure
        return [thing for thing, _ in everyone]


def _attempt(make: Callable[[], T]) -> tuple[T | None, Exception | None]:
    try:
        return make(), None
    except Exception as error:  # noqa: BLE001 - a user's dataset may raise anything
        return None, error
