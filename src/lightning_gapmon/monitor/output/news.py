"""What leaves a fit for others while it goes on, and at its end."""

from typing import TYPE_CHECKING

from lightning_gapmon.monitor.output import ending, own_word
from lightning_gapmon.monitor.output.folders import report_folder
from lightning_gapmon.monitor.output.live import LiveView
from lightning_gapmon.monitor.output.own_word import OwnWord
from lightning_gapmon.monitor.output.publish import text
from lightning_gapmon.monitor.output.running_report import RunningReport
from lightning_gapmon.monitor.output.sub_runs import SubRuns
from lightning_gapmon.monitor.output.verdict_calls import VerdictCalls
from lightning_gapmon.report.markdown import verdict

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from lightning_gapmon.analysis.outcome import Outcome
    from lightning_gapmon.board.tags import Tags
    from lightning_gapmon.monitor.settings import Show


class News:
    """Tells the Gap tab, a notebook, `gapmon.json` and the user's functions of a fit.

    Args:
        show: What people are shown.
    """

    def __init__(self, show: "Show") -> None:
        self._own_word = OwnWord()
        self._live = LiveView()
        self._report = RunningReport()
        self._calls = VerdictCalls(show.hearers)
        self._sub_runs = SubRuns() if show.overlay else None

    def check(self, trainer: "Trainer", outcome: "Outcome", tags: "Tags") -> None:
        """Tell what is known after a check.

        Args:
            trainer: The Trainer.
            outcome: What is known so far.
            tags: What the scalars of a check are called.
        """
        self._own_word.check(trainer, outcome, tags)
        self._live.show(trainer, outcome)
        self._report.check(trainer, outcome)
        self._calls.check(trainer, outcome)
        if self._sub_runs is not None:
            self._sub_runs.check(trainer, outcome.history[-1], tags)

    def end(self, trainer: "Trainer", outcome: "Outcome", tags: "Tags") -> None:
        """Tell how it ended."""
        own_word.write(trainer, outcome, tags, ended=True)
        if outcome.history:
            text(trainer, tags.verdict, verdict(outcome.diagnosis))
        self._live.show(trainer, outcome, ended=True)
        ending.leave_report(outcome, report_folder(trainer))
        self._calls.end(trainer, outcome)

    def close(self) -> None:
        """Close the files that are open."""
        if self._sub_runs is not None:
            self._sub_runs.close()
