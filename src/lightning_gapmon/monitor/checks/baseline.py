"""What a predictor without any input would lose: as given, or by the targets of validation."""

import math

import torch
from torch import Tensor

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
        self._given = given
        self.measured = math.nan
        self._targets: list[Tensor] = []

    @property
    def loss(self) -> float:
        """What is known; NaN where nothing is."""
        return self.measured if self._given is None else self._given

    def take(self, module: object, batch: object) -> None:
        """Take a batch's targets."""
        is_known = self._given is not None or len(self._targets) >= MOST_BATCHES
        if is_known or not isinstance(module, GapMonitorMixin):
            return
        targets = module.targets(batch)
        if targets is not None:
            targets = targets.detach()
            whole = targets.is_floating_point()  # the length of class indices may vary
            self._targets.append(targets if whole else targets.flatten())

    def measure(self) -> float:
        """Compute it from what was collected; this waits for the device, once a fit."""
        if self._targets:
            self.measured = trivial_loss(torch.cat(self._targets))
            self._targets = []
        return self.measured


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
    return float(-(shares * shares.log()).sum())
