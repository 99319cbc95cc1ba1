"""Fit the outlook's table on training logs, and ask how well it holds on runs it was not fitted on.

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
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import GroupKFold

from lightning_gapmon import History
from lightning_gapmon.analysis.outlook.course import follow
from lightning_gapmon.analysis.outlook.outlook import LEAST_BY, TAIL
from lightning_gapmon.analysis.outlook.course import features, swing

LEVELS = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
BY = 0.005
SHORTEST, LEAST = 8, 4
PREFIXES = 12
QUANTILES = {"final_low": 0.05, "final": 0.5, "final_high": 0.95}
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
        cuts = {draw.randint(LEAST, size - 1) for _ in range(PREFIXES)}
        cuts |= {max(LEAST, int(size * draw.random() ** 2)) for _ in range(PREFIXES // 2)}
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
    if course.finite < LEAST or not unit > 0 or not math.isfinite(run.val[cut - 1]):
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
                monotonic_cst=falls, early_stopping=False, random_state=0, l2_regularization=5,
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


def _quantile(share: float) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(
        loss="quantile", quantile=share, early_stopping=False, random_state=0, **QUANTILE
    )
