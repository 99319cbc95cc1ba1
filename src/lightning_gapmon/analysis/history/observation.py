"""One check: everything that was measured at one validation pass inside `fit`."""

import math
from dataclasses import dataclass

from lightning_gapmon.analysis.history.gap import Gap

NAN = math.nan


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """One check. Losses are means over samples; what was not measured is NaN.

    Attributes:
        check: Number of the check in the run, from 1.
        epoch: Epoch in which it fell, from 0.
        step: Optimiser steps taken so far (`trainer.global_step`).
        seconds: Time spent in `fit` so far, resumed runs added up.
        train: Online train loss: mean over the window since the previous check.
        train_n: Samples behind `train`.
        train_stderr: Standard error of `train`, from the spread of its batches or samples.
        end: Train loss at the end of the window: `train` without its half-window lag.
        end_stderr: Standard error of `end`.
        probe: Train loss in eval mode at the weights of this check.
        probe_stderr: Standard error of `probe`.
        val: Validation loss, over all validation loaders.
        val_n: Samples behind `val`.
        val_stderr: Standard error of `val`.
        gap_low: Lower end of the 95 % interval of the gap, by the fairest basis.
        gap_high: Its upper end; further away than the lower where losses have a long tail.
        lr: Learning rate of the first parameter group.
        lr_drop_in: Checks without improvement after which a `ReduceLROnPlateau` would act.
        lr_change_in: Checks until the schedule halves the rate or restarts it, as planned; NaN
            where no such change is known.
        spread: Largest distance of one rank's validation loss from the mean of all ranks.
        planned: Checks that the run intended in all, as far as was known at this check.
        loaders: Loss of each validation loader where there are several, else empty.
    """

    check: int
    epoch: int
    step: int
    seconds: float = NAN
    train: float = NAN
    train_n: float = NAN
    train_stderr: float = NAN
    end: float = NAN
    end_stderr: float = NAN
    probe: float = NAN
    probe_stderr: float = NAN
    val: float = NAN
    val_n: float = NAN
    val_stderr: float = NAN
    gap_low: float = NAN
    gap_high: float = NAN
    lr: float = NAN
    lr_drop_in: float = NAN
    lr_change_in: float = NAN
    spread: float = NAN
    planned: float = NAN
    loaders: tuple[float, ...] = ()

    @property
    def measured_gap(self) -> Gap:
        """The gap by the fairest basis that this check has, with its parts."""
        return Gap.between(self)

    @property
    def gap(self) -> float:
        """Validation loss minus train loss by the fairest basis."""
        return self.measured_gap.absolute

    @property
    def gap_relative(self) -> float:
        """Gap over the larger of the two losses; NaN unless both are positive."""
        return self.measured_gap.relative

    @property
    def gap_stderr(self) -> float:
        """Standard error of the gap."""
        return self.measured_gap.stderr
