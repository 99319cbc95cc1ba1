"""Under which names a module logs the loss of each side."""

from collections.abc import Mapping

from lightning_gapmon.analysis import loss_names
from lightning_gapmon.analysis.loss_names import Side, chosen, read_name, spellings
from lightning_gapmon.board.tags import Tags
from lightning_gapmon.monitor.losses.watched import SIDES, Names

Heard = Mapping[Side, set[str]]


def choose(wanted: Names, heard: Heard) -> dict[Side, str]:
    """Name the logged loss of each side.

    As wanted, else the two that are the same loss on the two sides; "" where that is not clear.

    Args:
        wanted: The names that were asked for or are settled, as a logger may show them.
        heard: The names that may be those of losses.

    Example:
        >>> choose({"val": "val_loss_epoch"}, {"train": {"train_loss"}, "val": {"val_loss"}})
        {'train': 'train_loss', 'val': 'val_loss'}
    """
    known = {side: _as_logged(name, heard[side]) for side, name in wanted.items()}
    train, val = ({known[side]} if side in known else heard[side] for side in SIDES)
    return {**dict(zip(SIDES, chosen(train, val), strict=True)), **known}


def are_rivals(heard: Heard) -> bool:
    """Tell whether a side logs several losses of which none is called the total."""
    ours = set(Tags().names())
    return any(loss_names.are_rivals(names - ours) for names in heard.values())


def could_be(name: str, side: Side, wanted: Names, given: Names) -> bool:
    """Tell whether a name may be that of the loss of a side.

    Args:
        name: As the module logs it.
        side: The side that is running.
        wanted: The names that were asked for or are settled.
        given: Those that were asked for: what has the stem of one of them is a loss, too.
    """
    if side in wanted:
        return name in spellings(wanted[side])
    read = read_name(name)
    asked = {read_name(one).stem for one in given.values()}
    return read.side in (side, None) and (read.is_loss or read.stem in asked)


def _as_logged(name: str, heard: set[str]) -> str:
    """Give the name by which the module logs what a logger shows under this name."""
    return next((spelling for spelling in spellings(name) if spelling in heard), name)
