"""Fit the outlook's table on training logs, and ask how it holds on runs it was not fitted on.

    python benchmarks/fit_outlook.py LOGS                      # cross-fitted: how calibrated it is
    python benchmarks/fit_outlook.py LOGS --write table.json   # and the table, fitted on all runs

LOGS is a folder with `*.jsonl` or `*.jsonl.gz`, one run a line: {"id", "repo", "train": [...],
"val": [...]}, optionally "kind", "family" (taken for the repository: what belongs together is left
out together) and "es_suspect" (a run that somebody's early stopping cut short; left out). Needs
NumPy and scikit-learn.
"""

import argparse
import gzip
import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import GroupKFold

from lightning_gapmon import History
from lightning_gapmon.analysis.outlook.curve import features, follow, swing
from lightning_gapmon.analysis.outlook.outlook import LEAST_BY, LEAST_CHECKS, TAIL
from lightning_gapmon.analysis.outlook.trees import Table

LEVELS = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
BY = 0.005
BINS = 10
SHORTEST = 8
PREFIXES = 12
QUANTILES = {"low": 0.04, "final": 0.5, "high": 0.96}  # trees overfit: these hold 90 % elsewhere
CHANCE = {"max_iter": 120, "learning_rate": 0.08, "max_leaf_nodes": 8, "min_samples_leaf": 200}
QUANTILE = {"max_iter": 50, "learning_rate": 0.1, "max_leaf_nodes": 6, "min_samples_leaf": 100}


class Run(NamedTuple):
    """A finished run: what it is called, what it belongs to, and its losses."""

    name: str
    group: str
    kind: str
    train: list[float]
    val: list[float]


@dataclass
class Rows:
    """Prefixes of runs, one a row, with what came later."""

    x: np.ndarray  # features
    gain: np.ndarray  # how far the rest went below the best so far, in units of the reference
    final: np.ndarray  # where the end was, above the level, in units of the swing
    half: np.ndarray  # share of the rest after which half of its gain had come; NaN without any
    planned: np.ndarray
    group: np.ndarray
    kind: np.ndarray
    length: np.ndarray

    def __getitem__(self, index: Any) -> "Rows":  # noqa: ANN401 - any index of NumPy's
        """Pick rows."""
        return Rows(**{name: column[index] for name, column in vars(self).items()})


def read(folder: Path) -> list[Run]:
    """Read the runs of a folder that were not cut short."""
    found = []
    for path in sorted(folder.glob("*.jsonl*")):
        if path.suffix not in (".jsonl", ".gz"):
            continue
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt") as lines:  # type: ignore[operator]
            rows = map(json.loads, lines)
            found += [_run(row) for row in rows if "repo" in row and not row.get("es_suspect")]
    return [run for run in found if len(run.val) >= SHORTEST]


def _run(row: dict[str, Any]) -> Run:
    group = row.get("family") or (row["source"] if row.get("source") == "taskset" else row["repo"])
    return Run(row["id"], group, row.get("kind", "other"), row["train"], row["val"])


