"""How firmly the lowest validation loss of a single run is known."""

import math
from typing import NamedTuple

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.trend import noise

LAST = 31  # checks that tell the noise
LEAST = 5  # checks without which nothing is known of it


class Noise(NamedTuple):
    """How much a validation loss jumps from check to check.

    Attributes:
        sigma: Its standard deviation around a smooth curve; NaN where that is not known.
        degrees: How firmly it is known, as degrees of freedom.
    """

    sigma: float
    degrees: float


def noise_of(history: History) -> Noise:
    """Measure the noise of a run from the bends of its last checks.

    A bend is made of three checks that its neighbours share, and the median of bends is used: it
    is worth about a third of as many independent values.

    Example:
        >>> straight = History.from_curves(train=[1.0] * 8, val=[8, 7, 6, 5, 4, 3, 2, 1.0])
        >>> noise_of(straight)
        Noise(sigma=0.0, degrees=2.0)
    """
    known = [loss for loss in history.val if math.isfinite(loss)][-LAST:]
    if len(known) < LEAST:
        return Noise(math.nan, math.nan)
    return Noise(noise(known), max(1.0, (len(known) - 2) / 3))
