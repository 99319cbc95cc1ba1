"""What watching costs a training step, beside the stock ways to log a mean loss.

    python benchmarks/step_overhead.py [--steps 2000] [--rounds 7] [--accelerator cpu]

Each round trains the same small model once in every way, in a new order, for two epochs, of which
the second counts: the first settles where losses come from. A way's cost is what a
step takes longer than in the bare Trainer of the same round; medians over the rounds. On the CPU
time is what this process was given (`time.process_time`), so that a busy machine does not count.
On a GPU the steps of `GapMonitor` run under `torch.cuda.set_sync_debug_mode("error")`: a wait for
the device would raise.
"""

import argparse
import logging
import random
import statistics
import time
import warnings
from collections.abc import Callable

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchmetrics import MeanMetric

from lightning_gapmon import GapMonitor, GapMonitorMixin

BATCH = 8


class Batches(Dataset):
    """The same batch again and again: no loading to speak of."""

    def __init__(self, count: int) -> None:
        self.count, self.batch = count, (torch.zeros(BATCH, 4), torch.zeros(BATCH, 1))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, _: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.batch


class Bare(LightningModule):
    """A regression that logs nothing; notes when the last epoch's steps began and ended."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
        self.started = self.ended = 0.0
        self.clock = time.process_time

    def loss(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return functional.mse_loss(self.layer(batch[0]), batch[1])

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        return self.loss(batch)

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        return self.loss(batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.0)

    def on_train_epoch_start(self) -> None:
        self.started = self.clock()

    def on_train_batch_end(self, *_: object) -> None:
        self.ended = self.clock()


class Logs(Bare):
    """Logs its loss as Lightning's users do."""

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        loss = self.loss(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=BATCH)
        return loss


class Metric(Bare):
    """Feeds a torchmetrics mean."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = MeanMetric()

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        loss = self.loss(batch)
        self.mean.update(loss.detach(), BATCH)
        return loss


class Mixed(GapMonitorMixin, Bare):
    """Tracks its loss through the mixin."""

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        return self.track_loss(self.loss(batch), n=BATCH)

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        return self.track_loss(self.loss(batch), n=BATCH)


class EachAlone(Bare):
    """Computes one loss a sample, and logs nothing."""

    def loss(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return self.each(batch).mean()

    def each(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return functional.mse_loss(self.layer(batch[0]), batch[1], reduction="none").mean(1)


class PerSample(GapMonitorMixin, EachAlone):
    """Tracks one loss a sample."""

    def loss(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return self.track_loss(self.each(batch)).mean()

    training_step, validation_step = Bare.training_step, Bare.validation_step


class NoWait(Callback):
    """Lets a wait for the device raise, inside training steps."""

    def on_train_batch_start(self, *_: object) -> None:
        if torch.cuda.is_available():
            torch.cuda.set_sync_debug_mode("error")

    def on_train_batch_end(self, *_: object) -> None:
        if torch.cuda.is_available():
            torch.cuda.set_sync_debug_mode("default")


def monitor() -> GapMonitor:
    """Give a monitor that only watches."""
    return GapMonitor(checkpoint=False, summary=False)


WAYS: dict[str, Callable[[], tuple[Bare, list[Callback]]]] = {
    "bare Trainer": lambda: (Bare(), []),
    "bare Trainer, one loss a sample": lambda: (EachAlone(), []),
    "a callback that does nothing": lambda: (Bare(), [Callback()]),
    "self.log(on_epoch=True, batch_size=...)": lambda: (Logs(), []),
    "torchmetrics MeanMetric": lambda: (Metric(), []),
    "GapMonitor, step outputs": lambda: (Bare(), [monitor()]),
    "GapMonitor, mixin, batch means": lambda: (Mixed(), [monitor()]),
    "GapMonitor, mixin, one loss a sample": lambda: (PerSample(), [monitor()]),
    "self.log + GapMonitor that hears it": lambda: (Logs(), [monitor()]),
}


def seconds_a_step(way: str, steps: int, accelerator: str) -> float:
    """Train once in a way."""
    module, callbacks = WAYS[way]()
    if accelerator == "gpu":
        module.clock = time.perf_counter
    strict = [NoWait()] if accelerator == "gpu" and "GapMonitor," in way else []
    trainer = Trainer(
        accelerator=accelerator,
        devices=1,
        max_epochs=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        callbacks=[*callbacks, *strict],
    )
    trainer.fit(module, _loader(steps), _loader(1))
    return (module.ended - module.started) / steps


def _loader(count: int) -> DataLoader:
    return DataLoader(Batches(count), batch_size=None)


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--accelerator", default="cpu")
    settings = parser.parse_args()
    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(settings.rounds):
        for way in random.sample(list(WAYS), len(WAYS)):
            seconds[way].append(seconds_a_step(way, settings.steps, settings.accelerator))
    report(seconds)


# What a way is compared with, where it is not the bare Trainer.
BASES = {
    "GapMonitor, mixin, one loss a sample": "bare Trainer, one loss a sample",
    "self.log + GapMonitor that hears it": "self.log(on_epoch=True, batch_size=...)",
}


def report(seconds: dict[str, list[float]]) -> None:
    """Print each way's cost, and what is left of it beside a callback that does nothing."""
    costs = {
        way: [
            1e6 * (own - base)
            for own, base in zip(times, seconds[BASES.get(way, "bare Trainer")], strict=True)
        ]
        for way, times in seconds.items()
    }
    idle, log = (
        costs["a callback that does nothing"],
        costs["self.log(on_epoch=True, batch_size=...)"],
    )
    print(f"bare Trainer: {1e6 * statistics.median(seconds['bare Trainer']):.0f} us a step\n")
    print(f"{'way':<42} {'us a step':>10} {'of self.log':>12} {'less an idle callback':>22}")
    for way, cost in costs.items():
        ratio = statistics.median(own / base for own, base in zip(cost, log, strict=True))
        left = statistics.median(
            (own - none) / base for own, none, base in zip(cost, idle, log, strict=True)
        )
        beside = f"{left:>22.3f}" if "GapMonitor" in way else ""
        print(f"{way:<42} {statistics.median(cost):>10.1f} {ratio:>12.3f} {beside}")


if __name__ == "__main__":
    main()
