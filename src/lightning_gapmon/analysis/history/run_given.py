"""A run that is given as a history, or as its two curves."""

from collections.abc import Sequence

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.errors import HistoryError


def run_given(
    call: str,
    history: History | None,
    *,
    train: Sequence[float] | None,
    val: Sequence[float] | None,
) -> History:
    """Take the run that was given: as a history, or as its two curves.

    Args:
        call: How the run is given, such as `diagnose({})`.
        history: The run, or None.
        train: Train loss at each check, or None.
        val: Validation loss at each check, or None.

    Raises:
        HistoryError: Neither a history nor both curves were given, or both were.
    """
    if history is not None and train is None and val is None:
        return history
    if history is None and train is not None and val is not None:
        return History.from_curves(train=train, val=val)
    given = {"a history": history, "train": train, "val": val}
    found = " and ".join(name for name, value in given.items() if value is not None)
    msg = (
        f"Found {found or 'no run'} in {call.format('...')}; expected a history or both curves: "
        f"{call.format('history')}, or {call.format('train=[...], val=[...]')}."
    )
    raise HistoryError(msg)
