"""`gapmon.json` while a fit goes on, so that a run that is killed has left one."""

import math
import time
from typing import TYPE_CHECKING

from lightning_gapmon.monitor.output import ending
from lightning_gapmon.monitor.output.folders import report_folder

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from lightning_gapmon.analysis.outcome import Outcome

SHARE = 0.01  # of the time since it was last written, that writing may take


class RunningReport:
    """Writes the report at the first check, at a stop, and where that costs next to nothing."""

    def __init__(self) -> None:
        self._written = -math.inf
        self._took = 0.0
        self._stopped = False

    def check(self, trainer: "Trainer", outcome: "Outcome") -> None:
        """Write the report, on global rank 0, if it is due.

        One that cannot be written is tried again at the end only.

        Args:
            trainer: The Trainer, at a check.
            outcome: What is known so far.
        """
        if not trainer.is_global_zero:
            return
        stops = outcome.stop_reason is not None and not self._stopped
        self._stopped = outcome.stop_reason is not None
        start = time.monotonic()
        if stops or self._took < SHARE * (start - self._written):
            wrote = ending.leave_report(outcome, report_folder(trainer))
            self._written = time.monotonic()
            self._took = self._written - start if wrote else math.inf
