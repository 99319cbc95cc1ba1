"""Measure what a check costs: against logged metrics on two ranks, and as a run grows long.

    python benchmarks/check_cost.py [--quick]

1. A check on two gloo ranks against five metrics of `self.log(sync_dist=True)`: fits of the two
   and of neither take turns, and the time of a validation is taken; what counts is how much
   longer it is than with neither.
2. Memory over 1,000,000 tracked losses.
3. 100,000 checks: time of each, and what the state of one takes in a checkpoint.
"""

import argparse
import io
import os
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lightning_gapmon import GapLimit, GapMonitor, History, Observation, Patience
from lightning_gapmon.analysis.verdicts.diagnose import diagnose
from lightning_gapmon.collect.meter.meter import LossMeter
from lightning_gapmon.monitor.fit import Fit

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, VALIDATIONS, WARM_UP = 7, 120, 20
METRICS = 5


class Net(pl.LightningModule):
    """As little work as possible, and so many metrics."""

    def __init__(self, metrics: int) -> None:
        super().__init__()
        self.layer, self.metrics = nn.Linear(4, 1), metrics

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Return the loss."""
        return self.layer(batch[0]).square().mean()

    def validation_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Return the loss; log it so many times."""
        loss: Tensor = self.layer(batch[0]).square().mean()
        for number in range(self.metrics):
            self.log(f"metric_{number}", loss, sync_dist=True)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Take plain SGD."""
        return torch.optim.SGD(self.parameters(), lr=0.01)


class Clock(pl.Callback):
    """Takes the time of each validation, from its start until training goes on."""

    def __init__(self) -> None:
        self.start = 0.0
        self.times: list[float] = []

    def on_validation_start(self, *_: object) -> None:
        """Start."""
        self.start = time.perf_counter()

    def on_train_epoch_end(self, *_: object) -> None:
        """Stop."""
        self.times.append(time.perf_counter() - self.start)


def fit(metrics: int, *, monitored: bool, validations: int) -> float:
    """Give the median time of a validation in seconds."""
    clock = Clock()
    ours = [GapMonitor(stop=Patience(10**6), checkpoint=False, summary=False)]
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=2,
        strategy="ddp",
        max_epochs=WARM_UP + validations,
        callbacks=[*(ours if monitored else []), clock],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    loader = DataLoader(TensorDataset(torch.randn(4, 4)), 2)
    trainer.fit(Net(metrics), loader, loader)
    return median(clock.times[WARM_UP:])


def against_logging(rounds: int, validations: int) -> None:
    """Print how much longer a validation gets: by a check, by five logged metrics."""
    checks, logs = [], []
    for _ in range(rounds):
        neither = fit(0, monitored=False, validations=validations)
        checks.append(fit(0, monitored=True, validations=validations) - neither)
        logs.append(fit(METRICS, monitored=False, validations=validations) - neither)
    if os.environ.get("LOCAL_RANK", "0") == "0":
        ratios = [check / log for check, log in zip(checks, logs, strict=True)]
        pairs = f"median of {rounds} interleaved rounds of {validations} validations"
        print(f"a check                       {1e3 * median(checks):7.2f} ms   ({pairs})")
        print(f"{METRICS} metrics with sync_dist=True {1e3 * median(logs):7.2f} ms")
        print(f"ratio                         {median(ratios):7.2f}      {spread(ratios)}")


def spread(values: list[float]) -> str:
    """Give the range of several measurements."""
    return f"({min(values):.2f} to {max(values):.2f})"


def memory(steps: int) -> None:
    """Print how much memory a window of so many steps takes."""
    meter, loss = LossMeter(), torch.tensor(1.0)
    resident = {}
    for step in range(1, steps + 1):
        meter.add(loss.clone(), 8.0)
        if step in (steps // 10, steps):
            resident[step] = own_memory()
    for step, used in resident.items():
        print(f"resident after {step:9,} losses {used / 2**20:9.2f} MiB")


def own_memory() -> int:
    """Give this process' resident memory in bytes."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - no such path elsewhere
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def long_run(checks: int) -> None:
    """Print the time of a check as the history grows, and the size of its state."""
    rule = Patience("20%") | GapLimit(0.99, checks=3)
    history = History(planned=checks)
    times: dict[str, list[float]] = {}
    for number in range(1, checks + 1):
        seen = observation(number, checks)
        steps: dict[str, Callable[[], Any]] = {
            "history": lambda seen=seen: history.append(seen),
            "rules": lambda: rule(history),
            "diagnosis": lambda: diagnose(history),
        }
        for name, act in steps.items():
            start = time.perf_counter()
            act()
            times.setdefault(name, []).append(time.perf_counter() - start)
    for name, taken in times.items():
        tenth = len(taken) // 10
        first, last = 1e6 * median(taken[:tenth]), 1e6 * median(taken[-tenth:])
        print(f"{name:9} first tenth {first:9.1f} us   last tenth {last:9.1f} us")
    state_size(history)


def state_size(history: History) -> None:
    """Print what a check takes in a checkpoint, and how long it takes to write and read."""
    settings = GapMonitor()._settings  # noqa: SLF001
    watched, resumed = Fit(settings, rank=0), Fit(settings, rank=0)
    watched.history = history
    file = io.BytesIO()
    start = time.perf_counter()
    torch.save(watched.state_dict(), file)
    written = time.perf_counter() - start
    size = file.tell() / len(history)
    file.seek(0)
    start = time.perf_counter()
    resumed.load_state_dict(torch.load(file, weights_only=True))
    read = time.perf_counter() - start
    print(f"state     {size:.1f} bytes a check; {written:.2f} s to write, {read:.2f} s to read")


def observation(number: int, checks: int) -> Observation:
    """Make a check with everything measured that a run on several ranks measures."""
    x = number / checks
    loss = 1 / (0.1 + x)
    return Observation(
        check=number,
        epoch=number // 4,
        step=250 * number,
        seconds=12.345 * number,
        train=loss,
        train_n=32_000.0,
        train_stderr=0.01 * loss,
        end=0.99 * loss,
        end_stderr=0.02 * loss,
        probe=0.98 * loss,
        probe_stderr=0.015 * loss,
        val=1.1 * loss + 0.1 * x,
        val_n=10_000.0,
        val_stderr=0.013 * loss,
        gap_low=0.1 * loss,
        gap_high=0.15 * loss,
        lr=1e-3 * (1 - x),
        lr_drop_in=float(number % 10),
        rank_distance=0.003 * loss,
    )


def main() -> None:
    """Measure all three, the last two in one process only."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    part = 10 if parser.parse_args().quick else 1
    torch.set_num_threads(1)
    if "LOCAL_RANK" not in os.environ:
        memory(1_000_000 // part)
        long_run(100_000 // part)
    against_logging(max(3, ROUNDS // part), VALIDATIONS)


if __name__ == "__main__":
    main()
