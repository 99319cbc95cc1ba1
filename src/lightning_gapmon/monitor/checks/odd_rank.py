"""How far the ranks' validation losses are apart, and which one is off: its data, or weights."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lightning_gapmon.collect.meter.sums import Sums

# Few units estimate their own scatter badly; with many ranks the largest distance is large.
FEWEST_UNITS = 10
STDERRS = 6.0


@dataclass(frozen=True, slots=True)
class OddRank:
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


def odd_rank(ranks: Sequence[Sums]) -> OddRank | None:
    """Find the rank that is farthest off, if that is no chance; None where none is.

    The limit is 6 standard errors, and one more for each tenfold of ranks; a rank with fewer
    than 10 units (samples, or batches where only means are known) is not judged.

    Example:
        >>> import torch
        >>> from lightning_gapmon.collect.meter.meter import LossMeter
        >>> def sums(losses):
        ...     meter = LossMeter()
        ...     meter.add(torch.tensor(losses))
        ...     return Sums(*meter.rows(torch.device("cpu"))[0].tolist())
        >>> even, odd = sums([0.7, 1.3] * 5), sums([2.7, 3.3] * 5)
        >>> odd_rank([even, even, odd, even]).rank, odd_rank([even, even, even])
        (2, None)
    """
    if len(ranks) < 2:  # noqa: PLR2004 - nothing to compare with
        return None
    all_together = Sums.total(ranks)
    every = [OddRank(i, own, _minus(all_together, own)) for i, own in enumerate(ranks)]
    judged = [one for one in every if one.own.units >= FEWEST_UNITS <= one.others.units]
    limit = STDERRS + math.log10(len(ranks))
    far = [one for one in judged if one.distance > limit]
    return max(far, key=lambda one: one.distance, default=None)


def rank_distance(ranks: Sequence[Sums]) -> float:
    """Largest distance of one rank's mean from the mean of all; NaN for a single rank."""
    means = [rank.mean for rank in ranks if rank.n]
    if len(means) < 2:  # noqa: PLR2004
        return math.nan
    middle = Sums.total(ranks).mean
    return max(abs(mean - middle) for mean in means)


def _minus(total: Sums, part: Sums) -> Sums:
    return Sums(*(a - b for a, b in zip(total.row, part.row, strict=True)))
