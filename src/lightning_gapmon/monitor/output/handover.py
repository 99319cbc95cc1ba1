"""The hand-over of a fit's outcome from a child process to the one that started it."""

import os
import tempfile
import uuid
import weakref
from pathlib import Path

from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.logs import gapmon_json as document
from lightning_gapmon.monitor import console
from lightning_gapmon.monitor.output import messages


class HandOver:
    """One outcome on its way from the processes of `ddp_spawn` or `ddp_fork` to their parent.

    Lightning brings weights, metrics and the best path back, but no callback. The parent names a
    file before it starts them; each node's first process leaves its outcome there.
    A pickled one is the same, a deep copy is another: what is copied fits on its own.

    Example:
        >>> HandOver().fetch() is None
        True
    """

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._path = Path(tempfile.gettempdir(), f"lightning_gapmon-{uuid.uuid4().hex}.json")
        weakref.finalize(self, _clear, self._path, self._owner)

    def __deepcopy__(self, memo: dict[int, object]) -> "HandOver":
        """Give the copy a hand-over of its own."""
        return HandOver()

    def leave(self, outcome: Outcome, *, local_rank: int) -> None:
        """Leave an outcome, if this is the first of the processes that another one started."""
        if local_rank != 0 or os.getpid() == self._owner:
            return
        try:
            document.write(outcome, self._path)
        except OSError as error:  # a full disk must not cost a fit its end
            console.warn(messages.not_written(self._path, error))

    def fetch(self) -> Outcome | None:
        """Fetch what was left, once; None where there is nothing (any more)."""
        if os.getpid() != self._owner or not self._path.exists():
            return None
        outcome = document.read(self._path)
        self._path.unlink()
        return outcome


def _clear(path: Path, owner: int) -> None:
    if os.getpid() == owner:
        path.unlink(missing_ok=True)
