"""Runs out of columns: which are the losses, and what to say where there are none."""

from collections.abc import Mapping

from lightning_gapmon.analysis.history.from_columns import RATES, Pair, find_pair, to_history
from lightning_gapmon.analysis.history.series import Series
from lightning_gapmon.analysis.loss_names import read_name
from lightning_gapmon.analysis.study import Run
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs.columns import measured

STEPS = ("trainer/global_step", "global_step", "step", "_step", "epoch")
NAMES_SHOWN = 8
MOST_CHECKS = 1_000_000  # each takes a kilobyte of memory


def is_wanted(name: str) -> bool:
    """Say whether a column is of use: a loss, a learning rate, a step or an epoch."""
    return name in STEPS or read_name(name).is_loss or bool(RATES.search(name))


def run_of(
    name: str, columns: Mapping[str, Series], *, gaps: bool = False, planned: int | None = None
) -> Run:
    """Make a run of the columns of a log.

    Args:
        name: What to call it.
        columns: The columns, by name.
        gaps: Whether NaN may stand for "not validated".
        planned: How many checks it intended.

    Raises:
        LogFormatError: There is no validation loss, or there are several.
    """
    pair = find_pair(columns)
    if pair is None:
        raise LogFormatError(_none(columns))
    return paired(name, columns, pair, gaps=gaps, planned=planned)


def paired(
    name: str,
    columns: Mapping[str, Series],
    pair: Pair,
    *,
    gaps: bool = False,
    planned: int | None = None,
) -> Run:
    """Make a run of the columns that are named.

    Raises:
        LogFormatError: There are too many checks to hold.
    """
    val = columns[pair.val]
    if len(val) > MOST_CHECKS:
        msg = f"{len(val):,} validation losses; a run has up to {MOST_CHECKS:,} checks"
        raise LogFormatError(msg)
    if gaps:
        val = Series.of(val[index] for index in measured([*map(float, val.values[:])]))
    return Run(name=name, history=to_history({**columns, pair.val: val}, pair, planned=planned))


def _none(columns: Mapping[str, Series]) -> str:
    read = {name: read_name(name) for name in columns}
    vals = [name for name, seen in read.items() if seen.is_loss and seen.side == "val"]
    if len(vals) > 1:
        return f"several validation losses, of which none is the loss: {_listed(vals)}"
    losses = [name for name, seen in read.items() if seen.is_loss]
    if losses:
        return f"no validation loss beside {_listed(losses)}"
    return "no validation loss; expected columns such as train_loss and val_loss"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:NAMES_SHOWN]) + ", ..." * (len(names) > NAMES_SHOWN)
