"""Whether one rank's validation loss is off: its data, or its weights, are not as the others'."""

import math
from dataclasses import dataclass

from lightning_gapmon.collect.meter.sums import Sums

# Few units estimate their own spread badly; with many ranks the largest distance is large.
FEWEST_UNITS = 10
STDERRS = 6.0


@dataclass(frozen=True, slots=True)
class OddShard:
    """A rank whose validation loss differs from that of all others together.

    Attributes:
        rank: Its number.
        own: Its sums.
        others: Those of the others.
    """

    rank: int
    own: Sums
    others: Sums

    @property
    def distance(self) -> float:
        """Distance of the two losses in standard errors of their difference."""
        stderr = math.hypot(self.own.stderr, self.others.stderr)
        apart = abs(self.own.mean - self.others.mean)
        return apart / stderr if stderr else math.nan


def odd_shard(ranks: list[Sums]) -> OddShard | None:
    """Find the rank that is farthest off, if that is no chance; None where none is.

    The limit is 6 standard errors, and one more for each tenfold of ranks; a rank with fewer
    than 10 units (samples, or batches where only means are known) is not judged.

    Example:
        >>> import torch
        >>> from lightning_gapmon.collect.meter.meter import LossMeter
        >>> def shard(losses):
        ...     meter = LossMeter()
        ...     meter.add(torch.tensor(losses))
        ...     return Sums(*meter.rows(torch.device("cpu"))[0].tolist())
        >>> even, odd = shard([0.7, 1.3] * 5), shard([2.7, 3.3] * 5)
        >>> odd_shard([even, even, odd, even]).rank, odd_shard([even, even, even])
        (2, None)
    """
    if len(ranks) < 2:  # noqa: PLR2004 - nothing to compare with
        return None
    all_together = Sums.total(ranks)
    shards = [OddShard(i, own, _minus(all_together, own)) for i, own in enumerate(ranks)]
    judged = [one for one in shards if one.own.units >= FEWEST_UNITS <= one.others.units]
    limit = STDERRS + math.log10(len(ranks))
    far = [one for one in judged if one.distance > limit]
    return max(far, key=lambda one: one.distance, default=None)


def _minus(total: Sums, part: Sums) -> Sums:
    return Sums(*(a - b for a, b in zip(total.row, part.row, strict=True)))
