"""A module that knows nothing of the monitor: it logs its losses as modules do.

    python examples/your_module.py

The monitor finds `train_loss` and `val_loss` by themselves, hears every value with the weight that
the module gives it, and says so. Nothing in the module changes.
"""

import torch
from lightning.pytorch import LightningModule, Trainer
from sklearn.datasets import load_diabetes
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset, random_split

from lightning_gapmon import GapMonitor, Patience, Target


class Regression(LightningModule):
    """A small network with dropout, as one finds them."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Sequential(
            torch.nn.Linear(10, 64), torch.nn.ReLU(), torch.nn.Dropout(0.3), torch.nn.Linear(64, 1)
        )

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        """Log the train loss."""
        x, y = batch
        loss = functional.mse_loss(self.net(x).squeeze(1), y)
        self.log("train_loss", loss, batch_size=len(x))
        return loss

    def validation_step(self, batch: list[torch.Tensor], _: int) -> None:
        """Log the validation loss, and return nothing."""
        x, y = batch
        self.log("val_loss", functional.mse_loss(self.net(x).squeeze(1), y), batch_size=len(x))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Use a plain Adam."""
        return torch.optim.Adam(self.parameters(), lr=0.01)


def main() -> None:
    """Train, watched."""
    x, y = (torch.tensor(part).float() for part in load_diabetes(return_X_y=True))
    patients = TensorDataset(x * 20, (y - y.mean()) / y.std())
    seeded = torch.Generator().manual_seed(0)
    train, val = random_split(patients, [300, len(patients) - 300], generator=seeded)
    monitor = GapMonitor(stop=Patience("20%") | Target(0.1), restore_best=True)
    trainer = Trainer(accelerator="cpu", max_epochs=40, callbacks=[monitor], logger=False)
    trainer.fit(Regression(), DataLoader(train, 32, shuffle=True), DataLoader(val, 256))
    print(monitor.best)


if __name__ == "__main__":
    main()
