"""How often the 95 % interval of a gap holds the truth, by the bootstrap on real losses.

    python benchmarks/coverage.py [--rounds 4000]

Networks are trained on scikit-learn's digits; their losses on all train and all other digits are
taken for the world, so that the true gap is known. Samples are drawn from it with replacement, as
a probe and a validation set would be, and run through the package's own sums.
"""

import argparse
import math

import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional

from lightning_gapmon.analysis.history.interval import Estimate, difference
from lightning_gapmon.collect.meter.meter import LossMeter
from lightning_gapmon.collect.meter.sums import Sums

TRAIN = 600


def losses(epochs: int, seed: int) -> tuple[Tensor, Tensor]:
    """Train a network and give its loss on each digit of both sides."""
    torch.manual_seed(seed)
    x, y = (torch.tensor(part) for part in load_digits(return_X_y=True))
    order = torch.randperm(len(x))
    x, y = x[order].float() / 16, y[order]
    net = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
    optimiser = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(epochs):
        for rows in torch.randperm(TRAIN).split(32):
            optimiser.zero_grad()
            functional.cross_entropy(net(x[rows]), y[rows]).backward()
            optimiser.step()
    with torch.no_grad():
        every = functional.cross_entropy(net(x), y, reduction="none").double()
    return every[:TRAIN], every[TRAIN:]


def measured(world: Tensor, samples: int) -> Sums:
    """Draw a sample and run it through the meter, in batches of 64."""
    meter = LossMeter()
    for batch in world[torch.randint(len(world), (samples,))].split(64):
        meter.add(batch)
    return Sums(*meter.rows(torch.device("cpu"))[0].tolist())


def holds(train: Tensor, val: Tensor, samples: int) -> tuple[bool, bool]:
    """Whether one drawn gap's interval holds the true gap, and whether 1.96 errors would."""
    probe, held = (measured(side, samples) for side in (train, val))
    estimates = [Estimate(one.mean, one.stderr, one.skew, one.units) for one in (held, probe)]
    truth = float(val.mean() - train.mean())
    low, high = difference(*estimates)
    plain = abs(held.mean - probe.mean - truth) <= 1.96 * math.hypot(held.stderr, probe.stderr)
    return low <= truth <= high, plain


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4000)
    rounds = parser.parse_args().rounds
    print("95 % intervals that hold the truth")
    print(f"{'trained for':>12} {'samples a side':>15} {'ours':>8} {'1.96 standard errors':>22}")
    for epochs in (1, 3, 10, 30):
        train, val = losses(epochs, seed=epochs)
        for samples in (100, 400, 1600):
            held = [holds(train, val, samples) for _ in range(rounds)]
            ours, plain = (100 * sum(column) / rounds for column in zip(*held, strict=True))
            print(f"{epochs:>5} epochs {samples:>15} {ours:>6.1f} % {plain:>20.1f} %")


if __name__ == "__main__":
    main()