def prefixes(runs: list[Run], *, seed: int = 0) -> Rows:
    """Cut each run at random checks, half of them early, and look at what came later."""
    draw = random.Random(seed)  # noqa: S311 - to sample
    rows = []
    for run in runs:
        size = len(run.val)
        cuts = {draw.randint(LEAST_CHECKS, size - 1) for _ in range(PREFIXES)}
        cuts |= {max(LEAST_CHECKS, int(size * draw.random() ** 2)) for _ in range(PREFIXES // 2)}
        history = History.from_curves(train=run.train, val=run.val)
        for cut in sorted(cuts):
            rows += _look_ahead(run, history[:cut])
    columns = zip(*rows, strict=True)
    names = ("x", "gain", "final", "half", "planned", "group", "kind", "length")
    return Rows(**{name: np.array(column) for name, column in zip(names, columns, strict=True)})


def _look_ahead(run: Run, seen: History) -> Iterator[tuple[Any, ...]]:
    cut, size = len(seen), len(run.val)
    course = follow(seen)
    unit, best = course.span.reference, course.span.low
    if course.finite < LEAST_CHECKS or not unit > 0 or not math.isfinite(run.val[cut - 1]):
        return
    for planned, left in ((True, size - cut), (False, cut)):
        rest = np.array(run.val[cut : cut + left], float)
        if len(rest) < left or not np.isfinite(rest).any():
            continue
        end = rest[-max(1, round(TAIL * (cut + left))) :]
        lowest = np.minimum.accumulate(np.where(np.isfinite(rest), rest, np.inf))
        gain = best - lowest[-1]
        half = (np.argmax(best - lowest >= gain / 2) + 1) / left if gain > 0 else math.nan
        final = (np.nanmean(end) - course.short) / swing(course)
        x = features(course, left, planned=planned)
        yield x, gain / unit, final, half, planned, run.group, run.kind, size


def weights(rows: Rows) -> np.ndarray:
    """Let a repository count by the square root of its runs: many of a kind say less each."""
    _, where, count = np.unique(rows.group, return_inverse=True, return_counts=True)
    weight = count[where] ** -0.5
    return weight / weight.mean()


def with_level(x: np.ndarray, level: float) -> np.ndarray:
    """Add what is asked for as the last feature."""
    return np.c_[x, np.full(len(x), math.log10(max(level, LEAST_BY)))]


class Fit:
    """The trees of the chance, of the end with its interval, and of the half."""

    def __init__(self, rows: Rows) -> None:
        x = np.concatenate([with_level(rows.x, level) for level in LEVELS])
        y = np.concatenate([rows.gain > level for level in LEVELS])
        # The chance of more is never above that of less: the level's effect is monotone.
        falls = [0] * rows.x.shape[1] + [-1]
        weight = weights(rows)
        self.trees: dict[str, Any] = {
            "chance": HistGradientBoostingClassifier(
                monotonic_cst=falls,
                early_stopping=False,
                random_state=0,
                l2_regularization=5,
                **CHANCE,
            ).fit(x, y, sample_weight=np.tile(weight, len(LEVELS)))
        }
        for name, share in QUANTILES.items():
            self.trees[name] = _quantile(share).fit(rows.x, rows.final.clip(-30, 30), weight)
        some = np.isfinite(rows.half)
        self.trees["half"] = _quantile(0.5).fit(rows.x[some], rows.half[some], weight[some])

    def chance(self, x: np.ndarray, level: float = BY) -> np.ndarray:
        """Chance of a gain above a level."""
        told: np.ndarray = self.trees["chance"].predict_proba(with_level(x, level))[:, 1]
        return told

    def interval(self, x: np.ndarray) -> np.ndarray:
        """Low end, middle and high end, in order."""
        return np.sort([self.trees[name].predict(x) for name in QUANTILES], axis=0)

    def table(self) -> Table:
        """Write the trees down, with as many digits as matter."""
        # scikit-learn has no public name for what its trees are made of.
        table = Table({}, {})
        for name, model in self.trees.items():
            table.start[name] = float(np.ravel(model._baseline_prediction)[0])  # noqa: SLF001
            table.trees[name] = [_tree(step[0].nodes, 0) for step in model._predictors]  # noqa: SLF001
        return table


def _tree(nodes: np.ndarray, at: int) -> Any:  # noqa: ANN401 - a tree is a number or a list
    node = nodes[at]
    if node["is_leaf"]:
        return float(f"{node['value']:.4g}")
    # Thresholds often are values of the data, which belong below: so rounded upwards.
    threshold = math.ceil(node["num_threshold"] * 1e5) / 1e5
    return [
        int(node["feature_idx"]),
        threshold,
        *(_tree(nodes, node[s]) for s in ("left", "right")),
    ]


def _quantile(share: float) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(
        loss="quantile", quantile=share, early_stopping=False, random_state=0, **QUANTILE
    )


def cross_fit(rows: Rows, folds: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tell of each row, by a fit that has not seen its group: chance, interval, half."""
    chance, ends, half = np.zeros(len(rows.x)), np.zeros((3, len(rows.x))), np.zeros(len(rows.x))
    split = GroupKFold(folds, shuffle=True, random_state=1)
    for seen, unseen in split.split(rows.x, groups=rows.group):
        fit, x = Fit(rows[seen]), rows.x[unseen]
        chance[unseen], ends[:, unseen] = fit.chance(x), fit.interval(x)
        half[unseen] = fit.trees["half"].predict(x)
    return chance, ends, half


def skill(chance: np.ndarray, better: np.ndarray) -> float:
    """Brier skill against the base rate: 1 is perfect, 0 is to tell everyone the same."""
    base = better.mean()
    return float(1 - np.mean((chance - better) ** 2) / (base * (1 - base)))


class Bin(NamedTuple):
    """A tenth of the rows, by their chance: told, observed, and two standard errors of that."""

    told: float
    observed: float
    margin: float


def reliability(chance: np.ndarray, better: np.ndarray, group: np.ndarray) -> list[Bin]:
    """Compare told and observed in bins of equal count; errors are by repositories."""
    bins = []
    for rows in np.array_split(np.argsort(chance, kind="stable"), BINS):
        off = better[rows] - chance[rows]
        _, where = np.unique(group[rows], return_inverse=True)
        by_group = np.bincount(where, weights=off - off.mean())
        margin = 2 * math.sqrt(float((by_group**2).sum())) / len(rows)
        bins.append(Bin(float(chance[rows].mean()), float(better[rows].mean()), margin))
    return bins


def report(rows: Rows, *, families: bool) -> list[Bin]:
    """Print how calibrated it is where it was not fitted, by kind and by length."""
    chance, ends, half = cross_fit(rows)
    better = (rows.gain > BY).astype(float)
    inside = (ends[0] <= rows.final) & (rows.final <= ends[2])
    named = {"with a plan": rows.planned, "without a plan": ~rows.planned}
    named |= {f"kind {kind}": rows.planned & (rows.kind == kind) for kind in np.unique(rows.kind)}
    for low, high in ((8, 25), (26, 100), (101, math.inf)):
        within = (low <= rows.length) & (rows.length <= high)
        named[f"{low} to {high} checks"] = rows.planned & within
    print("cross-fitted                 prefixes  better  skill  worst bin  interval holds")
    for name, some in named.items():
        if some.sum() < BINS:
            continue
        bins = reliability(chance[some], better[some], rows.group[some])
        worst = max(abs(one.told - one.observed) for one in bins)
        print(
            f"{name:28s} {some.sum():8d}  {better[some].mean():6.1%}  "
            f"{skill(chance[some], better[some]):5.2f}  {worst:9.1%}  {inside[some].mean():.1%}"
        )
    known = rows.planned & np.isfinite(rows.half)
    off = np.abs(rows.half - half)[known].mean()
    print(
        f"half: off by {off:.1%} of what is left, in the mean; "
        f"{np.mean(rows.half[known] < half[known]):.0%} came before"
    )
    if families:
        _leave_out(rows, better)
    return reliability(chance[rows.planned], better[rows.planned], rows.group[rows.planned])


def _leave_out(rows: Rows, better: np.ndarray, *, least: int = 200) -> None:
    names, counts = np.unique(rows.group[rows.planned], return_counts=True)
    for name in names[counts >= least]:
        out = rows.group == name
        told = Fit(rows[~out]).chance(rows.x[out & rows.planned])
        seen = better[out & rows.planned]
        print(f"left out: {name:30s} {len(seen):6d}  {seen.mean():6.1%}  {skill(told, seen):5.2f}")


SIDE, PAD = 320, 46
FONT = 'font-family="system-ui, sans-serif" font-size="12" fill="#333333"'
INK, FAINT, BLUE = "#333333", "#dddddd", "#3b6fb6"


def draw(bins: list[Bin]) -> str:
    """Draw what was observed over what was told, with two standard errors, as SVG."""

    def at(share: float) -> float:
        return PAD + SIDE * share

    def line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
        ends = f'x1="{at(x1):.1f}" y1="{at(1 - y1):.1f}" x2="{at(x2):.1f}" y2="{at(1 - y2):.1f}"'
        return f'<line {ends} stroke="{colour}"/>'

    def text(x: float, y: float, words: str, turn: str = "") -> str:
        return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle"{turn}>{words}</text>'

    size, middle = SIDE + 2 * PAD, PAD + SIDE / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" {FONT}>',
        f'<rect width="{size}" height="{size}" fill="white"/>',
    ]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts += [line(tick, 0, tick, 1, FAINT), line(0, tick, 1, tick, FAINT)]
        parts += [
            text(at(tick), at(1) + 18, f"{tick:.0%}"),
            text(22, at(1 - tick) + 4, f"{tick:.0%}"),
        ]
    parts.append(line(0, 0, 1, 1, INK))
    for one in bins:
        low, high = max(0, one.observed - one.margin), min(1, one.observed + one.margin)
        parts.append(line(one.told, low, one.told, high, BLUE))
        place = f'cx="{at(one.told):.1f}" cy="{at(1 - one.observed):.1f}"'
        parts.append(f'<circle {place} r="4" fill="{BLUE}"/>')
    parts.append(text(middle, size - 8, "chance that was told"))
    parts.append(text(middle, 20, "how often the rest of the run was better by more than 0.5 %"))
    return "\n".join([*parts, "</svg>"])


def main() -> None:
    """Read the arguments, print the report, and write the table where one is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("logs", type=Path)
    parser.add_argument("--write", type=Path, help="where to put the table")
    parser.add_argument("--picture", type=Path, help="where to draw the reliability diagram")
    parser.add_argument("--families", action="store_true", help="leave out each larger group, too")
    options = parser.parse_args()
    runs = read(options.logs)
    rows = prefixes(runs)
    groups = len({run.group for run in runs})
    print(f"{len(runs)} runs of {groups} repositories, {len(rows.x)} prefixes")
    bins = report(rows, families=options.families)
    for one in bins:
        print(f"told {one.told:6.1%}  observed {one.observed:6.1%} ± {one.margin:.1%}")
    if options.picture:
        options.picture.write_text(draw(bins) + "\n", encoding="utf-8")
    if options.write:
        _write(Fit(rows), rows, options.write, f"{len(runs)} runs of {groups} repositories")


def _write(fit: Fit, rows: Rows, path: Path, fitted_on: str) -> None:
    table = fit.table()
    told = fit.chance(rows.x)
    again = [table.chance(x) for x in with_level(rows.x, BY)]
    print(f"rounding moves a chance by at most {np.max(np.abs(told - again)):.4f}")
    plain = {"fitted_on": fitted_on, "start": table.start, "trees": table.trees}
    path.write_text(json.dumps(plain, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
