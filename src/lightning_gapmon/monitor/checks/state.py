"""What a fit leaves in a checkpoint, as plain types, and how its state is read back."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from lightning_gapmon.board.tags import Tags
from lightning_gapmon.errors import StateError
from lightning_gapmon.monitor.checks.reduction import BINS
from lightning_gapmon.monitor.compat import data_parallel
from lightning_gapmon.monitor.losses.recorder import Recorder
from lightning_gapmon.monitor.losses.watched import SOURCES, Names, Watched

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

VERSION = 1
Window = list[list[Any]]

_NUMBER = (int, float)
_KINDS: dict[str, type | tuple[type, ...]] = {
    "history": dict,
    "seconds": _NUMBER,
    "place": list,
    "watched": dict,
    "baseline": _NUMBER,
    "probe_batches": int,
    "window": list,
}
_WATCHED: dict[str, type | tuple[type, ...]] = {
    "train": (str, type(None)),
    "val": (str, type(None)),
    "names": dict,
    "prefix": str,
    "late": bool,
    "opposed": bool,
}


def checked(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """Look at a state before anything is taken from it.

    Raises:
        StateError: It is of another version, or damaged.

    Example:
        >>> checked({"version": 1})
        Traceback (most recent call last):
            ...
        lightning_gapmon.errors.StateError: Found a GapMonitor state without 'history'...
    """
    if "version" in state and state["version"] != VERSION:
        msg = (
            f"Found a GapMonitor state of version {state['version']!r}, expected "
            f"{VERSION}. Resume with the version of lightning_gapmon that wrote it."
        )
        raise StateError(msg)
    _refuse_damaged(state, {"version": int, **_KINDS}, "")
    _refuse_damaged(state["watched"], _WATCHED, " of what it watches")
    return state


def _refuse_damaged(
    state: Mapping[str, Any], kinds: Mapping[str, type | tuple[type, ...]], part: str
) -> None:
    missing = [key for key in kinds if key not in state]
    odd = [key for key in kinds if key in state and not isinstance(state[key], kinds[key])]
    if missing:
        found = f"without {', '.join(map(repr, missing))}"
    elif odd:
        found = f"whose {odd[0]!r} is {state[odd[0]]!r}"
    else:
        return
    msg = (
        f"Found a GapMonitor state{part} {found}: the checkpoint is damaged, or was changed. "
        "Expected what GapMonitor writes into a checkpoint. Resume from another one; or, to go on "
        "from this one with a new history, load it with torch.load, take 'GapMonitor' out of its "
        "'callbacks' and save it again."
    )
    raise StateError(msg)


def watched_to_plain(watched: Watched) -> dict[str, Any]:
    """Write what is watched."""
    return {
        "train": watched.train,
        "val": watched.val,
        "names": dict(watched.names),
        "prefix": watched.tags.prefix,
        "late": watched.late,
        "opposed": watched.opposed,
    }


def watched_from_plain(plain: Mapping[str, Any], *, given: Names) -> Watched:
    """Read what is watched; names that were given since go first."""
    return Watched(
        train=plain["train"],
        val=plain["val"],
        names={**plain["names"], **given},
        tags=Tags(plain["prefix"]),
        late=plain["late"],
        opposed=plain["opposed"] and not given,
    )


def window_state(trainer: "Trainer", recorder: Recorder) -> Window:
    """Write what has been recorded since the last check, of all ranks.

    On one process row by row, so that a resumed run continues to the last bit; on several the
    ranks' windows are added up in bins first. Saving a checkpoint is collective anyway.
    """
    if trainer.world_size == 1:
        meters = recorder.window().items()
        return [
            [source, name, *meter.state()] for (source, name), meter in meters if meter.batches
        ]
    return _reduced(trainer, recorder)


def _reduced(trainer: "Trainer", recorder: Recorder) -> Window:
    device = trainer.strategy.root_device
    meters = [recorder.meter("train", source) for source in SOURCES]
    weight = data_parallel(trainer).size / trainer.world_size
    rows = torch.stack([meter.rows(device, BINS) for meter in meters]) * weight
    summed = trainer.strategy.reduce(rows, reduce_op="sum").tolist()
    name = recorder.names()["train"]
    names = [name if source == "logged" else "" for source in SOURCES]
    ends = [_even_ends(meter.batches) for meter in meters]
    return [list(parts) for parts in zip(SOURCES, names, summed, ends, strict=True) if parts[3]]


def _even_ends(batches: int) -> list[int]:
    return [batches * (i + 1) // BINS for i in range(BINS)] if batches else []


def continue_window(recorder: Recorder, window: Sequence[Sequence[Any]], *, rank: int) -> None:
    """Read what `window_state` wrote; the numbers go to rank 0, their places to all."""
    for source, name, rows, ends in window:
        mine = rows if rank == 0 else [[0.0] * len(row) for row in rows]
        recorder.load(source, name, mine, ends)
