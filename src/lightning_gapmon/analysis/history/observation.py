"""One check: everything that was measured at one validation pass inside `fit`."""

import math
from dataclasses import dataclass

from lightning_gapmon.analysis.history.gap import Basis, Gap, relative_gap
from lightning_gapmon.analysis.history.interval import NORMAL

NAN = math.nan


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """One check. Losses are means over samples; what was not measured is NaN.

    Attributes:
        check: Number of the check in the run, from 1.
        epoch: Epoch in which it fell, from 0.
        step: Optimiser steps taken so far (`trainer.global_step`).
        seconds: Time spent in `fit` so far, resumed runs added up.
        train: Online train loss: mean over the window since the previous check. The gap is
            taken from `train_fair`, which is another one where there is a fairer.
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
        rank_distance: Largest distance of one rank's validation loss from the mean of all ranks.
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
    rank_distance: float = NAN
    planned: float = NAN
    loaders: tuple[float, ...] = ()

    @property
    def basis(self) -> Basis:
        """Which train loss compares best with validation: `probe`, else `end`, else `online`."""
        if not math.isnan(self.probe):
            return "probe"
        return "online" if math.isnan(self.end) else "end"

    @property
    def train_fair(self) -> float:
        """The train loss that compares best with validation: what the gap is taken from."""
        return {"probe": self.probe, "end": self.end, "online": self.train}[self.basis]

    @property
    def train_fair_stderr(self) -> float:
        """Standard error of `train_fair`."""
        errors = {
            "probe": self.probe_stderr,
            "end": self.end_stderr,
            "online": self.train_stderr,
        }
        return errors[self.basis]

    @property
    def measured_gap(self) -> Gap:
        """The gap by the fairest basis that this check has, with its parts."""
        train, gap, stderr = self.train_fair, self.gap, self.gap_stderr
        known = not math.isnan(self.gap_low)
        return Gap(
            absolute=gap,
            relative=relative_gap(train, self.val),
            stderr=stderr,
            low=self.gap_low if known else gap - NORMAL * stderr,
            high=self.gap_high if known else gap + NORMAL * stderr,
            train_fair=train,
            basis=self.basis,
            lag=self.end - self.train,
            mode=self.probe - self.end,
            observed=self.val - self.train,
        )

    @property
    def gap(self) -> float:
        """Validation loss minus train loss by the fairest basis: `val - train_fair`."""
        return self.val - self.train_fair

    @property
    def gap_relative(self) -> float:
        """Gap over the larger of the two losses; NaN unless both are positive."""
        return relative_gap(self.train_fair, self.val)

    @property
    def gap_stderr(self) -> float:
        """Standard error of the gap."""
        return math.hypot(self.train_fair_stderr, self.val_stderr)
