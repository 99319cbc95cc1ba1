"""After a fit: the summary, the report beside the logs."""

from itertools import count

from lightning_utilities.core.rank_zero import rank_zero_only

from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs import gapmon_json as document
from lightning_gapmon.logs.places import local_copy, look
from lightning_gapmon.monitor import console
from lightning_gapmon.monitor.output import messages
from lightning_gapmon.monitor.output.folders import joined
from lightning_gapmon.report import terminal


@rank_zero_only
def leave_report(outcome: Outcome, folder: str) -> bool:
    """Leave the report beside the logs, where there are any, on global rank 0; tell if it is.

    One of another fit stays, and this fit's gets a number; one of the same fit is written anew,
    also after a resume.
    """
    if not folder or not outcome.history:
        return False
    try:
        document.write(outcome, _own_path(outcome, folder))
    except Exception as error:  # noqa: BLE001 - a full disk, a store's own errors: they must not
        console.warn(messages.not_written(joined(folder, document.NAME), error))  # hide others
        return False
    return True


def _own_path(outcome: Outcome, folder: str) -> str:
    """Give the first of the report's names that is free, or is that of an earlier state of it."""
    names = (document.NAME if not n else document.NUMBERED.format(n) for n in count())
    paths = (joined(folder, name) for name in names)
    return next(path for path in paths if _is_free(path) or _holds(path, outcome))


def _is_free(path: str) -> bool:
    return look(path).kind == "missing"


def _holds(path: str, outcome: Outcome) -> bool:
    """Tell whether a report is of the same fit: its first check was at the same time."""
    try:
        with local_copy(look(path)) as copy:
            written = document.read(copy).history
    except (OSError, LogFormatError):  # another one's, or cut short: it is left alone
        return False
    return bool(written) and _first(written[0]) == _first(outcome.history[0])


def _first(seen: Observation) -> str:
    return repr((seen.check, seen.step, seen.seconds, seen.val))  # NaN is NaN here


@rank_zero_only
def sum_up(outcome: Outcome) -> None:
    """Print the summary, on global rank 0; above a bar that an exception has left open."""
    with console.above_bar():
        terminal.show(outcome)
