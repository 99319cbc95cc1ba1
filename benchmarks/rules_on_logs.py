"""What the rules save and give away on training logs, and how far to trust the choice of Budget.

    python benchmarks/rules_on_logs.py runs.jsonl
    python benchmarks/rules_on_logs.py runs.jsonl --fit OTHER_LOGS
    python benchmarks/rules_on_logs.py labelled.jsonl --delay

`runs.jsonl` has one run a line: {"id", "repo", "train": [...], "val": [...], "es_suspect"}.
Tables: the rules with and without the plan; Budget with each of its constants changed; its two
settings chosen anew on half of the repositories and measured on the other half. `--fit` adds
rules on the outlook's chance, fitted on a folder of other logs (see `fit_outlook.py`). `--delay`
asks of overfit runs (label "overfit") how often the best check is kept and how late the stop is.
Needs NumPy, and scikit-learn for `--fit`.
"""

import argparse
import json
import math
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lightning_gapmon import Budget, History, Patience, Rule, StopReason, replay
from lightning_gapmon.analysis import study as studies
from lightning_gapmon.analysis.history.plan import with_plan
from lightning_gapmon.analysis.outlook.curve import features, follow
from lightning_gapmon.analysis.outlook.outlook import LEAST_CHECKS
from lightning_gapmon.analysis.outlook.trees import Table
from lightning_gapmon.analysis.replay import replay_all
from lightning_gapmon.analysis.rules import budget
from lightning_gapmon.analysis.study import Run, study
from lightning_gapmon.logs.formats import find_runs

SETTINGS: dict[str, Rule] = {"careful": Budget(), "eager": Budget.eager()}
RULES = SETTINGS | {
    "patience 20 %": Patience(),
    "patience 10": Patience(10),
    "10, delta 0.1 %": Patience(10, 0.001, "relative"),
    "10, delta 1 %": Patience(10, 0.01, "relative"),
}
CHANGES = {
    "least wait 1": {"LEAST_WAIT": 1},
    "least wait 5": {"LEAST_WAIT": 5},
    "stops at the end": {"LEAST_LEFT": 0},
}
TOLERANCES = {"tolerance 0": 0.0, "tolerance 1 %": 0.01, "tolerance 5 %": 0.05}
SHARES = (0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)


def main() -> None:
    """Read the arguments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--fit", type=Path, help="folder with other logs, to fit a chance on")
    parser.add_argument("--delay", action="store_true")
    options = parser.parse_args()
    if options.delay:
        _delays(options.file)
        return
    runs = [_planned(run) for run in find_runs([options.file]).runs if not run.cut]
    print(f"{len(runs)} runs of {len({run.group for run in runs})} repositories")
    rules = RULES | (_chances(options.fit) if options.fit else {})
    _table("plan known", rules, runs)
    _table("plan unknown", rules, [_unplanned(run) for run in runs])
    for name, constants in CHANGES.items():
        with _changed(constants):
            _table(name, SETTINGS, runs, resamples=0)
    for name, tolerance in TOLERANCES.items():
        changed = {n: Budget(share, tolerance) for n, share in (("careful", 0.3), ("eager", 0.15))}
        _table(name, changed, runs, resamples=0)
    _cross_validate(runs)


def _planned(run: Run) -> Run:
    return replace(run, history=with_plan(run.history, len(run.history)))


def _unplanned(run: Run) -> Run:
    return replace(run, history=with_plan(run.history, None))


@dataclass(frozen=True, repr=False)
class Chance(Rule):
    """Stop where the chance of a loss that is 0.5 % better is told to be small.

    Args:
        least: Chance from which the run goes on.
        table: What tells it.
    """

    least: float
    table: Table = field(hash=False, compare=False)

    def __call__(self, history: History) -> StopReason | None:
        """Ask as the outlook does."""
        course, planned = follow(history), history.planned
        left = len(history) if planned is None else planned - len(history)
        unit = course.span.reference
        if left < budget.LEAST_LEFT or course.finite < LEAST_CHECKS or not unit > 0:
            return None
        known = [*features(course, left, planned=planned is not None), math.log10(0.005)]
        chance = self.table.chance(known)
        return self.reason(history, "little chance") if chance < self.least else None


def _chances(folder: Path) -> dict[str, Rule]:
    from fit_outlook import Fit, prefixes, read  # noqa: PLC0415 - needs scikit-learn

    table = Fit(prefixes(read(folder))).table()
    return {f"chance < {least}": Chance(least, table) for least in (0.1, 0.2, 0.3)}


@contextmanager
def _changed(constants: dict[str, int]) -> Iterator[None]:
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
        print(f"{title:16s} {row.rule:15s} {numbers}   {against}", flush=True)


def _cross_validate(runs: list[Run], *, splits: int = 200) -> None:
    """Choose the share on half of the repositories, measure on the other half."""
    grid = {
        (share, tolerance): Budget(share, tolerance)
        for share in SHARES
        for tolerance in (0.0, 0.01, 0.03, 0.05)
    }
    ours, edge = _costs(grid, runs)
    draw = np.random.default_rng(0)
    for goal, (low, high) in {"eager": (0.70, 0.80), "careful": (0.84, 0.92)}.items():
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
    rules = SETTINGS | {"patience 80": Patience(80)}
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
