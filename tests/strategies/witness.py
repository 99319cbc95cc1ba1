"""What a rank sees of its monitor: collectives counted, numbers and weights written down."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch.distributed as dist
from torch import nn
from torch.distributed.tensor import DTensor

from lightning_gapmon import GapMonitor

COLLECTIVES = (
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_reduce",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "reduce",
)


class Counted(GapMonitor):
    """The monitor, with the collectives counted that its own hooks ask for."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - as the monitor takes them
        super().__init__(**options)
        self.counts: list[dict[str, int]] = []

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count in the first of the two hooks."""
        if not trainer.sanity_checking and trainer.state.fn == "fit":
            self.counts.append(dict.fromkeys(COLLECTIVES, 0))
        with counting(self.counts):
            super().on_validation_epoch_end(trainer, pl_module)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count in the second."""
        with counting(self.counts):
            super().on_validation_end(trainer, pl_module)


class counting:  # noqa: N801 - reads as what it does
    """Count the collectives of `torch.distributed` while it lasts."""

    def __init__(self, counts: list[dict[str, int]]) -> None:
        self.counts = counts[-1] if counts else {}
        self._real: dict[str, Any] = {}

    def __enter__(self) -> None:
        for name in self.counts:
            self._real[name] = getattr(dist, name)
            setattr(dist, name, self._counted(name))

    def _counted(self, name: str) -> Any:  # noqa: ANN401 - a function of torch, as it is
        def call(*args: Any, **settings: Any) -> Any:  # noqa: ANN401
            self.counts[name] += 1
            return self._real[name](*args, **settings)

        return call

    def __exit__(self, *_: object) -> None:
        for name, real in self._real.items():
            setattr(dist, name, real)


class Witness(pl.Callback):
    """Sees what the monitor says at each validation, and tells it all after the fit."""

    def __init__(self, monitor: Counted, path: Path) -> None:
        self.monitor, self.path = monitor, path
        self.seen: list[dict[str, Any]] = []

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write down what this rank is told and holds."""
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        tags = ("Loss/train", "Loss/val", "Loss/gap", "val_loss")
        metrics = trainer.callback_metrics
        self.seen.append(
            {
                "metrics": {tag: metrics[tag].item() for tag in tags if tag in metrics},
                "should_stop": trainer.should_stop,
                "weights": own_weights(pl_module),
            }
        )

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Tell it, from the process that trained."""
        self._tell(trainer, pl_module)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Tell how far it came."""
        self._tell(trainer, pl_module, exception=repr(exception))

    def _tell(
        self, trainer: pl.Trainer, module: pl.LightningModule, exception: str | None = None
    ) -> None:
        told = {
            **known(self.monitor),
            "counts": self.monitor.counts,
            "seen": self.seen,
            "losses": getattr(module, "losses", []),
            "weights": own_weights(module),
            "replicas": sampling(trainer),
            "global_rank": trainer.global_rank,
            "exception": exception,
        }
        write(self.path, f"rank{trainer.global_rank}", told)


def write(path: Path, name: str, told: Mapping[str, Any]) -> None:
    """Leave a result as JSON."""
    path.mkdir(parents=True, exist_ok=True)
    (path / f"{name}.json").write_text(json.dumps(told))


def known(monitor: Counted) -> dict[str, Any]:
    """Give what a monitor knows after a fit."""
    outcome = monitor.outcome
    return {
        "history": monitor.history.to_plain(),
        "best": monitor.best.check if monitor.best else None,
        "stop_reason": str(monitor.stop_reason) if monitor.stop_reason else None,
        "restored": outcome.restored if outcome else None,
        "best_path": outcome.best_path if outcome else None,
        "notes": list(outcome.notes) if outcome else None,
    }


def sampling(trainer: pl.Trainer) -> dict[str, int]:
    """Say which part of the data this rank has."""
    return dict(getattr(trainer.strategy, "distributed_sampler_kwargs", None) or {})


def own_weights(module: nn.Module) -> dict[str, Any]:
    """Give this rank's share of the weights."""
    reshard(module)
    return {
        name: (p.to_local() if isinstance(p, DTensor) else p).detach().double().tolist()
        for name, p in module.named_parameters()
    }


def reshard(module: nn.Module) -> None:
    """Free what FSDP2 has gathered, so that parameters are shards again."""
    for part in module.modules():
        if hasattr(part, "reshard"):
            part.reshard()  # type: ignore[operator]
