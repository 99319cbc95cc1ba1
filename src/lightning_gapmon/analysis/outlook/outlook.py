"""The chance that the rest of a run still improves on its best, and where its loss will end."""

import math
from dataclasses import dataclass

from lightning_gapmon.analysis import wording
from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.outlook.curve import Curve, features, follow, swing
from lightning_gapmon.analysis.outlook.trees import load
from lightning_gapmon.errors import ConfigurationError

LEAST_BY, MOST_BY = 1e-4, 0.5  # the table was fitted on levels between these, and on any gain
LEAST_CHECKS = 4
TAIL = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """What is still to be expected of a run.

    Attributes:
        chance: Chance that a later check of the plan is better than the best so far by more than
            `by`, from 0 to 1; without a plan, a check among as many again as have been. NaN
            where nothing can be told.
        by: What counts as better: a share of the best loss, or, where the loss has been negative
            and has no natural zero, of the range that it has covered.
        final: Validation loss that the end is expected to reach: the median of the mean over
            the last twentieth of the plan's checks.
        final_low: Lower end of its 90 % interval.
        final_high: Upper end.
        half_in: Checks until half of what is still to be gained has come, if anything is.
        reason: Why nothing can be told; empty where it can.
    """

    chance: float = math.nan
    by: float
    final: float = math.nan
    final_low: float = math.nan
    final_high: float = math.nan
    half_in: float = math.nan
    reason: str = ""

    def __str__(self) -> str:
        """Say it in one sentence.

        Example:
            >>> print(Outlook(by=0.005, reason="nothing is left of the plan"))
            no outlook: nothing is left of the plan
            >>> print(Outlook(by=0.01, chance=0.031, final=0.4, final_low=0.38, final_high=0.5))
            3 % chance of a loss that is 1 % better; the end is expected at 0.4000 [0.3800, 0.5000]
        """
        if self.reason:
            return f"no outlook: {self.reason}"
        ends = f"[{wording.number(self.final_low)}, {wording.number(self.final_high)}]"
        better = f"{wording.percent(self.by)} better" if self.by else "better"
        end = f"the end is expected at {wording.number(self.final)} {ends}"
        return f"{in_words(self.chance)} chance of a loss that is {better}; {end}"


def in_words(chance: float) -> str:
    """Write a chance as no more certain than it is.

    Example:
        >>> in_words(0.031), in_words(0.002), in_words(0.999)
        ('3 %', 'under 1 %', 'over 99 %')
    """
    whole = round(100 * chance)
    return "under 1 %" if whole < 1 else "over 99 %" if whole > 99 else f"{whole} %"  # noqa: PLR2004


def outlook(history: History, by: float = 0.005) -> Outlook:
    """Ask whether it is worth going on.

    The answer comes from how the run has gone so far and from how much is left of the plan. It
    was fitted on training logs and is calibrated on runs that it was not fitted on
    (docs/outlook.md): of the checks at which it tells a chance of 20 %, the rest of the run is
    better one time in five. It is a pure function of the history, and of a slice it sees the
    slice alone.

    Args:
        history: The checks so far.
        by: What counts as better, see `Outlook`; from 0, any gain, to 0.5.

    Raises:
        ConfigurationError: `by` is out of range.

    Example:
        >>> overfit = [3.0, 2.0, 1.5, 1.4, 1.5, 1.7, 1.9, 2.0, 2.2, 2.3, 2.5, 2.6]
        >>> train = [3.0 / (i + 1) for i in range(12)]
        >>> seen = outlook(History.from_curves(train=train, val=overfit, planned=20))
        >>> seen.chance < 0.1, seen.final > 2
        (True, True)
        >>> outlook(History.from_curves(train=[3, 2], val=[3, 2], planned=20)).reason
        'fewer than 4 checks with a finite loss'
    """
    if not 0 <= by <= MOST_BY:
        msg = f"Found by={by!r}; expected a share from 0 to {MOST_BY}, such as 0.005 for 0.5 %."
        raise ConfigurationError(msg)
    curve = follow(history)
    planned = history.planned
    left = len(history) if planned is None else planned - (history[-1].check if history else 0)
    reason = _too_little(history, curve, left)
    if reason:
        return Outlook(by=by, reason=reason)
    known = features(curve, left, planned=planned is not None)
    table = load()
    low, final, high = sorted(table.value(name, known) for name in ("low", "final", "high"))
    level, unit = curve.short, swing(curve)
    return Outlook(
        chance=table.chance([*known, math.log10(max(by, LEAST_BY))]),
        by=by,
        final=level + unit * final,
        final_low=level + unit * low,
        final_high=level + unit * high,
        half_in=max(1.0, round(left * min(1.0, table.value("half", known)))),
    )


def _too_little(history: History, curve: Curve, left: int) -> str:
    """Say why nothing can be told; "" where something can."""
    if curve.finite < LEAST_CHECKS:
        return f"fewer than {LEAST_CHECKS} checks with a finite loss"
    if not math.isfinite(history[-1].val):
        return "the last validation loss is not finite"
    if left <= 0:
        return "nothing is left of the plan"
    if history[-1].lr_change_in < left:
        change = wording.count(round(max(1.0, history[-1].lr_change_in)), "check")
        return f"the learning rate is still to change, as planned, in {change}"
    if not 0 < curve.span.reference < math.inf:
        return "the loss has never moved"
    return ""
