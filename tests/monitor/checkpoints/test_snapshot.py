"""The best check's weights, back in the module after fit to the last bit."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer, callbacks
from lightning.pytorch.callbacks import StochasticWeightAveraging
from tests.fits import Net, fit, loader, trainer, values
from torch import Tensor, nn

from lightning_gapmon import GapMonitor, GapMonitorMixin, Patience


class Deep(GapMonitorMixin, LightningModule):
    """Has parameters, buffers that are saved and one that is not, and a rough loss."""

    passes: Tensor

    def __init__(self, lr: float = 0.9) -> None:
        super().__init__()
        self.lr = lr
        self.net = nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        self.register_buffer("passes", torch.zeros(()), persistent=False)
        self.kept: list[dict[str, Tensor]] = []

    def loss_step(self, batch: list[Tensor]) -> Tensor:
        """Give one loss a sample."""
        if self.training:
            self.passes.add_(1)
        x = batch[0][:, None]
        loss: Tensor = (self.net(x) - x.sin())[:, 0].square()
        return loss

    def on_validation_batch_end(self, *_: object) -> None:
        """Keep what is being validated."""
        if not self.trainer.sanity_checking:
            at = len(self._monitor.history)
            self.kept[at:] = [copy.deepcopy(_state(self))]

    @property
    def _monitor(self) -> GapMonitor:
        listed: list[Any] = self.trainer.callbacks  # type: ignore[attr-defined]
        return next(one for one in listed if isinstance(one, GapMonitor))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Make large steps, so that the best check is not the last one."""
        return torch.optim.SGD(self.parameters(), lr=self.lr, momentum=0.9)


def _state(module: nn.Module) -> dict[str, Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _best(module: Deep, monitor: GapMonitor) -> dict[str, Tensor]:
    assert monitor.best is not None
    return module.kept[monitor.best.check - 1]


def _equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def _fit(folder: Path, *others: object, restore_best: bool = True) -> tuple[Deep, GapMonitor]:
    torch.manual_seed(0)
    module = Deep()
    monitor = GapMonitor(stop=Patience(6), restore_best=restore_best, summary=False)
    both = [one or monitor for one in others] or [monitor]
    fit(module, folder, *both, train=values(16), val=values(8, 1), max_epochs=12)
    return module, monitor


def test_the_best_weights_are_back(tmp_path: Path) -> None:
    """Parameters and all buffers are those that the best check validated, bit for bit."""
    module, monitor = _fit(tmp_path)

    assert monitor.best is not None
    assert monitor.best.check < len(monitor.history)
    assert _equal(_state(module), _best(module, monitor))
    assert monitor.outcome is not None
    assert monitor.outcome.restored


def test_the_last_weights_stay_where_it_is_off(tmp_path: Path) -> None:
    """By default fit ends with the weights that it ended with."""
    module, monitor = _fit(tmp_path, restore_best=False)

    assert not _equal(_state(module), _best(module, monitor))
    assert monitor.outcome is not None
    assert not monitor.outcome.restored


@pytest.mark.skipif(not hasattr(callbacks, "EMAWeightAveraging"), reason="came with 2.6")
@pytest.mark.parametrize("first", [True, False])
def test_averaged_weights_are_what_was_validated(first: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Under an averaging callback, on either side of it in the list, the averages are put back."""
    averaging = callbacks.EMAWeightAveraging(decay=0.5)

    module, monitor = _fit(tmp_path, *((None, averaging) if first else (averaging, None)))

    assert monitor.best is not None
    assert monitor.best.check < len(monitor.history)
    kept, found = _best(module, monitor), _state(module)
    averaged = dict(module.named_parameters())
    assert all(torch.equal(kept[name], found[name]) for name in averaged)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("start", [2, 20])
def test_stochastic_averaging_does_not_undo_it(start: int, first: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Lightning's SWA writes its average at the end; ours are those of the best check after it."""
    averaging = StochasticWeightAveraging(0.9, swa_epoch_start=start)

    module, monitor = _fit(tmp_path, *((None, averaging) if first else (averaging, None)))

    assert _equal(_state(module), _best(module, monitor))


class Averaging(Callback):
    """Writes an average of its own into the module when all is over, as many do."""

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write it."""
        with torch.no_grad():
            for value in pl_module.parameters():
                value.fill_(7)


def test_an_average_of_ones_own_does_not_undo_it(tmp_path: Path) -> None:
    """Whatever its class is called."""
    module, monitor = _fit(tmp_path, None, Averaging())

    assert _equal(_state(module), _best(module, monitor))


def test_a_run_without_a_finite_loss_keeps_its_last_weights(tmp_path: Path) -> None:
    """There is no best check, so nothing is put back and nothing fails."""

    class Bad(Net):
        def loss_step(self, batch: list[Tensor]) -> Tensor:
            losses = self.losses(batch)
            return losses if self.training else losses * torch.nan

    module, monitor = Bad(), GapMonitor(restore_best=True, summary=False)
    fit(module, tmp_path, monitor)

    assert module.weight.isfinite()
    assert monitor.outcome is not None
    assert not monitor.outcome.restored


def test_restored_weights_are_tested(tmp_path: Path) -> None:
    """What follows the fit in the same process uses them."""
    torch.manual_seed(0)
    monitor = GapMonitor(stop=Patience(6), restore_best=True, summary=False)
    module, runner = Deep(), trainer(tmp_path, monitor, max_epochs=12)
    runner.fit(module, loader(values(16)), loader(values(8, 1)))

    (result,) = runner.validate(module, loader(values(8, 1)), verbose=False)
    with torch.no_grad():
        loss = module.eval().loss_step([values(8, 1)]).double().mean()

    assert monitor.best is not None
    assert result == {"Loss/val": pytest.approx(monitor.best.val, rel=1e-6)}
    assert float(loss) == pytest.approx(monitor.best.val, rel=1e-6)
