"""After a fit: the best weights, the summary, the report beside the logs."""

from pathlib import Path
from typing import TYPE_CHECKING

from lightning_utilities.core.rank_zero import rank_zero_only, rank_zero_warn

from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.logs import gapmon_json as document
from lightning_gapmon.monitor.checkpoints.checkpoint import GapCheckpoint
from lightning_gapmon.monitor.compat import load_weights
from lightning_gapmon.monitor.output import messages
from lightning_gapmon.report import terminal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.loggers import Logger

    from lightning_gapmon.analysis.history.observation import Observation
    from lightning_gapmon.monitor.checkpoints.snapshot import Snapshot


def put_back(
    trainer: "Trainer", module: "LightningModule", snapshot: "Snapshot", best: "Observation | None"
) -> bool:
    """Put the best check's weights into the module: from memory, else from its checkpoint."""
    if best is None:
        return False
    if snapshot.check == best.check:
        snapshot.put_back(module)
        return True
    path = checkpoint_of(trainer, best)
    if not path:
        rank_zero_warn(messages.gone(best.check))
        return False
    load_weights(trainer, path)
    return True


def checkpoint_of(trainer: "Trainer", best: "Observation") -> str:
    """Give the path of the best check's checkpoint, or ""."""
    checkpoints = [c for c in trainer.checkpoint_callbacks if isinstance(c, GapCheckpoint)]
    return next(filter(None, (checkpoint.best_path(best) for checkpoint in checkpoints)), "")


def best_path(trainer: "Trainer", losses: "Collection[str]") -> str:
    """Give the path of the best checkpoint by one of these losses, or "".

    One that a user ranks by something else, an accuracy say, is not the best check's.
    """
    ranked = (
        getattr(callback, "best_model_path", "")
        for callback in trainer.checkpoint_callbacks
        if isinstance(callback, GapCheckpoint) or getattr(callback, "monitor", None) in losses
    )
    return next(filter(None, ranked), "")


def log_dir(loggers: "Sequence[Logger]") -> str:
    """Give the folder of the first that has one, or ""; of use on rank 0, which is not asked."""
    folders = (getattr(one, "log_dir", None) or one.save_dir for one in loggers)
    return next((str(folder) for folder in folders if folder), "")


@rank_zero_only
def leave_report(outcome: Outcome, folder: str) -> None:
    """Leave the report beside the logs, where there are any, on global rank 0."""
    if not folder or not outcome.history:
        return
    path = Path(folder, document.NAME)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        document.write(outcome, path)
    except OSError as error:  # a full disk: it must not hide what else went wrong
        rank_zero_warn(messages.not_written(path, error))


@rank_zero_only
def sum_up(outcome: Outcome) -> None:
    """Print the summary, on global rank 0."""
    terminal.show(outcome)
