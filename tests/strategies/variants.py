"""Modules that train in less usual ways; each notes the losses it had, batch by batch."""

import json
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import GradientAccumulationScheduler
from tests.strategies.fit_script import TRAIN, VAL, data
from torch import Tensor, nn

from lightning_gapmon import GapMonitor, GapMonitorMixin

Batch = list[Tensor]


class Noting(GapMonitorMixin, pl.LightningModule):
    """Notes the loss of each batch: the first, where it is evaluated several times."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(4, 1, bias=False)
        nn.init.zeros_(self.net.weight)
        self.noted: dict[str, dict[int, list[tuple[float, int]]]] = {"train": {}, "val": {}}
        self._batch: object = None

    def loss(self, batch: Batch, side: str) -> Tensor:
        """Compute a batch's mean loss and note it."""
        loss = nn.functional.mse_loss(self.net(batch[0]).float(), batch[1].float())
        if not self.trainer.sanity_checking and batch is not self._batch:
            noted = self.noted[side].setdefault(self.current_epoch, [])
            noted.append((float(loss.detach()), len(batch[0])))
        self._batch = batch
        return loss

    def validation_step(self, batch: Batch, *_: Any) -> Tensor:  # noqa: ANN401
        """Return the loss."""
        return self.track_loss(self.loss(batch, "val"))

    def configure_optimizers(self) -> Any:  # noqa: ANN401 - whatever Lightning takes
        """Take plain SGD."""
        return torch.optim.SGD(self.parameters(), lr=0.01)


class Mixin(Noting):
    """Hands its loss to the mixin."""

    def training_step(self, batch: Batch, *_: Any) -> Tensor:  # noqa: ANN401
        """Track and return the loss."""
        return self.track_loss(self.loss(batch, "train"))


class Returned(Noting):
    """Has its loss taken from what its steps return."""

    def training_step(self, batch: Batch, *_: Any) -> Tensor:  # noqa: ANN401
        """Return the loss."""
        return self.loss(batch, "train")

    def validation_step(self, batch: Batch, *_: Any) -> Tensor:  # noqa: ANN401
        """Return the loss."""
        return self.loss(batch, "val")


class MixinLBFGS(Mixin):
    """Has each batch evaluated several times."""

    def configure_optimizers(self) -> Any:  # noqa: ANN401
        """Take LBFGS."""
        return torch.optim.LBFGS(self.parameters(), lr=0.1, max_iter=4)


class LoggedLBFGS(MixinLBFGS):
    """Logs its losses under LBFGS."""

    def training_step(self, batch: Batch, *_: Any) -> Tensor:  # noqa: ANN401
        """Log and return the loss."""
        loss = self.loss(batch, "train")
        self.log("train_loss", loss, batch_size=len(batch[0]))
        return loss

    def validation_step(self, batch: Batch, *_: Any) -> None:  # type: ignore[override] # noqa: ANN401
        """Log the loss."""
        self.log("val_loss", self.loss(batch, "val"), batch_size=len(batch[0]))


class GAN(Noting):
    """Optimises by hand, with two optimisers, and returns nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.critic = nn.Linear(1, 1)

    def training_step(self, batch: Batch, *_: Any) -> None:  # type: ignore[override] # noqa: ANN401
        """Step the critic first; the loss comes after its backward pass."""
        first, second = self.optimizers()  # type: ignore[attr-defined]
        for optimizer, loss in ((second, self.critic(batch[1]).square().mean()), (first, None)):
            own = self.track_loss(self.loss(batch, "train")) if loss is None else loss
            optimizer.zero_grad()
            self.manual_backward(own)
            optimizer.step()

    def configure_optimizers(self) -> Any:  # noqa: ANN401
        """Take one for each."""
        kinds = self.net.parameters(), self.critic.parameters()
        return [torch.optim.SGD(parameters, lr=0.01) for parameters in kinds]


class Compiled(Mixin):
    """Has its network compiled, with what needs no compiler."""

    def __init__(self) -> None:
        super().__init__()
        self.net.compile(backend="aot_eager")


VARIANTS: dict[str, tuple[type[Noting], dict[str, Any]]] = {
    "32-true": (Mixin, {}),
    "64-true": (Mixin, {"precision": "64-true"}),
    "bf16-mixed": (Mixin, {"precision": "bf16-mixed"}),
    "16-mixed": (Mixin, {"precision": "16-mixed"}),
    "bf16-true": (Mixin, {"precision": "bf16-true"}),
    "accumulation": (Returned, {"accumulate_grad_batches": 3}),
    "scheduler": (Returned, {"callbacks": [GradientAccumulationScheduler({0: 1, 1: 3})]}),
    "LBFGS": (MixinLBFGS, {}),
    "LBFGS logged": (LoggedLBFGS, {}),
    "GAN": (GAN, {}),
    "compiled": (Compiled, {}),
}


def fit(name: str) -> dict[str, Any]:
    """Fit a variant."""
    kind, settings = VARIANTS[name]
    monitor, net = GapMonitor(checkpoint=False, summary=False), kind()
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=3,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **{**settings, "callbacks": [*settings.get("callbacks", ()), monitor]},
    )
    trainer.fit(net, data(TRAIN, factor=1.0), data(VAL, factor=0.5))
    assert monitor.outcome is not None
    told = {"history": monitor.history.to_plain(), "source": monitor.outcome.source}
    return {"noted": net.noted, **told}


def fit_all(path: Path) -> None:
    """Fit each of them, and write it down."""
    path.write_text(json.dumps({name: fit(name) for name in VARIANTS}))
