"""A run out of TensorBoard's scalars as its document: judged here, or as it judged itself."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from lightning_gapmon.analysis.history.from_columns import NOTHING, Pair, find_pair, to_history
from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.interval import NORMAL
from lightning_gapmon.analysis.history.series import Point, Series
from lightning_gapmon.analysis.loss_names import read_name
from lightning_gapmon.analysis.outlook.outlook import outlook
from lightning_gapmon.analysis.run_document import (
    VERSION,
    Beside,
    RunDocument,
    plain,
    run_document,
)
from lightning_gapmon.analysis.verdicts.diagnose import diagnose

EPOCH = "epoch"
OURS = "Loss/"  # these are the loss itself, its gap and what belongs to them
METRIC = "metric_"
MOST_METRICS = 8


class Wanted(NamedTuple):
    """The scalars of a run that are shown.

    Attributes:
        pair: The two losses.
        steps: The train loss of single steps, or "".
        metrics: By name, the train and the validation tag of other metrics.
        ours: Tags that a monitor logged beside the losses.
    """

    pair: Pair
    steps: str
    metrics: Mapping[str, tuple[str, str]]
    ours: tuple[str, ...]

    @property
    def names(self) -> set[str]:
        """All the tags."""
        pairs = (tag for sides in self.metrics.values() for tag in sides)
        return {tag for tag in (*self.pair, self.steps, *pairs, *self.ours, EPOCH) if tag}


def wanted(tags: Iterable[str]) -> Wanted | None:
    """Find what to show among a run's tags; None without a validation loss.

    Example:
        >>> found = wanted(
        ...     ["train_loss_step", "train_loss_epoch", "val_loss", "acc/train", "acc/val"]
        ... )
        >>> found.pair.train, found.steps, found.metrics
        ('train_loss_epoch', 'train_loss_step', {'acc': ('acc/train', 'acc/val')})
    """
    known = list(tags)
    pair = find_pair(known)
    if pair is None:
        return None
    train = pair.train or ""
    steps = train.removesuffix("_epoch") + "_step"
    ours = tuple(tag for tag in known if OURS in tag)
    return Wanted(pair, steps if steps in known else "", _metrics(known, pair), ours)


def _metrics(tags: Sequence[str], pair: Pair) -> dict[str, tuple[str, str]]:
    """Pair what is no loss by its stem; of two names for one side, the epoch's mean is taken."""
    sides: dict[str, dict[str, str]] = {}
    for tag in sorted(tags, key=lambda tag: read_name(tag).part == "step", reverse=True):
        name = read_name(tag)
        if name.side and name.stem and OURS not in tag and tag not in pair:
            sides.setdefault(name.stem.removeprefix(METRIC), {})[name.side] = tag
    both = {
        name: (found["train"], found["val"]) for name, found in sides.items() if len(found) > 1
    }
    return dict(sorted(both.items())[:MOST_METRICS])


def judged(run: str, names: Wanted, scalars: Mapping[str, Any]) -> RunDocument:
    """Judge a run by its scalars, as one that has ended: nothing in them says otherwise."""
    columns = {tag: _series(points) for tag, points in scalars.items()}
    history = to_history(columns, names.pair)
    raw = columns.get(names.steps) or columns.get(names.pair.train or "") or NOTHING
    known = {"train": names.pair.train, "val": names.pair.val}
    beside = Beside(
        name=run,
        names={side: tag for side, tag in known.items() if tag},
        raw=_raw(raw, history),
        outlook=outlook(history),
        metrics={name: _sides(columns, tags, history) for name, tags in names.metrics.items()},
    )
    return run_document(history, diagnose(history), beside)


def _raw(points: Series, history: History) -> tuple[list[int], list[float]]:
    if len(points) <= len(history):  # no more than is drawn anyway
        return [], []
    return [point.step for point in points], [point.value for point in points]


def _sides(
    columns: Mapping[str, Series], tags: tuple[str, str], history: History
) -> tuple[list[float], list[float]]:
    """Bring a metric to the checks: its own windows are the ones between its validations."""
    train, val = tags
    if not columns.get(val):
        return [math.nan] * len(history), [math.nan] * len(history)
    found = {seen.step: seen for seen in to_history(columns, Pair(val, train))}
    rows = [found.get(seen.step) for seen in history]
    return (
        [math.nan if row is None else row.train for row in rows],
        [math.nan if row is None else row.val for row in rows],
    )


def _series(data: Iterable[Any]) -> Series:
    """Read a scalar; what a resumed run logged again takes the place of what was there."""
    points = [Point(int(one.step), float(one.value), float(one.wall_time)) for one in data]
    # The least step from each point on, from the last one backwards.
    least = accumulate((point.step for point in reversed(points)), min, initial=math.inf)
    after = [*least][-2::-1]
    kept = (point for point, later in zip(points, after, strict=True) if point.step < later)
    return Series.of(kept)


def resumed(
    run: str,
    told: RunDocument,
    scalars: Mapping[str, Any],
    written: Any,  # noqa: ANN401 - TensorBoard has no types
) -> RunDocument | None:
    """Show a run by its own document, with the checks that it has logged since.

    Args:
        run: Its name here.
        told: The document.
        scalars: What the run has logged.
        written: When the document was, as TensorBoard has it: `step` and `wall_time`.

    Returns:
        The document; None where this is none that is understood here.
    """
    columns = told.get("columns")
    if told.get("version") != VERSION or not isinstance(columns, dict):
        return None
    series = {side: _series(scalars.get(tag, [])) for side, tag in told["names"].items()}
    since = [point for point in series.get("val", NOTHING) if point.step > written.step]
    rows = [_row(i, point, series, told, written) for i, point in enumerate(since, start=1)]
    if not rows:
        return told | {"name": run}
    missing = [None] * len(rows)
    unknown = [None] * len(columns.get("check", ()))
    return told | {
        "name": run,
        "columns": {
            name: [*columns.get(name, unknown), *(row.get(name) for row in rows)]
            for name in columns | rows[-1]
        },
        "metrics": {
            name: [[*side, *missing] for side in sides] for name, sides in told["metrics"].items()
        },
        "checks": told["checks"] + len(rows),
        "last": rows[-1],
    }


def _row(
    number: int,
    point: Point,
    series: Mapping[str, Series],
    told: RunDocument,
    written: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """Make a check of what was logged: counted on from the last one that is known whole."""
    at = {side: _at(points, point.step) for side, points in series.items()}
    last = told["last"] or {"step": written.step, "epoch": 0, "basis": "online", "seconds": None}
    gap, stderr, epoch = (at.get(name, math.nan) for name in ("gap", "gap_stderr", EPOCH))
    numbers = {
        "seconds": (last["seconds"] or 0) + point.seconds - written.wall_time,
        "online": at.get("train", math.nan),
        "train": at.get("train_fair", math.nan),
        "probe": at.get("train_probe", math.nan),
        "val": point.value,
        "gap": gap,
        "gap_stderr": stderr,
        "gap_low": gap - NORMAL * stderr,
        "gap_high": gap + NORMAL * stderr,
    }
    counted = {
        "check": told["checks"] + number,
        # Loggers count steps from 0, checks what was done.
        "step": last["step"] + point.step - written.step,
        "epoch": int(epoch) if math.isfinite(epoch) else last["epoch"],
        "basis": last["basis"],
    }
    return counted | {name: plain(value) for name, value in numbers.items()}


def _at(points: Series, step: int) -> float:
    return next((point.value for point in reversed(points) if point.step == step), math.nan)
