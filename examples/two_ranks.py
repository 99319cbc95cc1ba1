"""Two processes, one watched run: both ranks see the same exact means, and stop together.

python examples/two_ranks.py
"""

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from torch import Tensor
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset

from lightning_gapmon import GapMonitor, GapMonitorMixin


class Line(GapMonitorMixin, LightningModule):
    """A line through points."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Linear(1, 1)

    def loss_step(self, batch: list[Tensor]) -> Tensor:
        """Compute one loss a point: batches need not be equal, nor ranks."""
        x, y = batch
        return mse_loss(self.net(x), y, reduction="none").squeeze(1)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Use plain gradient descent."""
        return torch.optim.SGD(self.parameters(), lr=0.1)


def main() -> None:
    """Train on two ranks of this machine, without a GPU."""
    seed_everything(0)
    x = torch.randn(101, 1)
    data = TensorDataset(x, 2 * x + 0.1 * torch.randn(101, 1))
    trainer = Trainer(
        accelerator="cpu",
        devices=2,
        strategy="ddp",
        max_epochs=5,
        callbacks=[GapMonitor()],
        logger=False,
    )
    trainer.fit(Line(), DataLoader(data, 8, shuffle=True), DataLoader(data, 32))


if __name__ == "__main__":
    main()
