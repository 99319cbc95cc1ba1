"""Which columns of a log are the train and the validation loss, and how they meet at checks."""

import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import NamedTuple

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.history.series import Series
from lightning_gapmon.analysis.loss_names import lone, pair, read_name

RATES = re.compile(r"(^|[/_-])(lr|learning_rate)([/_-]|$)", re.IGNORECASE)
NOTHING = Series((), (), ())


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


def find_pair(columns: Iterable[str] | Mapping[str, Series]) -> Pair | None:
    """Find the two losses among the columns of a log, as the live monitor would.

    A bare name is the train loss of its `val_` sibling, as in Keras. Values of single steps
    are passed over where the mean of the epoch is there, a test loss where there is a validation
    loss, and a column of one point where another of that name goes on.

    Returns:
        The names; None where there is no validation loss, or several of which none is the loss.

    Example:
        >>> find_pair(["epoch", "train_loss_step", "train_loss_epoch", "val_loss", "lr-Adam"])
        Pair(val='val_loss', train='train_loss_epoch', lr='lr-Adam', probe=None)
        >>> find_pair(["loss", "accuracy", "val_loss", "val_accuracy"])
        Pair(val='val_loss', train='loss', lr=None, probe=None)
    """
    losses = [name for name in columns if read_name(name).is_loss]
    if isinstance(columns, Mapping):
        losses = [name for name in losses if not _is_outrun(name, losses, columns)]
    vals = [name for name in losses if _is_val(name) and read_name(name).part != "step"]
    vals = [name for name in vals if not read_name(name).is_test] or vals
    trains = [name for name in losses if not _is_val(name)]
    train, val = pair(trains, vals) or (None, lone(vals))
    if not val:
        return None
    stem = read_name(val).stem
    rate = next((name for name in columns if RATES.search(name)), None)
    probes = (n for n in losses if not _is_val(n) and read_name(n).stem == f"{stem}_probe")
    return Pair(val, train, rate, next(probes, None))


def _is_outrun(name: str, losses: Iterable[str], columns: Mapping[str, Series]) -> bool:
    """Whether a column has one point, as a sum over the run has, and another like it has more."""
    alike = [other for other in losses if read_name(other).stem == read_name(name).stem]
    sizes = [len(columns[other]) for other in alike if _is_val(other) == _is_val(name)]
    return len(columns[name]) == 1 < max(sizes)


def _is_val(name: str) -> bool:
    return read_name(name).side == "val"


def to_history(
    columns: Mapping[str, Series], pair: Pair, *, planned: int | None = None
) -> History:
    """Make a history with one check for each validation loss.

    The train loss of a check is the mean of the points since the check before, its learning
    rate the last that was logged by then.

    Example:
        >>> train = Series((1, 2, 3), (4.0, 2.0, 1.0), (math.nan,) * 3)
        >>> val = Series((2, 4), (5.0, 3.0), (math.nan,) * 2)
        >>> history = to_history({"t": train, "v": val}, Pair("v", "t"))
        >>> history.train, history.val
        ([3.0, 1.0], [5.0, 3.0])
    """
    vals = columns[pair.val]
    train, rates, epochs, probes = (
        columns.get(name or "", NOTHING) for name in (pair.train, pair.lr, "epoch", pair.probe)
    )
    probed = {point.step: point.value for point in probes}
    begin = vals[0].seconds if vals else math.nan
    seen = []
    before = -math.inf
    for check, point in enumerate(vals, start=1):
        seen.append(
            Observation(
                check=check,
                epoch=int(_last(epochs, point.step, check - 1)),
                step=point.step,
                seconds=point.seconds - begin,
                train=_window(train, before, point.step),
                probe=probed.get(point.step, math.nan),
                val=point.value,
                lr=_last(rates, point.step, math.nan),
            )
        )
        before = point.step
    return History(seen, planned=planned)


def _window(series: Series, after: float, until: float) -> float:
    first, last = bisect_right(series.steps, after), bisect_right(series.steps, until)
    values = [*map(float, series.values[first:last])]
    finite = [*filter(math.isfinite, values)]
    # What is not finite counts where nothing else was logged: it has diverged by then.
    return fmean(finite) if finite else values[-1] if values else math.nan


def _last(series: Series, until: float, missing: float) -> float:
    at = bisect_right(series.steps, until)
    value = float(series.values[at - 1]) if at else missing
    return value if math.isfinite(value) else missing
