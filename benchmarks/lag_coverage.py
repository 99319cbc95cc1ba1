"""How often the error bars of the train loss at the end of a window hold the truth, on real nets.

    python benchmarks/lag_coverage.py [--runs 240] [--seed 2] [--heat 1]

Networks are trained on scikit-learn's bundled sets without dropout, and each epoch is a window.
Its losses go through the package's own sums into bins and are read at the end; the truth is the
mean loss over all training data at the weights of the window's end. Takes two minutes.

Columns: how often an interval of 1.96 standard errors holds the truth; the mean standard error;
mean and root mean square of reading less truth; these three by the range of the window's bins.
What is set by hand in `analysis/window.py` was chosen on `--seed 1`. `--heat` is a factor on
all learning rates: with 5 some runs are unstable, and those that diverge end there.
"""

import argparse
import math
import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from sklearn import datasets
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from lightning_gapmon.analysis.history.window import Bin, at_end
from lightning_gapmon.collect.meter.meter import LossMeter
from lightning_gapmon.collect.meter.sums import Sums
from lightning_gapmon.monitor.checks.reduction import window_rows

CHECKS = 15
BY_CHECK = {"1": (1, 1), "2": (2, 2), "3": (3, 3), "4 to 10": (4, 10), "11 to 15": (11, 15)}
BY_STEPS = {"8 to 16": (8, 16), "17 to 120": (17, 120), "121 to 300": (121, 300)}
DATA = ("digits", "breast_cancer", "wine", "diabetes")
RATES = {"SGD": (0.005, 0.1), "momentum": (0.0005, 0.01), "Adam": (0.0005, 0.01)}


@dataclass(frozen=True)
class Run:
    """What is trained, and how; `each` is for one loss a sample rather than a batch."""

    data: str
    hidden: tuple[int, ...]
    optimiser: str
    lr: float
    steps: int
    each: bool
    seed: int


@dataclass(frozen=True)
class Window:
    """One epoch: the bins, and the loss over all training data at its end."""

    run: Run
    check: int
    steps: int
    bins: list[Bin]
    truth: float


def drawn(count: int, seed: int, heat: float = 1.0) -> Iterator[Run]:
    """Draw what to train; rates and steps a window evenly by their logarithms."""
    dice = random.Random(seed)  # noqa: S311
    for i in range(count):
        optimiser = dice.choice(list(RATES))
        yield Run(
            data=dice.choice(DATA),
            hidden=dice.choice([(), (16,), (128,), (32, 32)]),
            optimiser=optimiser,
            lr=heat * _log_uniform(dice, *RATES[optimiser]),
            steps=round(_log_uniform(dice, 8, 300)),
            each=not round(dice.random()),
            seed=1000 * seed + i,
        )


def _log_uniform(dice: random.Random, low: float, high: float) -> float:
    return low * (high / low) ** dice.random()


@cache
def _data(name: str) -> tuple[Tensor, Tensor]:
    x, y = (torch.tensor(part) for part in getattr(datasets, f"load_{name}")(return_X_y=True))
    x = ((x - x.mean(0)) / x.std(0).clamp_min(1e-6)).float()
    return x, ((y - y.mean()) / y.std()).float() if name == "diabetes" else y.long()


def _network(run: Run, inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in run.hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def _optimiser(run: Run, net: nn.Module) -> torch.optim.Optimizer:
    if run.optimiser == "Adam":
        return torch.optim.Adam(net.parameters(), run.lr)
    momentum = 0.9 if run.optimiser == "momentum" else 0.0
    return torch.optim.SGD(net.parameters(), run.lr, momentum=momentum)


def trained(run: Run) -> Iterator[Window]:
    """Train, and give each epoch's window."""
    torch.manual_seed(run.seed)
    x, y = _data(run.data)
    regression = y.is_floating_point()
    net = _network(run, x.shape[1], 1 if regression else int(y.max()) + 1)
    optimiser = _optimiser(run, net)

    def losses(rows: Tensor | slice) -> Tensor:
        if regression:
            return mse_loss(net(x[rows])[:, 0], y[rows], reduction="none")
        return cross_entropy(net(x[rows]), y[rows], reduction="none")

    for check in range(1, CHECKS + 1):
        meter = LossMeter()
        for rows in torch.randperm(len(x)).split(max(2, round(len(x) / run.steps))):
            every = losses(rows)
            mean = every.mean()
            meter.add(every if run.each else mean, 1.0 if run.each else len(rows))
            optimiser.zero_grad()
            mean.backward()
            optimiser.step()
        with torch.no_grad():
            truth = float(losses(slice(None)).double().mean())
        if not math.isfinite(truth):
            return
        yield Window(run, check, meter.batches, _bins(meter), truth)


def _bins(meter: LossMeter) -> list[Bin]:
    parts = [Sums(*row) for row in window_rows(meter, torch.device("cpu")).tolist()]
    return [Bin(part.n, part.place, part.mean, part.stderr) for part in parts if part.n]


def report(name: str, windows: Sequence[Window]) -> None:
    """Print how often the error bars hold, how wide they are, and how far off the readings."""
    rows = []
    for window in windows:
        value, stderr = at_end(window.bins)
        losses = [part.loss for part in window.bins]
        rows.append((value - window.truth, stderr, max(losses) - min(losses)))
    held = sum(abs(error) <= 1.96 * stderr for error, stderr, _ in rows) / len(rows)
    width = statistics.fmean(stderr / unit for _, stderr, unit in rows)
    bias = statistics.fmean(error / unit for error, _, unit in rows)
    size = math.sqrt(statistics.fmean((error / unit) ** 2 for error, _, unit in rows))
    print(f"{name:>18} {len(rows):>8} {held:>8.1%} {width:>8.3f} {bias:>+8.3f} {size:>8.3f}")


def main() -> None:
    """Train, read and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=240)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--heat", type=float, default=1.0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    runs = drawn(asked.runs, asked.seed, asked.heat)
    windows = [window for run in runs for window in trained(run)]
    print(f"{'':>18} {'windows':>8} {'held':>8} {'stderr':>8} {'bias':>8} {'error':>8}")
    for name, (first, last) in BY_CHECK.items():
        report(f"check {name}", [w for w in windows if first <= w.check <= last])
    for name, (least, most) in BY_STEPS.items():
        report(f"{name} steps", [w for w in windows if least <= w.steps <= most])
    for name in DATA:
        report(name, [w for w in windows if w.run.data == name])
    report("losses by sample", [w for w in windows if w.run.each])
    report("losses by batch", [w for w in windows if not w.run.each])
    report("all", windows)


if __name__ == "__main__":
    main()
