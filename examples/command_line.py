"""LightningCLI with the monitor in its configuration file, rule and all.

python examples/command_line.py fit --config examples/command_line.yaml
"""

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from lightning.pytorch.cli import LightningCLI
from torch import Tensor
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset


class Line(LightningModule):
    """A line through points, which knows nothing of the monitor."""

    def __init__(self, lr: float = 0.1) -> None:
        super().__init__()
        self.net, self.lr = torch.nn.Linear(1, 1), lr

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Log the train loss."""
        loss = mse_loss(self.net(batch[0]), batch[1])
        self.log("train_loss", loss, batch_size=len(batch[0]))
        return loss

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        """Log the validation loss."""
        loss = mse_loss(self.net(batch[0]), batch[1])
        self.log("val_loss", loss, batch_size=len(batch[0]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Use plain gradient descent."""
        return torch.optim.SGD(self.parameters(), lr=self.lr)


class Points(LightningDataModule):
    """Points near a line."""

    def __init__(self, count: int = 200) -> None:
        super().__init__()
        x = torch.randn(count, 1, generator=torch.Generator().manual_seed(0))
        self.points = TensorDataset(x, 2 * x + 0.1 * x.sin())

    def train_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        """Serve the points in any order."""
        return DataLoader(self.points, 16, shuffle=True)

    def val_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        """Serve the points in order."""
        return DataLoader(self.points, 64)


if __name__ == "__main__":
    LightningCLI(Line, Points, save_config_callback=None)
