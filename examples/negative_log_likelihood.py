"""A regression that says how sure it is: its loss may be below zero, where a ratio means nothing.

python examples/negative_log_likelihood.py
"""

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from torch import Tensor
from torch.distributions import Normal
from torch.utils.data import DataLoader, TensorDataset

from lightning_gapmon import GapMonitor, GapMonitorMixin, Patience


class Gaussian(GapMonitorMixin, LightningModule):
    """Gives a mean and a spread for each sample."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Sequential(
            torch.nn.Linear(1, 32), torch.nn.Tanh(), torch.nn.Linear(32, 2)
        )

    def loss_step(self, batch: list[Tensor]) -> Tensor:
        """Compute one negative log-likelihood a sample."""
        x, y = batch
        mean, log_spread = self.net(x).chunk(2, dim=1)
        return -Normal(mean, log_spread.exp()).log_prob(y).squeeze(1)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Use a plain Adam."""
        return torch.optim.Adam(self.parameters(), lr=0.02)


def main() -> None:
    """Train, watched, with a patience in checks and a step in units of the loss."""
    seed_everything(0)
    x = torch.rand(500, 1)
    data = TensorDataset(x, torch.sin(6 * x) + 0.05 * torch.randn(500, 1))
    train, val = torch.utils.data.random_split(data, [300, 200])
    monitor = GapMonitor(stop=Patience(8, min_delta=0.01))
    trainer = Trainer(accelerator="cpu", max_epochs=25, callbacks=[monitor], logger=False)
    trainer.fit(Gaussian(), DataLoader(train, 32, shuffle=True), DataLoader(val, 200))


if __name__ == "__main__":
    main()
