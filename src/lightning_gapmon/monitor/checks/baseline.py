"""What a predictor without any input would lose: as given, or by the targets of validation."""

import math

import torch
from torch import Tensor

from lightning_gapmon.monitor import console
from lightning_gapmon.monitor.fence import switched_off
from lightning_gapmon.monitor.losses.mixin import GapMonitorMixin

MOST_BATCHES = 256


class Baseline:
    """Collects targets until the first check, where the mixin's `targets` gives any.

    Args:
        given: The loss of a trivial predictor, where the user has said it; it goes first.

    Attributes:
        measured: By the targets, for class indices the entropy of their frequencies, in nats (the
            cross-entropy of always predicting these), else the variance (the squared error of
            always predicting the mean); NaN where there are none.
    """

    def __init__(self, given: float | None = None) -> None:
        self._given, self._is_off = given, False
        self.measured = math.nan
        self._targets: list[Tensor] = []

    @property
    def loss(self) -> float:
        """What is known; NaN where nothing is."""
        return self.measured if self._given is None else self._given

    def take(self, module: object, batch: object) -> None:
        """Take a batch's targets."""
        is_known = self._is_off or self._given is not None or len(self._targets) >= MOST_BATCHES
        if is_known or not isinstance(module, GapMonitorMixin):
            return
        try:
            targets = module.targets(batch)
            if targets is not None:
                self._targets.append(targets.detach())
        except Exception as error:  # noqa: BLE001 - the user's method may raise anything
            self._switch_off(error)

    def measure(self) -> float:
        """Compute it from what was collected; this waits for the device, once a fit."""
        if self._targets:
            try:
                self.measured = trivial_loss(_joined(self._targets))
            except Exception as error:  # noqa: BLE001 - as of targets on several devices
                self._switch_off(error)
            self._targets = []
        return self.measured

    def _switch_off(self, error: Exception) -> None:
        console.warn(switched_off("baseline", error))
        self._is_off, self._targets = True, []


def _joined(targets: list[Tensor]) -> Tensor:
    """Join the targets of batches; those of class indices, or of no common shape, as a row."""
    columns = {target.shape[1:] if target.ndim else None for target in targets}
    whole = len(columns) == 1 and None not in columns and targets[0].is_floating_point()
    return torch.cat([target if whole else target.flatten() for target in targets])


def trivial_loss(targets: Tensor) -> float:
    """Give the loss of always predicting the class frequencies, or the mean; NaN for no target.

    Args:
        targets: `(samples, ...)`: class indices, of which negative ones are left out as what a
            loss ignores (-100, usually), or numbers.

    Example:
        >>> round(trivial_loss(torch.tensor([0, 1, 0, 1])), 4)
        0.6931
        >>> trivial_loss(torch.tensor([1.0, 3.0]))
        1.0
    """
    if targets.is_floating_point():
        wide = targets.double()
        return float((wide - wide.mean(0)).square().mean())
    _, counts = targets[targets >= 0].unique(return_counts=True)
    if not len(counts):
        return math.nan
    shares = counts.double() / counts.sum()
    return abs(float((shares * shares.log()).sum()))  # for one class 0, and not -0
