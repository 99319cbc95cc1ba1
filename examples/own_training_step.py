"""A module with steps of its own: the mixin takes the loss where it is handed over.

python examples/own_training_step.py
"""

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from sklearn.datasets import load_diabetes
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset, random_split

from lightning_gapmon import GapMonitor, GapMonitorMixin


class Regression(GapMonitorMixin, LightningModule):
    """A linear model whose train loss has a penalty that the gap must not have."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Linear(10, 1)

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        """Optimise the penalised loss, and track the one that validation has too."""
        x, y = batch
        loss = self.track_loss(mse_loss(self.net(x).squeeze(1), y), batch_size=len(x))
        penalty: torch.Tensor = 1e-3 * self.net.weight.abs().sum()
        return loss + penalty

    def validation_step(self, batch: list[torch.Tensor], _: int) -> None:
        """Track the loss."""
        x, y = batch
        self.track_loss(mse_loss(self.net(x).squeeze(1), y), batch_size=len(x))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Use a plain Adam."""
        return torch.optim.Adam(self.parameters(), lr=0.05)


def main() -> None:
    """Train, watched."""
    seed_everything(0)
    x, y = (torch.tensor(part).float() for part in load_diabetes(return_X_y=True))
    train, val = random_split(TensorDataset(x * 20, (y - y.mean()) / y.std()), [300, len(y) - 300])
    trainer = Trainer(accelerator="cpu", max_epochs=10, callbacks=[GapMonitor()], logger=False)
    trainer.fit(Regression(), DataLoader(train, 32, shuffle=True), DataLoader(val, 256))


if __name__ == "__main__":
    main()
