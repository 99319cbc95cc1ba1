"""Every callback that Lightning has, beside the monitor: neither comes into the other's way."""

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer, callbacks, seed_everything
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lightning_gapmon import GapMonitor

# Made to be derived from: they train nothing by themselves.
BASES = {"BaseFinetuning", "BasePredictionWriter", "Callback", "ProgressBar"}
# What those need that cannot be made without, or that would find nothing to do in a short fit.
SETTINGS: dict[str, dict[str, Any]] = {
    "BackboneFinetuning": {"unfreeze_backbone_at_epoch": 1},
    "BatchSizeFinder": {"steps_per_trial": 1, "max_trials": 2, "init_val": 2},
    "DeviceStatsMonitor": {"cpu_stats": False},
    "EarlyStopping": {"monitor": "val_loss", "patience": 1, "min_delta": 9.0},
    "GradientAccumulationScheduler": {"scheduling": {1: 2}},
    "LearningRateFinder": {"num_training_steps": 5},
    "ModelCheckpoint": {"monitor": "val_loss"},
    "ModelPruning": {"pruning_fn": "l1_unstructured", "amount": 0.5},
    "OnExceptionCheckpoint": {"dirpath": "on_exception"},
    "SpikeDetection": {"warmup": 100},
    "StochasticWeightAveraging": {"swa_lrs": 0.01, "swa_epoch_start": 1},
    "ThroughputMonitor": {"batch_size_fn": lambda batch: len(batch[0]), "window_size": 2},
    "Timer": {"duration": {"hours": 1}},
}
FOUND = [
    name
    for name, kind in inspect.getmembers(callbacks, inspect.isclass)
    if issubclass(kind, Callback) and name not in BASES
]


class Net(LightningModule):
    """A module with a backbone, a learning rate and a batch size, for those who change them."""

    def __init__(self) -> None:
        super().__init__()
        self.lr, self.batch_size = 0.05, 4
        self.backbone = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
        self.head = nn.Linear(4, 1)

    def _loss(self, batch: list[Tensor]) -> Tensor:
        x, y = batch
        return nn.functional.mse_loss(self.head(self.backbone(x)), y)

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Log the train loss."""
        loss = self._loss(batch)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        """Log the validation loss."""
        self.log("val_loss", self._loss(batch))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Take what is trainable now, as the fine-tuning callbacks ask for."""
        trainable = [one for one in self.parameters() if one.requires_grad]
        return torch.optim.SGD(trainable, lr=self.lr, momentum=0.9)

    def train_dataloader(self) -> DataLoader[Any]:
        """Serve in batches of the size that is set."""
        return self._loader(shuffle=True)

    def val_dataloader(self) -> DataLoader[Any]:
        """Serve the same, in order."""
        return self._loader(shuffle=False)

    def _loader(self, *, shuffle: bool) -> DataLoader[Any]:
        x = torch.randn(16, 3, generator=torch.Generator().manual_seed(1))
        data = TensorDataset(x, x.sum(1, keepdim=True))
        return DataLoader(data, self.batch_size, shuffle=shuffle)


def _stock(name: str) -> list[Callback]:
    kind, settings = getattr(callbacks, name), SETTINGS.get(name, {})
    if name == "ModelCheckpoint":  # several of them, as people have
        return [kind(**settings), kind(every_n_train_steps=2, save_top_k=-1)]
    return [kind(**settings)]


def _weights(folder: Path, *listed: Callback) -> dict[str, Tensor]:
    seed_everything(5, verbose=False)
    module = Net()
    bars = [one for one in listed if isinstance(one, callbacks.ProgressBar)]
    summaries = [one for one in listed if isinstance(one, callbacks.ModelSummary)]
    Trainer(
        accelerator="cpu",
        max_epochs=3,
        callbacks=list(listed),
        logger=CSVLogger(folder),
        log_every_n_steps=1,
        enable_progress_bar=bool(bars),
        enable_model_summary=bool(summaries),
        default_root_dir=folder,
    ).fit(module)
    return module.state_dict()


# Each warns of what a short fit without workers lacks, or of how it uses torch.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FOUND)
def test_a_stock_callback_does_the_same_beside_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it and after it the fit ends, with the weights that it has without, bit by bit."""
    monkeypatch.chdir(tmp_path)
    alone = _weights(tmp_path / "alone", *_stock(name))
    monitors = [GapMonitor(stop=None, summary=False) for _ in range(2)]
    before = _weights(tmp_path / "before", monitors[0], *_stock(name))
    after = _weights(tmp_path / "after", *_stock(name), monitors[1])

    assert monitors[0].history.val == monitors[1].history.val
    assert len(monitors[0].history) >= 2
    for beside in (before, after):
        assert beside.keys() == alone.keys()
        assert [key for key in alone if not torch.equal(alone[key], beside[key])] == []


def test_the_list_is_of_what_there_is() -> None:
    """No setting is of a callback that is gone, and the well-known ones were found."""
    newer = {"EMAWeightAveraging", "SpikeDetection", "WeightAveraging"}  # than 2.4.0

    assert set(SETTINGS) <= {*FOUND, *newer}
    assert {"EarlyStopping", "ModelCheckpoint", "RichProgressBar", "Timer"} <= set(FOUND)
