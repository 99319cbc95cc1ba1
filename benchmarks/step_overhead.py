"""What watching costs a training step, beside the stock ways to log a mean loss.

    python benchmarks/step_overhead.py [--rounds 250] [--accelerator cpu]

The ways take turns within one fit, 64 steps each and in a new order every round: nothing at all,
a callback that does nothing, `self.log(on_step=False, on_epoch=True, batch_size=...)`, and the way
in question. A round gives what each way costs, and the ratios; printed are medians over the
rounds, with the quarters around them. Emptying the monitor's buffer, once in 1,024 steps, is
clocked by itself and its share added to the costs. On the CPU time is what this process was given
(`time.process_time`). On a GPU the monitor's steps run under
`torch.cuda.set_sync_debug_mode("error")`: a wait for the device would raise.
"""

import argparse
import logging
import random
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from functools import partialmethod
from unittest.mock import patch

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchmetrics import MeanMetric

from lightning_gapmon import GapMonitor, GapMonitorMixin
from lightning_gapmon.collect.meter.buffer import FLUSH_BATCHES
from lightning_gapmon.collect.meter.meter import LossMeter

BATCH, BLOCK, ROUNDS = 8, 64, 16
Batch = tuple[Tensor, Tensor]


class Batches(Dataset[Batch]):
    """The same batch again and again: no loading to speak of."""

    def __init__(self, count: int) -> None:
        self.count, self.batch = count, (torch.zeros(BATCH, 4), torch.zeros(BATCH, 1))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, _: int) -> Batch:
        return self.batch


