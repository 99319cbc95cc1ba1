"""All that is known of a run, as it is handed to reports."""

from dataclasses import dataclass, field

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.outlook.outlook import Outlook, outlook
from lightning_gapmon.analysis.rules.rule import StopReason
from lightning_gapmon.analysis.verdicts.diagnose import Diagnosis


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A run as far as it went.

    Attributes:
        history: Its checks.
        diagnosis: The verdict on it: the judgement where it has ended, else the alarm.
        ended: Whether the fit has ended.
        stop_reason: Why it was stopped, or None where it was not.
        outlook: What was still to be expected at the last check.
        interrupted_by: Name of the exception that ended it, or "".
        kept: Number of the check that was kept where that is not the one with the lowest loss,
            because something else was selected for.
        restored: Whether the weights of the check that was kept are back in the module.
        source: Where the losses came from, in words.
        best_path: Path of the best checkpoint, or "".
        log_dir: Folder of the TensorBoard logs, or "".
        notes: What a reader should know of the numbers, such as padding that could not be
            left out.
    """

    history: History
    diagnosis: Diagnosis
    ended: bool = True
    stop_reason: StopReason | None = None
    outlook: Outlook = field(default_factory=lambda: outlook(History()))
    interrupted_by: str = ""
    kept: int | None = None
    restored: bool = False
    source: str = ""
    best_path: str = ""
    log_dir: str = ""
    notes: tuple[str, ...] = ()
