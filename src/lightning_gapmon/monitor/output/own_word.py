"""What a run says of itself to the Gap tab, so that the tab never contradicts the summary."""

from typing import TYPE_CHECKING

from lightning_gapmon.analysis.run_document import Beside, document_of
from lightning_gapmon.board.state import is_due, state_summary
from lightning_gapmon.monitor.checkpoints.checkpoint import GapCheckpoint
from lightning_gapmon.monitor.compat import logged_step
from lightning_gapmon.monitor.output.publish import boards

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from lightning_gapmon.analysis.outcome import Outcome
    from lightning_gapmon.board.tags import Tags

SIDES = ("train", "val", "train_fair", "train_probe", "gap", "gap_stderr")


class OwnWord:
    """Writes the run's document into TensorBoard's logs, as often as the log can bear.

    It is written anew when the run has grown by a tenth, when the verdict has changed or the
    run is stopped, and at the end; the scalars tell the checks between.
    """

    def __init__(self) -> None:
        self._checks = 0
        self._said: tuple[str, int | None] = ("", None)

    def check(self, trainer: "Trainer", outcome: "Outcome", tags: "Tags") -> None:
        """Write it where there is news.

        Args:
            trainer: The Trainer.
            outcome: What is known so far.
            tags: What the scalars of a check are called.
        """
        reason = outcome.stop_reason
        said = (outcome.diagnosis.verdict, reason.check if reason else None)
        if said != self._said or is_due(len(outcome.history), self._checks):
            self._said, self._checks = said, len(outcome.history)
            write(trainer, outcome, tags, ended=False)


def write(trainer: "Trainer", outcome: "Outcome", tags: "Tags", *, ended: bool) -> None:
    """Write the document where there is a TensorBoard that takes it, on the rank that logs."""
    loggers = boards(trainer) if trainer.is_global_zero and outcome.history else []
    found = [logger.experiment.file_writer for logger in loggers]
    writers = [writer for writer in found if hasattr(writer, "add_summary")]  # a stand-in has not
    if not writers:
        return
    names = {side: getattr(tags, side) for side in SIDES} | {"epoch": "epoch"}
    more = Beside(names=names, kept=_kept(trainer), ended=ended)
    summary = state_summary(document_of(outcome, more))
    for writer in writers:
        writer.add_summary(summary, logged_step(trainer))


def _kept(trainer: "Trainer") -> list[int]:
    """List the checks of which a checkpoint is there."""
    kept = (
        checkpoint.kept_checks
        for checkpoint in trainer.checkpoint_callbacks
        if isinstance(checkpoint, GapCheckpoint)
    )
    return sorted({check for checks in kept for check in checks})