class Regression(GapMonitorMixin, LightningModule):
    """A small regression, and the ways to keep its loss."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
        self.mean = MeanMetric()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.0)

    def each(self, batch: Batch) -> Tensor:
        return functional.mse_loss(self.layer(batch[0]), batch[1], reduction="none").mean(1)

    def nothing(self, batch: Batch, _: str) -> Tensor:
        return self.each(batch).mean()

    def logs(self, batch: Batch, side: str) -> Tensor:
        loss = self.each(batch).mean()
        self.log(f"{side}_loss", loss, on_step=False, on_epoch=True, batch_size=BATCH)
        return loss

    def feeds_metric(self, batch: Batch, _: str) -> Tensor:
        loss = self.each(batch).mean()
        self.mean.update(loss.detach(), BATCH)
        return loss

    def tracks_mean(self, batch: Batch, _: str) -> Tensor:
        return self.track_loss(self.each(batch).mean(), batch_size=BATCH)

    def tracks_each(self, batch: Batch, _: str) -> Tensor:
        return self.track_loss(self.each(batch)).mean()


Step = Callable[["Turns", Batch, str], Tensor]


class NoWait(Callback):
    """Lets a wait for the device raise, inside training steps."""

    def on_train_batch_start(self, *_: object) -> None:
        if torch.cuda.is_available():
            torch.cuda.set_sync_debug_mode("error")

    def on_train_batch_end(self, *_: object) -> None:
        if torch.cuda.is_available():
            torch.cuda.set_sync_debug_mode("default")


class Turns(Regression):
    """Lets the ways take turns, and keeps what each one's steps took.

    Args:
        ways: The step of each way; the last is the one in question.
        callbacks: The callbacks of a way, which the Trainer has in its turn alone.
        rounds: How many there are in an epoch.
        on_gpu: Whether to wait for the device before the clock is read.
    """

    def __init__(
        self,
        ways: Mapping[str, Step],
        callbacks: Mapping[str, list[Callback]],
        *,
        rounds: int,
        on_gpu: bool,
    ) -> None:
        super().__init__()
        self.ways, self.own, self.an_epoch, self.waits = ways, callbacks, rounds, on_gpu
        self.rounds: list[dict[str, float]] = []
        self.flushes: list[float] = []
        self.order: list[str] = []
        self.way, self.began, self.flushed = list(ways)[-1], 0.0, 0.0

    def clock(self) -> float:
        if not self.waits:
            return time.process_time()
        torch.cuda.synchronize()
        return time.perf_counter()

    def training_step(self, batch: Batch, _: int) -> Tensor:
        return self.ways[self.way](self, batch, "train")

    def validation_step(self, batch: Batch, _: int) -> Tensor:
        return self.ways[self.way](self, batch, "val")

    def on_train_epoch_start(self) -> None:
        names = list(self.ways)
        rounds = [random.sample(names, len(names)) for _ in range(self.an_epoch)]
        # Validation, at the end of the epoch, is to find the way in question in place.
        self.order = [*(name for one in rounds for name in one), names[-1]]
        self.change(self.order[0])

    def on_train_batch_end(self, _outputs: object, _batch: object, index: int) -> None:
        block, rest = divmod(index + 1, BLOCK)
        if rest:
            return
        if (block - 1) % len(self.ways) == 0:
            self.rounds.append({})
        took = self.clock() - self.began - self.flushed
        self.rounds[-1][self.way] = 1e6 * took / BLOCK
        self.change(self.order[block])

    def time_flush(self, flush: Callable[[LossMeter], None], meter: LossMeter) -> None:
        """Empty a buffer, and take the time out of the block."""
        full = len(meter._buffer) == FLUSH_BATCHES  # noqa: SLF001
        began = self.clock()
        flush(meter)
        took = self.clock() - began
        self.flushed += took
        if full:
            self.flushes.append(1e6 * took / FLUSH_BATCHES)

    def change(self, way: str) -> None:
        """Take the callbacks of the last way out of the Trainer, and put those of the next in."""
        self.way = way
        every = [callback for several in self.own.values() for callback in several]
        others = [one for one in self.trainer.callbacks if one not in every]
        self.trainer.callbacks[:] = [*self.own.get(way, []), *others]
        for monitor in every:
            fit = getattr(monitor, "_fit", None)
            if fit is not None and fit._hook is not None:  # noqa: SLF001
                hook = fit._hook  # noqa: SLF001
                (hook.attach if monitor in self.own.get(way, []) else hook.detach)()
        self.flushed, self.began = 0.0, self.clock()


IDLE, LOG = "a callback that does nothing", "self.log(on_epoch=True, batch_size=...)"
STOCK: dict[str, Step] = {
    "bare Trainer": Turns.nothing,
    IDLE: Turns.nothing,
    LOG: Turns.logs,
}
WAYS: dict[str, Step] = {
    "torchmetrics MeanMetric": Turns.feeds_metric,
    "GapMonitor, step outputs": Turns.nothing,
    "GapMonitor, mixin, batch means": Turns.tracks_mean,
    "GapMonitor, mixin, one loss a sample": Turns.tracks_each,
    "GapMonitor, hearing self.log": Turns.logs,
}


def measured(way: str, rounds: int, *, on_gpu: bool) -> Turns:
    """Fit once, an epoch longer than asked for: the first settles where losses come from."""
    monitors = [GapMonitor(checkpoint=False, summary=False)] if "GapMonitor" in way else []
    strict = [NoWait()] if on_gpu and WAYS[way] is not Turns.logs else []
    own: dict[str, list[Callback]] = {IDLE: [Callback()], way: [*monitors, *strict]}
    an_epoch = min(ROUNDS, rounds)
    module = Turns({**STOCK, way: WAYS[way]}, own, rounds=an_epoch, on_gpu=on_gpu)
    trainer = Trainer(
        accelerator="gpu" if on_gpu else "cpu",
        devices=1,
        max_epochs=1 + rounds // an_epoch,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        callbacks=list(monitors),
    )
    steps = BLOCK * an_epoch * len(module.ways)
    with patch.object(LossMeter, "flush", partialmethod(_timed, module, LossMeter.flush)):
        trainer.fit(module, _loader(steps), _loader(1))
    return module


def _timed(meter: LossMeter, module: Turns, flush: Callable[[LossMeter], None]) -> None:
    module.time_flush(flush, meter)


def _loader(count: int) -> DataLoader[Batch]:
    return DataLoader(Batches(count), batch_size=None)


def report(way: str, module: Turns) -> None:
    """Print a way's cost, beyond the bare Trainer and beyond an idle callback."""
    rounds = module.rounds[module.an_epoch :]
    flush = statistics.median(module.flushes) if module.flushes else 0.0
    # What is heard has been logged anyway, and that is not the monitor's doing.
    free = LOG if way == "GapMonitor, hearing self.log" else "bare Trainer"
    log = [each[LOG] - each["bare Trainer"] for each in rounds]
    idle = [each[IDLE] - each["bare Trainer"] for each in rounds]
    cost = [each[way] - each[free] + flush for each in rounds]
    beyond = [whole - none for whole, none in zip(cost, idle, strict=True)]
    columns = [_median(values, 1) for values in (log, idle, cost)]
    columns += [_median(_ratios(values, log), 3) for values in (cost, beyond)]
    print(f"{way:<37}" + "".join(f"{column:>22}" for column in columns), flush=True)


def _ratios(values: list[float], base: list[float]) -> list[float]:
    return [value / one for value, one in zip(values, base, strict=True)]


def _median(values: list[float], digits: int) -> str:
    """Write the median with its 95 % interval, by order statistics."""
    ordered = sorted(values)
    half = 0.98 * len(ordered) ** 0.5
    places = (round(len(ordered) / 2 + shift) for shift in (-half, half))
    low, high = (ordered[min(max(place, 0), len(ordered) - 1)] for place in places)
    return f"{statistics.median(ordered):.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def main() -> None:
    """Print the table, a line a way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=240)
    parser.add_argument("--accelerator", default="cpu")
    settings = parser.parse_args()
    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    heads = "self.log, us", "idle callback, us", "this way, us", "of self.log", "less the idle one"
    print(f"{'median of a step [95 % interval]':<37}" + "".join(f"{head:>22}" for head in heads))
    for way in WAYS:
        report(way, measured(way, settings.rounds, on_gpu=settings.accelerator == "gpu"))


if __name__ == "__main__":
    main()
