"""Putting the best check's weights back into the module: all of them, or none and it is said."""

from typing import TYPE_CHECKING

from lightning_gapmon.monitor import console
from lightning_gapmon.monitor.checkpoints.checkpoint import GapCheckpoint
from lightning_gapmon.monitor.checkpoints.snapshot import Snapshot
from lightning_gapmon.monitor.compat import load_weights

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from lightning_gapmon.analysis.history.observation import Observation


def put_back(
    trainer: "Trainer", module: "LightningModule", snapshot: Snapshot, best: "Observation | None"
) -> bool:
    """Put the best check's weights into the module: from memory, else from its checkpoint.

    What comes from a checkpoint is kept in memory, too, for `put_back_again`.

    Returns:
        Whether they are in the module. If not, the module is as it was, and a warning says why.
    """
    if best is None or snapshot.check == best.check:
        return put_back_from_memory(module, snapshot, best)
    path = _checkpoint_of(trainer, best)
    if not trainer.strategy.reduce_boolean_decision(bool(path), all=True):
        console.warn(_gone(best.check))
        return False
    snapshot.take(module, 0)
    try:
        load_weights(trainer, path)
    except Exception as error:  # noqa: BLE001 - what does not fit is left in part by torch
        snapshot.put_back(module)
        console.warn(_not_restored(best.check, f"{path}: {error}"))
        return False
    snapshot.take(module, best.check)
    return True


def put_back_from_memory(
    module: "LightningModule", snapshot: Snapshot, best: "Observation | None"
) -> bool:
    """Put the best check's weights into the module if they are in memory, which asks no rank."""
    if best is None:
        return False
    if snapshot.check != best.check:
        why = "they are not in memory, and loading its checkpoint takes a fit that goes on"
    else:
        why = snapshot.misfit(module)
    if why:
        console.warn(_not_restored(best.check, why))
        return False
    snapshot.put_back(module)
    return True


def put_back_again(module: "LightningModule", snapshot: Snapshot) -> None:
    """Undo what another callback has written into the module when training ended.

    Those that average weights do so. One that has made the module over (a pruning, say) began
    with the best check's weights, and is left alone.
    """
    if not snapshot.misfit(module):
        snapshot.put_back(module)


def _checkpoint_of(trainer: "Trainer", best: "Observation") -> str:
    """Give the path of the best check's checkpoint, if it is there for this rank; else ""."""
    checkpoints = [c for c in trainer.checkpoint_callbacks if isinstance(c, GapCheckpoint)]
    paths = [(checkpoint, checkpoint.best_path(best)) for checkpoint in checkpoints]
    return next((path for one, path in paths if path and one.is_there(path)), "")


def _gone(best: int) -> str:
    """Say that the best check's weights are not to be had."""
    return (
        f"The weights of the best check, {best}, are from before this run was resumed and no "
        "checkpoint of it was found: restore_best left the last weights in the module. Keep "
        "GapMonitor(checkpoint=True) to have them after a resume too."
    )


def _not_restored(best: int, why: str) -> str:
    """Say that the best check's weights are not in the module, and why."""
    return (
        f"The weights of the best check, {best}, are not put back: {why}. restore_best left the "
        "module as it was; load the checkpoint of the best check by hand to have them."
    )
