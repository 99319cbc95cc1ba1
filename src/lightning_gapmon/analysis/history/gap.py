"""The gap between two losses, by the fairest basis there is, with its parts and its error."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lightning_gapmon.analysis.history.interval import NORMAL

if TYPE_CHECKING:
    from lightning_gapmon.analysis.history.observation import Observation

Basis = Literal["probe", "end", "online"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """Validation loss minus train loss at one check.

    Attributes:
        absolute: `val - train`, in units of the loss.
        relative: `(val - train) / max(val, train)`: 0.5 means that train is half of val.
            NaN unless both losses are positive, for a log-likelihood has no natural zero.
        stderr: Standard error of `absolute`, the two sides taken as independent.
        low: Lower end of its 95 % interval: as measured, else 1.96 standard errors away.
        high: Upper end.
        train: The train loss that was compared.
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
    train: float
    basis: Basis
    lag: float
    mode: float
    observed: float

    @classmethod
    def between(cls, seen: "Observation") -> "Gap":
        """Compare the two sides of one check."""
        basis, train, train_stderr = fairest_train(seen)
        gap, stderr = seen.val - train, math.hypot(train_stderr, seen.val_stderr)
        known = not math.isnan(seen.gap_low)
        return cls(
            absolute=gap,
            relative=relative_gap(train, seen.val),
            stderr=stderr,
            low=seen.gap_low if known else gap - NORMAL * stderr,
            high=seen.gap_high if known else gap + NORMAL * stderr,
            train=train,
            basis=basis,
            lag=seen.end - seen.train,
            mode=seen.probe - seen.end,
            observed=seen.val - seen.train,
        )


def fairest_train(seen: "Observation") -> tuple[Basis, float, float]:
    """Name, value and standard error of the train loss that compares best with validation."""
    if not math.isnan(seen.probe):
        return "probe", seen.probe, seen.probe_stderr
    if not math.isnan(seen.end):
        return "end", seen.end, seen.end_stderr
    return "online", seen.train, seen.train_stderr


def relative_gap(train: float, val: float) -> float:
    """`(val - train) / max(val, train)`, between -1 and 1; NaN unless both are positive.

    Example:
        >>> relative_gap(train=0.2, val=0.4)
        0.5
    """
    if not (0 < train < math.inf and 0 < val < math.inf):
        return math.nan
    return (val - train) / max(val, train)
