"""Rules over many finished runs: what each would have saved and given away."""

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from statistics import fmean
from typing import NamedTuple

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.replay import Replay, outcome, replay_all
from lightning_gapmon.analysis.rules.rule import Rule

PATIENCES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50)
TINY = 1e-5


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run.

    Attributes:
        name: What to call it.
        history: Its checks; `planned` is the plan that the rules are told.
        group: Runs of one group (a project, a repository) are alike: they weigh as one.
        cut: Whether it seems to have been ended by early stopping, so that its length is no
            plan.
    """

    name: str
    history: History
    group: str = ""
    cut: bool = False


class Interval(NamedTuple):
    """A value with its 95 % interval."""

    value: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True, kw_only=True)
class Row:
    """One rule over all runs. Shares are means over groups, from 0 to 1.

    Attributes:
        rule: Its name.
        used: Share of the checks that it would have paid for.
        kept: Share of the runs whose best check it would have kept.
        regret_relative: Mean relative regret.
        regret_range: Mean regret by range.
        against_relative: Relative regret over that of patience at the same `used`; below 1 is
            better than any patience, NaN is where there is no regret to compare.
        against_range: The same for the regret by range.
    """

    rule: str
    used: Interval
    kept: Interval
    regret_relative: Interval
    regret_range: Interval
    against_relative: Interval
    against_range: Interval


class _Cost(NamedTuple):
    used: float
    kept: float
    relative: float
    range: float

    @classmethod
    def of(cls, replayed: Replay) -> "_Cost":
        return cls(
            1 - replayed.saved,
            float(replayed.regret == 0),
            replayed.regret_relative,
            replayed.regret_range,
        )


Costs = dict[str, list[_Cost]]  # by rule, one for each group


def study(
    rules: Mapping[str, Rule],
    runs: Iterable[Run],
    *,
    resamples: int = 400,
    progress: Callable[[Iterable[Run]], Iterable[Run]] = iter,
) -> list[Row]:
    """Replay rules over runs, with intervals from resampling the groups.

    Args:
        rules: The rules, by the name of their row.
        runs: The runs; those without a finite validation loss are left out.
        resamples: How many times the groups are drawn anew for the intervals.
        progress: Wraps the runs, to show how far it is.

    Example:
        >>> from lightning_gapmon import Patience
        >>> history = History.from_curves(train=[1] * 4, val=[3.0, 2.0, 2.5, 1.0])
        >>> (row,) = study({"hasty": Patience(1)}, [Run(name="a", history=history)])
        >>> row.used.value, row.regret_relative.value, row.against_relative.value
        (0.75, 1.0, 1.0)
    """
    frontier = {f"patience {p}" if p else "never": p for p in (*PATIENCES, 0)}
    by_group: dict[str, dict[str, list[_Cost]]] = {}
    for run in progress(runs):
        if run.history.best is None:
            continue
        # A copy, so that what the rules remember of a run goes when it is done.
        replayed = replay_all(rules, History(run.history, planned=run.history.planned))
        costs = {f"rule {name}": _Cost.of(result) for name, result in replayed.items()}
        costs |= dict(zip(frontier, _patience_costs(run.history), strict=True))
        group = by_group.setdefault(run.group or run.name, {})
        for name, cost in costs.items():
            group.setdefault(name, []).append(cost)
    means = [{name: _mean(costs) for name, costs in group.items()} for group in by_group.values()]
    return _rows([*rules], [*frontier], means, resamples) if means else []


def _patience_costs(run: History) -> list[_Cost]:
    """Cost of each patience of the frontier, and of never stopping, in one pass."""
    stops: dict[int, int] = {}
    low, wait, most = math.inf, 0, 0
    for used, value in enumerate(run.val, start=1):
        wait = 0 if value < low else wait + 1
        low = min(low, value) if math.isfinite(value) else low
        for patience in range(most + 1, wait + 1):
            stops[patience] = used
        most = max(most, wait)
    used_by = [stops.get(patience, len(run)) for patience in (*PATIENCES, 0)]
    known: dict[int, _Cost] = {}
    for used in used_by:
        known.setdefault(used, _Cost.of(outcome(run, used)))
    return [known[used] for used in used_by]


def _mean(costs: Sequence[_Cost]) -> _Cost:
    return _Cost(*map(fmean, zip(*costs, strict=True)))


def _rows(
    rules: list[str], frontier: list[str], means: list[dict[str, _Cost]], resamples: int
) -> list[Row]:
    names = [f"rule {name}" for name in rules]
    columns = {name: [*zip(*(group[name] for group in means), strict=True)] for name in means[0]}
    draw = random.Random(0)  # noqa: S311 - for an interval that is the same each time
    drawn = [_values(columns, names, frontier, range(len(means)))]
    for _ in range(resamples if len(means) > 1 else 0):
        picks = draw.choices(range(len(means)), k=len(means))
        drawn.append(_values(columns, names, frontier, picks))
    measured = zip(*drawn, strict=True)
    return [
        Row(**{"rule": rule, **_intervals(values)})  # type: ignore[arg-type]
        for rule, values in zip(rules, measured, strict=True)
    ]


MEASURES = (
    "used",
    "kept",
    "regret_relative",
    "regret_range",
    "against_relative",
    "against_range",
)


def _intervals(values: Sequence[Sequence[float]]) -> dict[str, Interval]:
    columns = zip(MEASURES, zip(*values, strict=True), strict=True)
    return {name: _interval(column) for name, column in columns}


def _interval(values: Sequence[float]) -> Interval:
    value = values[0]
    drawn = sorted(other for other in values[1:] if not math.isnan(other))
    if not drawn or math.isnan(value):
        return Interval(value)
    return Interval(value, drawn[int(0.025 * len(drawn))], drawn[int(0.975 * len(drawn))])


def _values(
    columns: Mapping[str, Sequence[Sequence[float]]],
    names: list[str],
    frontier: list[str],
    picks: Sequence[int],
) -> list[tuple[float, ...]]:
    def mean(name: str) -> _Cost:
        return _Cost(*(sum(map(c.__getitem__, picks)) / len(picks) for c in columns[name]))

    edge = sorted(map(mean, frontier))
    return list(starmap(_against, ((mean(name), edge) for name in names)))


def _against(cost: _Cost, edge: list[_Cost]) -> tuple[float, ...]:
    at = _at(edge, cost.used)
    pairs = ((cost.relative, at.relative), (cost.range, at.range))
    return (*cost, *starmap(_ratio, pairs))


def _ratio(mine: float, theirs: float) -> float:
    """Divide two regrets; NaN where neither rule has given anything away."""
    return mine / max(theirs, TINY) if mine or theirs else math.nan


def _at(edge: list[_Cost], used: float) -> _Cost:
    """Interpolate the frontier linearly at a share of checks."""
    right = bisect_right([cost.used for cost in edge], used)
    if right in (0, len(edge)):
        return edge[min(right, len(edge) - 1)]
    a, b = edge[right - 1], edge[right]
    share = (used - a.used) / (b.used - a.used)
    return _Cost(*(x + share * (y - x) for x, y in zip(a, b, strict=True)))
