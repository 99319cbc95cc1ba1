"""Fine-tuning with a warm-up: no rule may speak before the learning rate is up.

python examples/fine_tuning.py

A network that knows the digits 0 to 4 learns the other five, with its first layer frozen.
"""

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset, random_split

from lightning_gapmon import GapMonitor, GapMonitorMixin, Patience

HALF = 5  # of the ten digits
WARM_UP = 3  # epochs, and so checks


class Digits(GapMonitorMixin, LightningModule):
    """A backbone and a head for five digits."""

    def __init__(self, backbone: nn.Module, lr: float) -> None:
        super().__init__()
        self.backbone, self.head, self.lr = backbone, nn.Linear(32, HALF), lr

    def loss_step(self, batch: list[Tensor]) -> Tensor:
        """Compute one loss a digit."""
        x, y = batch
        return cross_entropy(self.head(self.backbone(x)), y, reduction="none")

    def configure_optimizers(self) -> tuple[list[torch.optim.Optimizer], list[object]]:
        """Raise the learning rate over the first epochs."""
        trainable = [one for one in self.parameters() if one.requires_grad]
        optimizer = torch.optim.Adam(trainable, lr=self.lr)
        warm_up = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=WARM_UP)
        return [optimizer], [warm_up]


def fit(module: Digits, digits: TensorDataset, monitor: GapMonitor, epochs: int) -> None:
    """Train on most of the digits, watched."""
    train, val = random_split(digits, [len(digits) - 200, 200])
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        callbacks=[monitor],
        logger=False,
        enable_model_summary=False,
    )
    trainer.fit(module, DataLoader(train, 32, shuffle=True), DataLoader(val, 200))


def main() -> None:
    """Train the whole on five digits, then the head on the others."""
    seed_everything(0)
    x, y = (torch.tensor(part) for part in load_digits(return_X_y=True))
    low, high = (
        TensorDataset(x[chosen].float() / 16, y[chosen] % HALF) for chosen in (y < HALF, y >= HALF)
    )
    backbone = nn.Sequential(nn.Linear(64, 32), nn.ReLU())
    fit(Digits(backbone, lr=0.01), low, GapMonitor(stop=None, summary=False), epochs=5)

    backbone.requires_grad_(requires_grad=False)
    monitor = GapMonitor(stop=Patience(3).after(WARM_UP), restore_best=True)
    fit(Digits(backbone, lr=0.02), high, monitor, epochs=12)


if __name__ == "__main__":
    main()
