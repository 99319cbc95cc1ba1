"""`trainer.validate` and `trainer.test`: exact losses outside a fit too."""

import math
from pathlib import Path

import pytest
import torch
from lightning.pytorch.strategies import DDPStrategy
from tests.fits import Bare, Logging, Net, loader, trainer, values
from tests.monitor.test_two_ranks import RANKS, Here
from tests.ranks import run_ranks
from torch import Tensor
from torchmetrics import MeanSquaredError

from lightning_gapmon import GapMonitor

TWO = torch.tensor([1.0, 3, 5, 7, 2]), torch.tensor([10.0, 20])
WHOLE = (1 + 3 + 5 + 7 + 2 + 10 + 20) / 7


class Speaking(Logging):
    """Logs its test loss, too."""

    def test_step(self, batch: list[Tensor], *_: int) -> None:
        """Log the mean."""
        self.log("test_loss", self.losses(batch).mean())


class Returning(Bare):
    """Returns its losses."""

    def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
        """Return the mean."""
        return self.losses(batch).mean()

    def test_step(self, batch: list[Tensor], *_: int) -> Tensor:
        """Return the mean."""
        return self.losses(batch).mean()


@pytest.mark.parametrize("kind", [Net, Speaking, Returning])
@pytest.mark.parametrize("loader_number", [None, 1])
def test_losses_are_means_over_samples(
    kind: type[Bare], loader_number: int | None, tmp_path: Path
) -> None:
    """Batches of 4, 1 and 2 samples weigh as these, whatever Lightning makes of them."""
    monitor = GapMonitor(loader=loader_number)
    runner, loaders = trainer(tmp_path, monitor), [loader(part) for part in TWO]
    expected = WHOLE if loader_number is None else 15.0

    module = kind()
    runner.validate(module, loaders, verbose=False)
    assert runner.callback_metrics["Loss/val"].item() == pytest.approx(expected)
    runner.test(module, loaders, verbose=False)
    assert runner.callback_metrics["Loss/test"].item() == pytest.approx(expected)
    assert "log" not in vars(module)


def test_a_fit_is_left_as_it_was(tmp_path: Path) -> None:
    """What it has found stays, and the next validation within a fit is a check again."""
    monitor, module = GapMonitor(summary=False), Net()
    runner = trainer(tmp_path, monitor, max_epochs=2)
    runner.fit(module, loader(8), loader(5))
    before = monitor.history.to_plain()

    (found,) = runner.validate(module, loader(5), verbose=False)
    assert found["Loss/val"] == pytest.approx(monitor.history.val[-1], rel=1e-6)
    assert monitor.history.to_plain() == before


def test_a_tag_that_the_module_logs_is_left_to_it(tmp_path: Path) -> None:
    """Ours moves below a prefix, as in a fit."""

    class Tagged(Net):
        def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
            self.log("Loss/val", 42.0)
            return super().validation_step(batch)

    (found,) = trainer(tmp_path, GapMonitor()).validate(Tagged(), loader(TWO[0]), verbose=False)

    assert found == {"Loss/val": 42.0, "gapmon/Loss/val": pytest.approx(18 / 5)}


def test_a_metric_computes_the_loss(tmp_path: Path) -> None:
    """As in a fit, its own value counts."""

    class Rooted(Bare):
        def __init__(self) -> None:
            super().__init__()
            self.root = MeanSquaredError(squared=False)

        def test_step(self, batch: list[Tensor], *_: int) -> None:
            self.root.update(self.losses(batch), 0 * batch[0])
            self.log("test_loss", self.root)

    (found,) = trainer(tmp_path, GapMonitor()).test(Rooted(), loader(TWO[0]), verbose=False)

    expected = math.sqrt((1 + 9 + 25 + 49 + 4) / 5)
    assert found == pytest.approx({"test_loss": expected, "Loss/test": expected}, rel=1e-6)


def test_without_a_loss_nothing_is_logged(tmp_path: Path) -> None:
    """There is nothing to tell."""

    class Silent(Bare):
        def test_step(self, batch: list[Tensor], *_: int) -> None:
            self.losses(batch)

    assert trainer(tmp_path, GapMonitor()).test(Silent(), loader(5), verbose=False) == [{}]


def _evaluate(rank: int, folder: Path) -> dict[str, float]:
    """Validate and test outside a fit, on seven samples of one rank and two of another."""
    val = loader(values((7, 2)[rank], seed=9 + rank), batch_size=(2, 3)[rank])
    found: dict[str, float] = {}
    for stage in ("validate", "test"):
        runner = trainer(
            folder,
            GapMonitor(),
            strategy=DDPStrategy(cluster_environment=Here(rank)),
            devices=RANKS,
            use_distributed_sampler=False,
        )
        (numbers,) = getattr(runner, stage)(Net(), val, verbose=False)
        found.update(numbers)
    return found


def test_the_mean_is_over_all_ranks(tmp_path: Path) -> None:
    """Of seven samples and of two, for validation and test alike."""
    found = run_ranks(_evaluate, tmp_path, world_size=RANKS, folder=tmp_path, seconds=180)

    samples = torch.cat([values(7, seed=9), values(2, seed=10)])
    expected = pytest.approx(samples.double().mean().item(), rel=1e-6)
    assert found == [{"Loss/val": expected, "Loss/test": expected}] * RANKS
