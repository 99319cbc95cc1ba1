"""Five folds, a monitor each, and a summary over them: the mean of their best losses, and spread.

python examples/k_fold.py
"""

from statistics import mean, stdev

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold
from torch import Tensor
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, Subset, TensorDataset

from lightning_gapmon import GapMonitor, GapMonitorMixin


class Regression(GapMonitorMixin, LightningModule):
    """A small network."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Sequential(
            torch.nn.Linear(10, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1)
        )

    def loss_step(self, batch: list[Tensor]) -> Tensor:
        """Compute one loss a patient."""
        x, y = batch
        return mse_loss(self.net(x).squeeze(1), y, reduction="none")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Use a plain Adam."""
        return torch.optim.Adam(self.parameters(), lr=0.01)


def fit(train: Subset[tuple[Tensor, ...]], val: Subset[tuple[Tensor, ...]]) -> GapMonitor:
    """Train on one fold's part, and say nothing yet."""
    monitor = GapMonitor(summary=False)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=12,
        callbacks=[monitor],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Regression(), DataLoader(train, 32, shuffle=True), DataLoader(val, 256))
    return monitor


def main() -> None:
    """Train each fold, and print a line each and one for all."""
    seed_everything(0)
    x, y = (torch.tensor(part).float() for part in load_diabetes(return_X_y=True))
    patients = TensorDataset(x * 20, (y - y.mean()) / y.std())
    best = []
    for fold, (train, val) in enumerate(KFold(5, shuffle=True, random_state=0).split(x)):
        monitor = fit(Subset(patients, train.tolist()), Subset(patients, val.tolist()))
        if monitor.best is not None:
            best.append(monitor.best.val)
            print(f"fold {fold}  check {monitor.best.check:2}  best {monitor.best.val:.3f}")
            print(f"        {monitor.diagnosis.verdict}")
    print(f"mean of best {mean(best):.3f}, standard deviation {stdev(best):.3f}")


if __name__ == "__main__":
    main()
