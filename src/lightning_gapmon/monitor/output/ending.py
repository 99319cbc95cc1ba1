"""After a fit: the summary, the report beside the logs."""

from pathlib import Path
from typing import TYPE_CHECKING

from lightning_utilities.core.rank_zero import rank_zero_only

from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.logs import gapmon_json as document
from lightning_gapmon.monitor import console
from lightning_gapmon.monitor.output import messages
from lightning_gapmon.report import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning.pytorch.loggers import Logger


def log_dir(loggers: "Sequence[Logger]") -> str:
    """Give the folder of the first that has one, or ""; of use on rank 0, which is not asked."""
    folders = (getattr(one, "log_dir", None) or one.save_dir for one in loggers)
    return next((str(folder) for folder in folders if folder), "")


@rank_zero_only
def leave_report(outcome: Outcome, folder: str) -> bool:
    """Leave the report beside the logs, where there are any, on global rank 0; tell if it is."""
    if not folder or not outcome.history:
        return False
    path = Path(folder, document.NAME)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        document.write(outcome, path)
    except OSError as error:  # a full disk: it must not hide what else went wrong
        console.warn(messages.not_written(path, error))
        return False
    return True


@rank_zero_only
def sum_up(outcome: Outcome) -> None:
    """Print the summary, on global rank 0; above a bar that an exception has left open."""
    with console.above_bar():
        terminal.show(outcome)
