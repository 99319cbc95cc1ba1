"""What has come out of the last fit, also of one in processes that this one has started."""

from typing import TYPE_CHECKING

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.outlook.outlook import Outlook, outlook
from lightning_gapmon.analysis.run_document import Beside, RunDocument, document_of
from lightning_gapmon.analysis.selection import Selection
from lightning_gapmon.analysis.verdicts.diagnose import diagnose
from lightning_gapmon.monitor.checkpoints import checkpoint as checkpoints
from lightning_gapmon.monitor.checkpoints.restore import (
    put_back,
    put_back_again,
    put_back_from_memory,
)
from lightning_gapmon.monitor.leak_check import leak_check as leaks
from lightning_gapmon.monitor.output import ending, folders, publish
from lightning_gapmon.monitor.output.handover import HandOver

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from lightning_gapmon.analysis.history.observation import Observation
    from lightning_gapmon.analysis.overlap import Overlap
    from lightning_gapmon.analysis.rules.rule import StopReason
    from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis
    from lightning_gapmon.monitor.fit import Fit
    from lightning_gapmon.monitor.settings import Settings


class Results:
    """Reads the fit that goes on or went last; where that was in other processes, its outcome.

    Args:
        settings: What the monitor was asked for.

    Attributes:
        selection: What makes a check the best.
    """

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self._fit: Fit | None = None
        self._outcome: Outcome | None = None
        self._handover = HandOver()
        self._begun = False
        self.selection = Selection()

    def begin(self, fit: "Fit | None", selection: Selection) -> None:
        """Leave nothing of the last fit.

        Args:
            fit: The one that begins; None where nothing is watched.
            selection: What makes a check the best.
        """
        self._fit, self._outcome, self.selection = fit, None, selection
        self._begun = True

    def recall(self, outcome: Outcome, selection: Selection) -> None:
        """Show a fit of which nothing but its outcome is there any more."""
        self._fit, self._outcome, self.selection = None, outcome, selection

    def __bool__(self) -> bool:
        """Tell whether there is anything to show, be it a fit that is not watched."""
        return self._begun or self.outcome is not None

    @property
    def so_far(self) -> Outcome | None:
        """What is known now, also while the fit goes on; None before the first."""
        return self.outcome or (self._fit.so_far() if self._fit is not None else None)

    @property
    def outcome(self) -> Outcome | None:
        """All that is known of the last fit, once it has ended."""
        handed_over = self._handover.fetch()
        if handed_over is not None:
            self._fit, self._outcome = None, handed_over
        return self._outcome

    @property
    def history(self) -> History:
        """The checks of the last fit."""
        outcome = self.outcome
        if self._fit is not None:
            return self._fit.history
        return outcome.history if outcome else History()

    @property
    def best(self) -> "Observation | None":
        """The check that is kept: the lowest validation loss so far, or what `select` says."""
        return self.selection(self.history)

    @property
    def stop_reason(self) -> "StopReason | None":
        """Why the last fit was stopped, or None."""
        outcome = self.outcome
        if self._fit is not None:
            return self._fit.stop_reason
        return outcome.stop_reason if outcome else None

    @property
    def diagnosis(self) -> "Diagnosis":
        """The alarm at the last check while the fit goes on, then the judgement of it."""
        outcome = self.outcome
        if self._fit is not None:
            return self._fit.diagnosis
        return outcome.diagnosis if outcome else diagnose(History())

    @property
    def outlook(self) -> Outlook:
        """What is still to be expected, at the last check."""
        outcome = self.outcome
        if self._fit is not None:
            return self._fit.outlook
        return outlook(History()) if outcome is None else outcome.outlook

    @property
    def overlaps(self) -> "list[Overlap]":
        """What the leak check found, one entry a validation loader."""
        return self._fit.overlaps if self._fit is not None else []

    @property
    def document(self) -> RunDocument:
        """The last fit as it is drawn, also while it goes on."""
        outcome, fit = self.outcome, self._fit
        if outcome is None and fit is not None:
            return document_of(fit.so_far(), Beside(ended=False))
        return document_of(outcome or Outcome(history=History(), diagnosis=diagnose(History())))

    def __str__(self) -> str:
        """Say how the last fit went."""
        reason = self.stop_reason
        stopped = f", stopped at check {reason.check}" if reason else ""
        return f"{self.history!r}".strip("<>") + f", {self.diagnosis.verdict}{stopped}"

    def conclude(
        self, trainer: "Trainer", module: "LightningModule", *, interrupted_by: str = ""
    ) -> None:
        """Put together what is known, and leave it where others find it.

        Args:
            trainer: The Trainer, at the end of the fit.
            module: The module that gets the best weights back, where that is asked for.
            interrupted_by: Name of the exception that ended the fit; its best weights come back
                from memory, or not at all.
        """
        fit = self._fit
        if fit is None:
            return
        fit.judge(live=False)
        best = self.selection(fit.history)
        if interrupted_by:
            restored = self._restores and put_back_from_memory(module, fit.snapshot, best)
        else:
            restored = self._restores and put_back(trainer, module, fit.snapshot, best)
        self._outcome = Outcome(
            history=fit.history,
            diagnosis=fit.diagnosis,
            stop_reason=fit.stop_reason,
            outlook=fit.outlook,
            interrupted_by=interrupted_by,
            kept=best.check if best and best != fit.history.best else None,
            restored=restored,
            source=fit.source,
            best_path=checkpoints.best_path(trainer, fit.watched.val_names),
            log_dir=folders.log_dir(publish.boards(trainer)),
            notes=(*fit.publisher.notices.notes, *leaks.notes(fit.overlaps)),
        )
        fit.news.end(trainer, self._outcome, fit.watched.tags)
        self._handover.leave(self._outcome, local_rank=trainer.local_rank)

    @property
    def _restores(self) -> bool:
        return self._settings.weights.restore_best is not False

    def outlast(self, module: "LightningModule") -> None:
        """Put the best weights back once more: a callback may have put its averages in since."""
        if self._fit is not None and self._outcome is not None and self._outcome.restored:
            put_back_again(module, self._fit.snapshot)

    def outlive(self, trainer: "Trainer") -> None:
        """Put the best loss back into the HPARAMS tab after another stage.

        Lightning logs the parameters once more at its start, and with them -1.
        """
        if self._fit is not None and self._fit.history:
            publish.hparam(trainer, self._fit.history, self._fit.recorder)

    def sum_up(self) -> None:
        """Print the summary, if there is anything to say and it is wanted."""
        wanted = self._settings.show.summary
        if wanted and self._outcome is not None and self._outcome.history:
            ending.sum_up(self._outcome)
