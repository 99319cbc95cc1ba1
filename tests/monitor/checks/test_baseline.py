"""What guessing loses, and the verdict on a model that does no better."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from scipy.stats import entropy
from tests.fits import QUIET
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lightning_gapmon import GapMonitor, GapMonitorMixin
from lightning_gapmon.monitor.checks.baseline import Baseline, trivial_loss


class _Guess(GapMonitorMixin, LightningModule):
    """Never looks at its input."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(4))

    def loss_step(self, batch: list[Tensor]) -> Tensor:
        logits = self.logits.expand(len(batch[0]), 4)
        return nn.functional.cross_entropy(logits, batch[1], reduction="none")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class _Told(_Guess):
    def targets(self, batch: list[Tensor]) -> Tensor:
        return batch[1]


def _fit(module: LightningModule, **asked: float) -> GapMonitor:
    y = torch.arange(400) % 4
    loader = DataLoader(TensorDataset(torch.zeros(400, 1), y), 50)
    monitor = GapMonitor(stop=None, summary=False, **asked)  # type: ignore[arg-type]
    Trainer(**QUIET, max_epochs=60, callbacks=[monitor]).fit(module, loader, loader)
    return monitor


def test_classes_cost_the_entropy_of_their_frequencies() -> None:
    """The cross-entropy of always predicting the frequencies, in nats."""
    targets = torch.tensor([0, 0, 0, 1, 2, 2])

    assert trivial_loss(targets) == pytest.approx(entropy([3, 1, 2]))


def test_targets_that_a_loss_ignores_are_no_class() -> None:
    """Padding is marked with -100; where there is nothing else, nothing is known."""
    assert trivial_loss(torch.tensor([0, 1, -100, -100])) == pytest.approx(math.log(2))
    assert math.isnan(trivial_loss(torch.tensor([-100, -100])))


def test_numbers_cost_their_variance() -> None:
    """The squared error of always predicting the mean, over all columns."""
    targets = torch.tensor([[1.0, 10.0], [3.0, 10.0], [5.0, 40.0]])

    assert trivial_loss(targets) == pytest.approx(float(targets.numpy().var(axis=0).mean()))


def test_a_module_that_tells_its_targets_is_judged_against_guessing() -> None:
    """No better than the class frequencies after sixty checks is underfitting."""
    monitor = _fit(_Told())

    assert monitor.diagnosis.verdict == "underfitting"
    assert monitor.diagnosis.evidence["reference"] == pytest.approx(math.log(4))


def test_a_given_baseline_goes_before_the_computed_one() -> None:
    """Far below what the user says, the same run is no underfitting."""
    monitor = _fit(_Told(), baseline=7.0)

    assert monitor.diagnosis.verdict != "underfitting"


def test_the_baseline_is_in_the_state() -> None:
    """A resumed run has no first validation to compute it from."""
    assert _fit(_Told()).state_dict()["baseline"] == pytest.approx(math.log(4))


def test_sequences_of_any_length_are_taken() -> None:
    """Class indices of batches that are padded to different lengths count together."""

    class Ragged(_Told):
        def targets(self, batch: list[Tensor]) -> Tensor:
            labels: Tensor = batch[1]
            return labels.expand(int(labels[0]) + 2, -1).T

    baseline, module = Baseline(), Ragged()
    for labels in ([0, 1], [1, 0, 0]):
        baseline.take(module, [torch.zeros(1), torch.tensor(labels)])

    assert baseline.measure() == pytest.approx(entropy([2 + 2 * 3, 2 + 3]))


@pytest.mark.parametrize(
    "targets", [torch.full((5, 2), 3.0), torch.zeros(5, dtype=torch.long), torch.tensor([2])]
)
def test_targets_that_are_all_the_same_cost_nothing(targets: Tensor) -> None:
    """Guessing is always right: 0, and not -0."""
    assert math.copysign(1, trivial_loss(targets)) == 1
    assert trivial_loss(targets) == 0


def test_numbers_of_varying_length_have_one_mean() -> None:
    """Columns of batches that differ in length are not the same thing: all numbers count alike."""

    class Ragged(_Told):
        def targets(self, batch: list[Tensor]) -> Tensor:
            return batch[0]

    baseline, module = Baseline(), Ragged()
    for numbers in ([[1.0, 2.0]], [[3.0, 4.0, 10.0]]):
        baseline.take(module, [torch.tensor(numbers)])

    assert baseline.measure() == pytest.approx(np.var([1, 2, 3, 4, 10]))


@pytest.mark.parametrize(
    "wrong", [lambda _: 5, lambda batch: batch["no such key"]], ids=["no tensor", "no key"]
)
def test_targets_that_cannot_be_had_end_no_fit(wrong: Callable[[Any], Tensor]) -> None:
    """It is said once, and guessing is not known."""

    class Wrong(_Told):
        def targets(self, batch: list[Tensor]) -> Tensor:
            return wrong(batch)

    baseline, module = Baseline(), Wrong()
    with pytest.warns(UserWarning, match=r"GapMonitor\(baseline=\.\.\.\) is switched off"):
        baseline.take(module, [torch.ones(2)])
    baseline.take(module, [torch.ones(2)])

    assert math.isnan(baseline.measure())


def test_targets_that_cannot_be_joined_end_no_fit() -> None:
    """It is said, and guessing is not known."""

    class Odd(_Told):
        def targets(self, batch: list[Tensor]) -> Tensor:
            return batch[0].to_sparse()

    baseline = Baseline()
    baseline.take(Odd(), [torch.ones(2, 2)])
    with pytest.warns(UserWarning, match=r"GapMonitor\(baseline=\.\.\.\) is switched off"):
        assert math.isnan(baseline.measure())
