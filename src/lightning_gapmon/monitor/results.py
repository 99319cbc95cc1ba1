"""The half of the callback that holds what came out of a fit."""

import math
from typing import TYPE_CHECKING

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.selection import Selection
from lightning_gapmon.analysis.verdicts.diagnose import Diagnosis, diagnose
from lightning_gapmon.monitor.leak_check import leak_check as leaks
from lightning_gapmon.monitor.listener import Listener
from lightning_gapmon.monitor.output import ending, publish
from lightning_gapmon.monitor.output.handover import Mailbox

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from lightning_gapmon.analysis.history.observation import Observation
    from lightning_gapmon.analysis.overlap import Overlap
    from lightning_gapmon.analysis.rules.rule import StopReason
    from lightning_gapmon.monitor.fit import Session


class Results(Listener):
    """Knows the checks, the reason, the verdict and the outcome, also of a fit in other processes.

    Args:
        baseline: Loss of a trivial predictor, or None where nobody has said.
    """

    def __init__(self, *, baseline: float | None) -> None:
        super().__init__()
        self.baseline = baseline
        self.overlaps: list[Overlap] = []
        self._stop_reason: StopReason | None = None
        self._outcome: Outcome | None = None
        self._diagnosis: Diagnosis | None = None
        self._mailbox = Mailbox()
        self._selection = Selection()

    def forget(self) -> None:
        """Leave nothing of the last fit."""
        self._stop_reason, self._outcome, self._session = None, None, None
        self._diagnosis, self.overlaps = None, []

    def _collect(self) -> None:
        """Take over what the processes of `ddp_spawn` left: nothing else comes back from them."""
        posted = self._mailbox.take()
        if posted is not None:
            self._session, self._outcome = None, posted
            self._stop_reason, self._diagnosis = posted.stop_reason, posted.diagnosis

    @property
    def outcome(self) -> Outcome | None:
        """All that is known of the last fit, once it has ended."""
        self._collect()
        return self._outcome

    @property
    def stop_reason(self) -> "StopReason | None":
        """Why the last fit was stopped, or None."""
        self._collect()
        return self._stop_reason

    @property
    def history(self) -> History:
        """The checks of the last fit."""
        outcome = self.outcome
        if self._session is not None:
            return self._session.history
        return outcome.history if outcome else History()

    @property
    def best(self) -> "Observation | None":
        """The check that is kept: the lowest validation loss so far, or what `select` says."""
        return self._selection(self.history)

    @property
    def diagnosis(self) -> Diagnosis:
        """The verdict at the last check."""
        self._collect()
        return self._diagnosis or self.diagnose(self.history)

    def diagnose(self, history: History) -> Diagnosis:
        """Judge a history by all that is known beside it."""
        known = self._session.baseline.loss if self._session is not None else math.nan
        baseline = known if self.baseline is None else self.baseline
        return diagnose(history, baseline=baseline, overlap=leaks.worst(self.overlaps))

    def conclude(
        self, trainer: "Trainer", session: "Session", *, restored: bool, interrupted_by: str = ""
    ) -> None:
        """Put together what is known, and leave it where others find it."""
        self._outcome = Outcome(
            history=session.history,
            diagnosis=self.diagnosis,
            stop_reason=self.stop_reason,
            interrupted_by=interrupted_by,
            kept=self._other_than_lowest(session.history),
            restored=restored,
            source=session.source,
            best_path=ending.best_path(trainer, session.val_names),
            log_dir=ending.log_dir(publish.boards(trainer)),
            notes=(*session.notes, *leaks.notes(self.overlaps)),
        )
        ending.leave_report(self._outcome, ending.log_dir(trainer.loggers))
        self._mailbox.post(self._outcome, local_rank=trainer.local_rank)

    def __repr__(self) -> str:
        """Show how the last fit went.

        Example:
            >>> from lightning_gapmon import GapMonitor
            >>> GapMonitor()
            <GapMonitor: History of 0 checks, undecided>
        """
        went = f"{self.history!r}".strip("<>")
        stopped = f", stopped at check {self.stop_reason.check}" if self.stop_reason else ""
        return f"<{type(self).__name__}: {went}, {self.diagnosis.verdict}{stopped}>"

    def _other_than_lowest(self, history: History) -> int | None:
        kept = self._selection(history)
        return kept.check if kept and kept != history.best else None
