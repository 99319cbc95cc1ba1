"""Count false alarms at any check of healthy runs, and the delay of true ones.

    python -m benchmarks.false_alarms [--seeds 200] [--checks 8 24 100 300]

Run it from the root of the repository; 200 seeds of up to 300 checks take hours.
"""

import argparse
import math
import random
from collections import Counter
from collections.abc import Callable
from statistics import median

from tests import curves

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.verdicts.diagnose import Diagnosis, diagnose

ILL = {
    "u_shape": (curves.u_shape, "overfitting"),
    "blow_up": (curves.blow_up, "diverging"),
    "stall": (curves.stall, "overfitting"),
    "underfit": (curves.underfit, "underfitting"),
}
NOISES = (0.01, 0.05)
TAILS = 3  # degrees of freedom of Student's t
SPIKES = 0.03  # of the checks

Run = Callable[[curves.Shape, int, float, int], curves.Curves]


def plain(shape: curves.Shape, checks: int, noise: float, seed: int) -> curves.Curves:
    """Draw a run with normal noise."""
    return curves.draw(shape, checks=checks, noise=noise, seed=seed)


def spiky(shape: curves.Shape, checks: int, noise: float, seed: int) -> curves.Curves:
    """Draw a run with spikes: some checks lie far above the others, in both losses."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    train, val = plain(shape, checks, noise, seed)
    for i in range(checks):
        if dice.random() < SPIKES:
            spike = dice.expovariate(0.5)
            val[i] *= 1 + spike
            train[i] *= 1 + spike * dice.random()
    return train, val


def heavy(shape: curves.Shape, checks: int, noise: float, seed: int) -> curves.Curves:
    """Draw a run whose noise has heavy tails: Student's t."""
    dice = random.Random(seed)  # noqa: S311 - no secret

    def jump() -> float:
        return dice.gauss(0, 1) / math.sqrt(dice.gammavariate(TAILS / 2, 2) / TAILS)

    points = [shape(i / checks) for i in range(1, checks + 1)]
    train = [max(1e-3, t * (1 + noise / 2 * jump())) for t, _ in points]
    return train, [max(1e-3, v * (1 + noise * jump())) for _, v in points]


RUNS: dict[str, Run] = {"plain": plain, "spiky": spiky, "heavy": heavy}


def live(run: Run, shape: curves.Shape, checks: int, noise: float, seed: int) -> list[Diagnosis]:
    """Ask at each check of a run."""
    train, val = run(shape, checks, noise, seed)
    history = History.from_curves(train=train, val=val)
    return [diagnose(history[:n], live=True) for n in range(1, checks + 1)]


def healthy(kind: str, name: str, checks: int, noise: float, seeds: int) -> None:
    """Print how many runs of a healthy kind were accused at some check."""
    accused, ends = 0, Counter[str]()
    for seed in range(seeds):
        seen = live(RUNS[kind], curves.HEALTHY[name], checks, noise, seed)
        accused += any(found.severity != "info" for found in seen)
        ends[seen[-1].verdict] += 1
    share = 100 * accused / seeds
    print(
        f"{kind} {name:10} {checks:5} {noise:5} accused {share:5.1f} %  ends {dict(ends)}",
        flush=True,
    )


def ill(name: str, checks: int, noise: float, seeds: int) -> None:
    """Print how many runs of another kind were told, and when."""
    shape, verdict = ILL[name]
    first, risen = [], []
    for seed in range(seeds):
        seen = live(plain, shape, checks, noise, seed)
        first += [n for n, found in enumerate(seen, 1) if found.verdict == verdict][:1]
        risen += [n for n, found in enumerate(seen, 1) if found.form in ("rise", "both")][:1]
    told = ", ".join(_when(*pair) for pair in ((verdict, first), ("a rise", risen)) if pair[1])
    print(f"{name:10} {checks:5} {noise:5} of {seeds}: {told or 'never told'}", flush=True)


def _when(what: str, checks: list[int]) -> str:
    return f"{what} in {len(checks)}, at {median(checks):.0f}, at most {max(checks)}"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--checks", type=int, nargs="+", default=[8, 24, 100, 300])
    arguments = parser.parse_args()
    for checks in arguments.checks:
        for noise in NOISES:
            for name in ILL:
                ill(name, checks, noise, arguments.seeds)
            for kind in RUNS:
                for name in curves.HEALTHY:
                    healthy(kind, name, checks, noise, arguments.seeds)


if __name__ == "__main__":
    main()
