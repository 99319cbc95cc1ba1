"""Count how often `gapmon compare` calls equal runs better, and how often it sees an effect.

    python -m benchmarks.comparisons [--draws 1000] [--seed 0]

Run it from the root of the repository. Groups are drawn from known distributions; single runs are
drawn from known curves with noise between their checks.
"""

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterable

from tests import curves

from lightning_gapmon.analysis.compare.compare import Comparison, compare
from lightning_gapmon.analysis.compare.group import Group
from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.study import Run

Draw = Callable[[random.Random], float]
SPREADS: dict[str, Draw] = {
    "normal": lambda dice: dice.gauss(1, 0.05),
    "uniform": lambda dice: dice.uniform(0.9, 1.1),
    "skewed": lambda dice: 0.9 + 0.1 * dice.expovariate(1),
    "heavy tails": lambda dice: 1 + 0.05 * dice.gauss(0, 1) / max(0.1, abs(dice.gauss(0, 1))),
}
SIGMA = 0.05
EFFECTS = (0.0, 1.0, 1.5, 2.0, 3.0)  # in standard deviations between seeds
SEEDS = (2, 3, 5, 10)


def seeds(label: str, losses: Iterable[float]) -> Group:
    """Make a group of runs whose best losses these are."""
    histories = [History.from_curves(train=[loss], val=[loss]) for loss in losses]
    return Group(label=label, runs=tuple(Run(name=label, history=one) for one in histories))


def groups(dice: random.Random, one: Draw, two: Draw, sizes: tuple[int, int]) -> Comparison:
    """Compare two groups of seeds."""
    sides = zip(("A", "B"), (one, two), sizes, strict=True)
    return compare(*(seeds(name, [draw(dice) for _ in range(n)]) for name, draw, n in sides))


def single(shape: curves.Shape, checks: tuple[int, int], noise: float, seed: int) -> Comparison:
    """Compare two runs that differ in the noise between their checks alone."""
    sides = []
    for number, count in enumerate(checks):
        train, val = curves.draw(shape, checks=count, noise=noise, seed=2 * seed + number)
        run = Run(name="AB"[number], history=History.from_curves(train=train, val=val))
        sides.append(Group(label=run.name, runs=(run,)))
    return compare(*sides)


def show(what: str, found: Iterable[Comparison]) -> None:
    """Print a row: the share of each answer."""
    answers = Counter(one.answer for one in found)
    total = answers.total()
    cells = (f"{100 * answers[name] / total:7.1f} %" for name in ("better", "worse"))
    print(f"{what:44}{''.join(cells)}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    dice = random.Random(told.seed)  # noqa: S311 - no secret
    times = range(told.draws)
    print(f"{'of ' + str(told.draws) + ' draws, B is called':44}   better    worse")
    for effect in EFFECTS:
        better: Draw = lambda dice, effect=effect: dice.gauss(1 - effect * SIGMA, SIGMA)  # noqa: E731
        rows = [groups(dice, SPREADS["normal"], better, (5, 5)) for _ in times]
        show(f"5 against 5 seeds, better by {effect} sd", rows)
    for count in SEEDS:
        rows = [groups(dice, SPREADS["normal"], SPREADS["normal"], (count, count)) for _ in times]
        show(f"equal, {count} against {count} seeds", rows)
    for name, draw in SPREADS.items():
        show(f"equal, 5 seeds, {name}", [groups(dice, draw, draw, (5, 5)) for _ in times])
    wide: Draw = lambda dice: dice.gauss(1, 0.2)  # noqa: E731
    for sizes in ((5, 5), (3, 10), (10, 3), (1, 5)):
        rows = [groups(dice, SPREADS["normal"], wide, sizes) for _ in times]
        show(f"equal means, B spread 4 times, {sizes[0]} and {sizes[1]}", rows)
    rows = [groups(dice, SPREADS["normal"], SPREADS["normal"], (5, 1)) for _ in times]
    show("equal, 5 seeds against a single run", rows)
    for name in ("good", "power", "u_shape"):
        shape = {**curves.HEALTHY, "u_shape": curves.u_shape}[name]
        for checks in ((5, 5), (10, 10), (50, 50), (50, 200)):
            found = [single(shape, checks, 0.02, told.seed + n) for n in times]
            if checks[0] == checks[1] or name == "u_shape":
                show(f"single runs, {name}, {checks[0]} and {checks[1]} checks", found)


if __name__ == "__main__":
    main()
