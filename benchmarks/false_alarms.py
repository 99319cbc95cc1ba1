"""Count false alarms at any check of healthy runs, and the delay of true ones.

    python -m benchmarks.false_alarms [--seeds 200] [--checks 8 24 100 300]

Run it from the root of the repository; 200 seeds of up to 300 checks take about half an hour.
"""

import argparse
from collections import Counter
from statistics import median

from tests import curves

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.verdicts.diagnose import diagnose

ILL = {
    "u_shape": (curves.u_shape, "overfitting"),
    "blow_up": (curves.blow_up, "diverging"),
    "stall": (curves.stall, "plateau"),
    "flat": (curves.flat, "plateau"),
    "underfit": (curves.underfit, "underfitting"),
}
NOISES = (0.01, 0.05)


def live(shape: curves.Shape, checks: int, noise: float, seed: int) -> list[tuple[str, str]]:
    """Give verdict and severity at each check of a run."""
    train, val = curves.draw(shape, checks=checks, noise=noise, seed=seed)
    history = History.from_curves(train=train, val=val)
    seen = (diagnose(history[:n]) for n in range(1, checks + 1))
    return [(found.verdict, found.severity) for found in seen]


def healthy(name: str, checks: int, noise: float, seeds: int) -> None:
    """Print how many runs of a healthy kind were accused at some check."""
    accused, ends = 0, Counter[str]()
    for seed in range(seeds):
        seen = live(curves.HEALTHY[name], checks, noise, seed)
        accused += any(severity != "info" for _, severity in seen)
        ends[seen[-1][0]] += 1
    share = 100 * accused / seeds
    print(f"{name:10} {checks:5} {noise:5} accused {share:5.1f} %  ends {dict(ends)}", flush=True)


def ill(name: str, checks: int, noise: float, seeds: int) -> None:
    """Print how many runs of another kind were told, and when."""
    shape, verdict = ILL[name]
    first, ends = [], Counter[str]()
    for seed in range(seeds):
        seen = live(shape, checks, noise, seed)
        told = [n for n, (found, _) in enumerate(seen, 1) if found == verdict]
        first += told[:1]
        ends[seen[-1][0]] += 1
    when = f"first at {median(first):.0f}, at most {max(first)}" if first else "never"
    print(f"{name:10} {checks:5} {noise:5} {verdict}: {when}  ends {dict(ends)}", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--checks", type=int, nargs="+", default=[8, 24, 100, 300])
    arguments = parser.parse_args()
    for checks in arguments.checks:
        for noise in NOISES:
            for name in curves.HEALTHY:
                healthy(name, checks, noise, arguments.seeds)
            for name in ILL:
                ill(name, checks, noise, arguments.seeds)


if __name__ == "__main__":
    main()
