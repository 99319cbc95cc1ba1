"""A GAN with two optimisers of its own: the loss that is watched is handed over.

python examples/gan.py

A generator learns a ring of points. Neither player's loss says whether it is good; what is tracked
is how far the discriminator is from a coin's loss, 0 where it cannot tell.
"""

import math

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, softplus
from torch.utils.data import DataLoader

from lightning_gapmon import GapMonitor, GapMonitorMixin


class Gan(GapMonitorMixin, LightningModule):
    """A generator and a discriminator of points in the plane."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.generator = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
        self.discriminator = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1))

    def players_loss(self, real: Tensor) -> Tensor:
        """Compute the discriminator's loss on real points and as many made ones."""
        made = self.generator(torch.randn(len(real), 4, device=real.device))
        judged = self.discriminator(torch.cat([real, made.detach()])).squeeze(1)
        truth = torch.cat([torch.ones(len(real)), torch.zeros(len(real))]).to(judged)
        return binary_cross_entropy_with_logits(judged, truth)

    def training_step(self, real: Tensor, _: int) -> None:
        """Let each player take a step."""
        generators, discriminators = self.optimizers()  # type: ignore[attr-defined]
        loss = self.players_loss(real)
        discriminators.zero_grad()
        self.manual_backward(loss)
        discriminators.step()

        made = self.generator(torch.randn(len(real), 4, device=real.device))
        generators.zero_grad()
        self.manual_backward(softplus(-self.discriminator(made)).mean())
        generators.step()
        self.track_loss(math.log(2) - loss.detach(), batch_size=len(real))

    def validation_step(self, real: Tensor, _: int) -> None:
        """Track the same on points that nobody trained on."""
        self.track_loss(math.log(2) - self.players_loss(real), batch_size=len(real))

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Give each player its own."""
        players = self.generator, self.discriminator
        return [torch.optim.Adam(player.parameters(), lr=2e-3) for player in players]


def main() -> None:
    """Train, watched, without a stop: a GAN's losses are no race to the bottom."""
    seed_everything(0)
    angles = torch.rand(400) * 2 * math.pi
    ring = torch.stack([angles.cos(), angles.sin()], dim=1)
    trainer = Trainer(
        accelerator="cpu", max_epochs=8, callbacks=[GapMonitor(stop=None)], logger=False
    )
    trainer.fit(Gan(), DataLoader(ring[:300], 32, shuffle=True), DataLoader(ring[300:], 100))


if __name__ == "__main__":
    main()
