"""The smallest whole program: a classifier of scikit-learn's digits, watched.

python examples/quickstart.py [--accelerator cpu] [--devices 1] [--max-epochs 20]
"""

import argparse

import torch
from lightning.pytorch import LightningModule, Trainer
from sklearn.datasets import load_digits
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset, random_split

from lightning_gapmon import GapMonitor, GapMonitorMixin


class Classifier(GapMonitorMixin, LightningModule):
    """A linear classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Linear(64, 10)

    def loss_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        """Compute one loss a digit, for training and validation alike."""
        x, y = batch
        return functional.cross_entropy(self.net(x), y, reduction="none")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Use a plain Adam."""
        return torch.optim.Adam(self.parameters(), lr=0.01)


def main() -> None:
    """Train, watched."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accelerator", default="cpu")
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--max-epochs", type=int, default=20)
    settings = parser.parse_args()

    x, y = (torch.tensor(part) for part in load_digits(return_X_y=True))
    digits = TensorDataset(x.float() / 16, y)
    seeded = torch.Generator().manual_seed(0)
    train, val = random_split(digits, [1000, len(digits) - 1000], generator=seeded)
    trainer = Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        max_epochs=settings.max_epochs,
        callbacks=[GapMonitor()],
    )
    trainer.fit(Classifier(), DataLoader(train, 32, shuffle=True), DataLoader(val, 256))


if __name__ == "__main__":
    main()
