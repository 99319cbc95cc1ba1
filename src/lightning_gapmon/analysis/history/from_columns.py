"""Which columns of a log are the train and the validation loss, and how they meet at checks."""

import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import NamedTuple

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation

TRAIN = {"train", "training", "trn"}
VAL = {"val", "valid", "validation", "eval", "dev", "test"}
SILENT = {"epoch", "mean", "avg", "average"}
RATES = re.compile(r"(^|[/_-])(lr|learning_rate)([/_-]|$)", re.IGNORECASE)


class Point(NamedTuple):
    """One scalar.

    Attributes:
        step: Its step.
        value: Its value; NaN where it is no single number.
        seconds: Wall time at which it was written, since the epoch of Unix.
    """

    step: int
    value: float
    seconds: float = math.nan


Series = list[Point]


class Pair(NamedTuple):
    """Names of the columns of a run.

    Attributes:
        val: The validation loss.
        train: The train loss, or None where there is none.
        lr: The learning rate, or None.
        probe: The train loss in eval mode, or None.
    """

    val: str
    train: str | None = None
    lr: str | None = None
    probe: str | None = None


def find_pair(names: Iterable[str]) -> Pair | None:
    """Find the two losses among the columns: names that differ in train and val alone.

    A bare name is the train loss of its `val_` sibling, as in Keras. Values of single steps
    are passed over where the mean of the epoch is there.

    Example:
        >>> find_pair(["epoch", "train_loss_step", "train_loss_epoch", "val_loss", "lr-Adam"])
        Pair(val='val_loss', train='train_loss_epoch', lr='lr-Adam', probe=None)
        >>> find_pair(["loss", "accuracy", "val_loss", "val_accuracy"])
        Pair(val='val_loss', train='loss', lr=None, probe=None)
    """
    known = {name: _parts(name) for name in names}
    vals = [name for name, (side, what) in known.items() if side == "val" and _is_loss(what)]
    vals = [name for name in vals if not name.endswith("_step")]
    if not vals:
        return None
    val = min(vals, key=lambda name: (len(known[name][1]), name))
    what = known[val][1]
    trains = [n for n, (side, w) in known.items() if side in ("train", "") and w == what]
    train = min(trains, key=_worth, default=None)
    rate = next((name for name in known if RATES.search(name)), None)
    probed = (n for n, (side, w) in known.items() if side == "train" and w == (*what, "probe"))
    return Pair(val, train, rate, next(probed, None))


def _parts(name: str) -> tuple[str, tuple[str, ...]]:
    words = [word for word in re.split(r"[/_\-. :]+", name.lower()) if word]
    sides = ["train" if w in TRAIN else "val" for w in words if w in TRAIN | VAL]
    rest = tuple(w for w in words if w not in TRAIN | VAL | SILENT and w != "step")
    return (sides[0] if sides else ""), rest


def _is_loss(words: tuple[str, ...]) -> bool:
    return any("loss" in word for word in words)


def _worth(name: str) -> tuple[bool, str]:
    return name.endswith("_step"), name


def to_history(
    columns: Mapping[str, Series], pair: Pair, *, planned: int | None = None
) -> History:
    """Make a history with one check for each validation loss.

    The train loss of a check is the mean of the points since the check before, its learning
    rate the last that was logged by then.

    Example:
        >>> from lightning_gapmon.analysis.history.from_columns import Point
        >>> train = [Point(1, 4.0), Point(2, 2.0), Point(3, 1.0)]
        >>> columns = {"t": train, "v": [Point(2, 5.0), Point(4, 3.0)]}
        >>> history = to_history(columns, Pair("v", "t"))
        >>> history.train, history.val
        ([3.0, 1.0], [5.0, 3.0])
    """
    vals = columns[pair.val]
    train = columns[pair.train] if pair.train else []
    rates = columns[pair.lr] if pair.lr else []
    probes = {point.step: point.value for point in columns.get(pair.probe or "", [])}
    epochs = columns.get("epoch", [])
    begin = vals[0].seconds if vals else math.nan
    seen = []
    before = -math.inf
    for check, point in enumerate(vals, start=1):
        seen.append(
            Observation(
                check=check,
                epoch=int(_last(epochs, point.step, check - 1)),
                step=int(point.step),
                seconds=point.seconds - begin,
                train=_window(train, before, point.step),
                probe=probes.get(point.step, math.nan),
                val=point.value,
                lr=_last(rates, point.step, math.nan),
            )
        )
        before = point.step
    return History(seen, planned=planned)


def _window(points: Series, after: float, until: float) -> float:
    first = bisect_right(points, after, key=lambda point: point.step)
    last = bisect_right(points, until, key=lambda point: point.step)
    finite = [point.value for point in points[first:last] if math.isfinite(point.value)]
    return fmean(finite) if finite else math.nan


def _last(points: Series, until: float, missing: float) -> float:
    at = bisect_right(points, until, key=lambda point: point.step)
    value = points[at - 1].value if at else missing
    return value if math.isfinite(value) else missing
