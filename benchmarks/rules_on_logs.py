"""What the rules save and give away on training logs, and how far to trust the choice of Budget.

    python benchmarks/rules_on_logs.py runs.jsonl
    python benchmarks/rules_on_logs.py labelled.jsonl --delay

`runs.jsonl` has one run a line: {"id", "repo", "train": [...], "val": [...], "es_suspect"}.
Four tables: the rules with and without the plan; Budget with each of its constants changed;
Budget's two settings chosen anew on half of the repositories and measured on the other half.
`--delay` asks of overfit runs (label "overfit") how often the best check is kept and how late the
stop is. Needs numpy.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from lightning_gapmon import Budget, History, Patience, Rule, SuccessiveRises, replay
from lightning_gapmon.analysis import study as studies
from lightning_gapmon.analysis.replay import replay_all
from lightning_gapmon.analysis.rules import budget
from lightning_gapmon.analysis.study import Run, study
from lightning_gapmon.logs.formats import find_runs

SETTINGS = {"careful": Budget(), "eager": Budget.eager()}
CHANGES = {
    "no floor": {"FLOOR": 0.0},
    "floor doubled": {"FLOOR": 0.06},
    "least 1": {"LEAST": 1},
    "least 4": {"LEAST": 4},
    "never doubled": {"LONGER": 1},
    "tripled": {"LONGER": 3},
    "still 5 %": {"STILL": 0.05},
    "still 20 %": {"STILL": 0.2},
    "no rise": {"RISE_WAIT": 10**9},
    "rise 6 noises": {"RISE_NOISE": 6},
}
SHARES = (0.0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.4)
TOLERANCES = (0.0, 0.01, 0.02, 0.03)


def main() -> None:
    """Read the arguments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--delay", action="store_true")
    options = parser.parse_args()
    if options.delay:
        _delays(options.file)
        return
    runs = [_planned(run) for run in find_runs([options.file]).runs if not run.cut]
    print(f"{len(runs)} runs of {len({run.group for run in runs})} repositories")
    _table("plan known", SETTINGS | {"patience 20 %": Patience()}, runs)
    _table("plan unknown", SETTINGS, [_unplanned(run) for run in runs])
    for name, constants in CHANGES.items():
        with _changed(constants):
            _table(name, SETTINGS, runs, resamples=0)
    _cross_validate(runs)


def _planned(run: Run) -> Run:
    return replace(run, history=History(run.history, planned=len(run.history)))


def _unplanned(run: Run) -> Run:
    return replace(run, history=History(run.history))


@contextmanager
def _changed(constants: dict[str, float]) -> Iterator[None]:
    before = {name: getattr(budget, name) for name in constants}
    vars(budget).update(constants)
    try:
        yield
    finally:
        vars(budget).update(before)


def _table(title: str, rules: dict[str, Rule], runs: list[Run], *, resamples: int = 1000) -> None:
    for row in study(rules, runs, resamples=resamples):
        shares = (row.used, row.kept, row.regret_relative, row.regret_range)
        ratios = (row.against_relative, row.against_range)
        numbers = " ".join(f"{100 * share.value:6.2f}" for share in shares)
        against = "  ".join(f"{r.value:.2f} [{r.low:.2f}, {r.high:.2f}]" for r in ratios)
        print(f"{title:16s} {row.rule:14s} {numbers}   {against}")


def _cross_validate(runs: list[Run], *, splits: int = 200) -> None:
    """Choose share and tolerance on half of the repositories, measure on the other half."""
    grid = {(s, t): Budget(s, tolerance=t) for s in SHARES for t in TOLERANCES}
    ours, edge = _costs(grid, runs)
    draw = np.random.default_rng(0)
    for goal, (low, high) in {"eager": (0.73, 0.79), "careful": (0.82, 0.88)}.items():
        measured = []
        for _ in range(splits):
            order = draw.permutation(ours.shape[1])
            half, other = np.array_split(order, 2)
            used, ratio = _ratios(ours[:, half], edge[:, half])
            inside = np.flatnonzero((low < used) & (used < high))
            if not inside.size:
                continue
            best = inside[np.argmin((ratio[inside] / [0.5, 0.7]).max(1))]
            there, elsewhere = _ratios(ours[:, other], edge[:, other])
            measured.append([there[best], *elsewhere[best]])
        middle = np.median(measured, axis=0)
        under = np.mean((np.array(measured)[:, 1:] < 1).all(1))
        print(
            f"chosen on half, measured on half, {goal} ({len(measured)} splits): "
            f"used {middle[0]:.2f}, against patience {middle[1]:.2f} and "
            f"by range {middle[2]:.2f}; both below 1 in {under:.0%} of splits"
        )


def _costs(grid: dict[tuple[float, float], Budget], runs: list[Run]) -> tuple[np.ndarray, ...]:
    """Costs of each rule, and of each patience, averaged within repositories."""
    named = {str(key): rule for key, rule in grid.items()}
    groups: dict[str, list[list[studies._Cost]]] = {}
    for run in runs:
        replayed = replay_all(named, History(run.history, planned=run.history.planned))
        ours = [studies._Cost.of(result) for result in replayed.values()]  # noqa: SLF001 - the study's own numbers
        groups.setdefault(run.group, []).append(ours + studies._patience_costs(run.history))  # noqa: SLF001
    means = np.array([np.mean(costs, axis=0) for costs in groups.values()]).swapaxes(0, 1)
    return means[: len(grid)], means[len(grid) :]


def _ratios(ours: np.ndarray, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mine, theirs = ours.mean(1), edge.mean(1)
    theirs = theirs[np.argsort(theirs[:, 0])]
    at = np.stack([np.interp(mine[:, 0], theirs[:, 0], theirs[:, k]) for k in (2, 3)], axis=1)
    return mine[:, 0], mine[:, 2:] / np.maximum(at, 1e-5)


def _delays(path: Path) -> None:
    rows = [json.loads(text) for text in path.read_text().splitlines()]
    rules = {
        "Budget()": Budget(),
        "Budget.eager()": Budget.eager(),
        "patience 80": Patience(80),
        "UP 4": SuccessiveRises(4),
        "UP 6": SuccessiveRises(6),
    }
    for plan in (True, False):
        for name, rule in rules.items():
            print("plan known" if plan else "plan unknown", name, _delay(rule, rows, plan=plan))


def _delay(rule: Rule, rows: list[dict[str, list[float]]], *, plan: bool) -> str:
    words = []
    for label in ("overfit", "not"):
        kept, late = [], []
        for row in (row for row in rows if row["label"] == label):
            val = row["val"]
            planned = len(val) if plan else None
            stop = replay(rule, train=row["train"], val=val, planned=planned).stopped_at
            best = val.index(min(val)) + 1
            kept.append((stop or len(val)) >= best)
            late.append((stop or len(val)) - best)
        words.append(f"{label}: {np.mean(kept):.1%} kept, delay {statistics.median(late):.0f}")
    return "; ".join(words)


if __name__ == "__main__":
    sys.exit(main())
