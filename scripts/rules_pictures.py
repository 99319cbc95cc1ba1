"""Draw the pictures of docs/rules.md: one run each, with the checks at which rules stop it.

    python scripts/rules_pictures.py

Two runs are trained here, a small network on noisy data and a linear one with warm restarts;
the others are formulas.
"""

import math
import random
from pathlib import Path

import torch

from lightning_gapmon import (
    Budget,
    GapLimit,
    History,
    Patience,
    Rule,
)
from lightning_gapmon.analysis.replay import replay_all
from lightning_gapmon.report.svg import draw

IMAGES = Path(__file__).parent.parent / "docs" / "images"


def main() -> None:
    """Draw them all."""
    overfit = trained(epochs=80, samples=150, rate=0.03)
    picture("budget", overfit, Budget(), Budget.eager(), Patience(5), Patience(20))
    picture("gap", overfit, GapLimit(0.3, checks=3), GapLimit(0.5, checks=3))
    picture("smoothed", noisy_overfit(), Patience(5), Patience(5).smoothed(5))
    restarts = trained(epochs=60, samples=1500, rate=1.5, restart=20, hidden=0)
    picture("lr", restarts, Patience(8), Patience(8).lr_aware())
    picture("grace", second_descent(), Patience(8), Patience(8).grace(15))


def picture(name: str, run: History, *rules: Rule) -> None:
    """Draw a run with the stops of some rules."""
    replayed = replay_all({repr(rule): rule for rule in rules}, run)
    stops = {text: result.stopped_at for text, result in replayed.items()}
    path = IMAGES / f"rules-{name}.svg"
    path.write_text(draw(run, stops) + "\n", encoding="utf-8")
    print(path.name, stops)


def trained(
    *, epochs: int, samples: int, rate: float, restart: int = 0, hidden: int = 64
) -> History:
    """Train a small network on noisy samples, validated on 400 others."""
    torch.manual_seed(2)
    data = torch.randn(samples + 400, 20)
    noise = 0.6 * torch.randn(samples + 400)
    target = ((data[:, 0] * data[:, 1] + data[:, 2] + noise) > 0).long()
    net: torch.nn.Module = torch.nn.Linear(20, 2)
    if hidden:
        layers = (torch.nn.Linear(20, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 2))
        net = torch.nn.Sequential(*layers)
    optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.5)
    schedule = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(
        optimizer, restart or epochs, T_mult=2, eta_min=0 if restart else rate
    )
    rows: dict[str, list[float]] = {"train": [], "val": [], "lr": []}
    for _ in range(epochs):
        rows["lr"].append(optimizer.param_groups[0]["lr"])
        rows["train"].append(_epoch(net, optimizer, data[:samples], target[:samples]))
        with torch.no_grad():
            rows["val"].append(_loss(net(data[samples:]), target[samples:]).item())
        schedule.step()
    history = History.from_curves(train=rows["train"], val=rows["val"], lr=rows["lr"])
    return History(history, planned=epochs)


_loss = torch.nn.functional.cross_entropy


def _epoch(
    net: torch.nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor
) -> float:
    losses = []
    for rows in torch.randperm(len(x)).split(15):
        optimizer.zero_grad()
        loss = _loss(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def noisy_overfit() -> History:
    """A validation loss that turns upwards under much noise."""
    draw_from = random.Random(4)  # noqa: S311 - for a picture
    true = [0.6 + math.exp(-i / 12) + 0.006 * max(0, i - 30) for i in range(100)]
    val = [value + draw_from.gauss(0, 0.05) for value in true]
    train = [0.1 + 1.4 * math.exp(-i / 25) for i in range(100)]
    return History.from_curves(train=train, val=val, planned=100)


def second_descent() -> History:
    """A loss that rises and then falls below its first best."""
    val = [
        0.5 + math.exp(-i / 4) + 0.35 * math.exp(-(((i - 26) / 7) ** 2)) - 0.003 * max(0, i - 26)
        for i in range(70)
    ]
    train = [1.2 * math.exp(-i / 12) + 0.02 for i in range(70)]
    return History.from_curves(train=train, val=val, planned=70)


if __name__ == "__main__":
    main()
