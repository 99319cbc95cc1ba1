"""The gap between two losses, with its parts and its error."""

import math
from dataclasses import dataclass
from typing import Literal

Basis = Literal["probe", "end", "online"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """Validation loss minus train loss at one check.

    Attributes:
        absolute: `val - train_fair`, in units of the loss.
        relative: `(val - train_fair) / max(val, train_fair)`: 0.5 means that train is half of
            val. NaN unless both losses are positive, for a log-likelihood has no natural zero.
        stderr: Standard error of `absolute`, the two sides taken as independent.
        low: Lower end of its 95 % interval: as measured, else 1.96 standard errors away.
        high: Upper end.
        train_fair: The train loss that was compared.
        basis: Which one that was: `probe`, else `end`, else `online`.
        lag: `end - online`: what the window's age adds. NaN where `end` is not known.
        mode: `probe - end`: what train mode (dropout, augmentation) adds.
        observed: `val - online`: the gap as it is usually plotted.
    """

    absolute: float
    relative: float
    stderr: float
    low: float
    high: float
    train_fair: float
    basis: Basis
    lag: float
    mode: float
    observed: float


def relative_gap(train: float, val: float) -> float:
    """`(val - train) / max(val, train)`, between -1 and 1; NaN unless both are positive.

    Example:
        >>> relative_gap(train=0.2, val=0.4)
        0.5
    """
    if not (0 < train < math.inf and 0 < val < math.inf):
        return math.nan
    return (val - train) / max(val, train)
