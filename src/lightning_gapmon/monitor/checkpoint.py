"""Checkpoints of the best checks, and who writes them."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lightning_gapmon.board.tags import Tags
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.monitor.compat import AnyCheckpoint, is_untouched_default, trainer_callbacks

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from lightning_gapmon.analysis.history import History
    from lightning_gapmon.analysis.observation import Observation


class GapCheckpoint(AnyCheckpoint):
    """A `ModelCheckpoint` that follows a `GapMonitor`: it saves at fresh checks only.

    The stock one may save under the loss of an earlier validation; this one saves right after
    the check whose loss it saves under. A check whose loss is not finite is never kept.

    Args:
        dirpath: Folder of the files; by default that of the logs.
        filename: Name of the files, as in `ModelCheckpoint`.
        save_top_k: How many of the best checks to keep; -1 keeps all, 0 none.
        save_last: Keep a copy of (or a `"link"` to) the latest file too.
        save_weights_only: Leave optimisers and callbacks out; such a file cannot be resumed.

    Raises:
        ConfigurationError: `save_top_k` is below -1.
    """

    def __init__(
        self,
        *,
        dirpath: str | Path | None = None,
        filename: str | None = None,
        save_top_k: int = 1,
        save_last: "bool | Literal['link'] | None" = None,
        save_weights_only: bool = False,
    ) -> None:
        if type(save_top_k) is not int or save_top_k < -1:
            msg = f"Found save_top_k={save_top_k!r}; expected a number of checks, or -1 for all."
            raise ConfigurationError(msg)
        super().__init__(
            monitor=Tags().val,
            dirpath=dirpath,
            filename=filename,
            save_top_k=save_top_k,
            save_last=save_last,
            save_weights_only=save_weights_only,
            save_on_train_epoch_end=False,
            auto_insert_metric_name=not filename,
        )
        self._history: History | None = None

    @property
    def state_key(self) -> str:
        """Name of its state in a checkpoint, whatever tag it follows."""
        return "GapCheckpoint"

    def follow(self, history: "History", tag: str) -> None:
        """Save by this history's checks, published under this tag."""
        self._history, self.monitor = history, tag

    def on_validation_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Save if there is a check of right now with a finite loss."""
        seen = self._history[-1] if self._history else None
        if seen is None or seen.step != trainer.global_step or not math.isfinite(seen.val):
            return
        super().on_validation_end(trainer, pl_module)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue the ranking, also where a resumed run writes to another folder."""
        super().load_state_dict({**state_dict, "dirpath": self.dirpath})

    def best_path(self, best: "Observation") -> str:
        """Give the path of a check's checkpoint if it is the best one here, else ""."""
        score = self.best_model_score
        return self.best_model_path if score is not None and float(score) == best.val else ""

    def __getstate__(self) -> dict[str, Any]:
        """Leave the history to the monitor."""
        return {**vars(self), "_history": None}


def install(trainer: "Trainer", wanted: "bool | GapCheckpoint") -> None:
    """Bring a checkpoint into a Trainer that allows them, unless the user brought one.

    Ours takes the place of the Trainer's untouched default, so that `ckpt_path="best"` finds it.

    Raises:
        ConfigurationError: A `GapCheckpoint` was asked for in a Trainer without checkpoints.
    """
    callbacks = trainer_callbacks(trainer)
    checkpoints = list(trainer.checkpoint_callbacks)
    if wanted is False or (wanted is not True and wanted in checkpoints):
        return
    if not checkpoints:
        _refuse_if_asked(wanted)
        return
    ours = GapCheckpoint() if wanted is True else wanted
    defaults = [one for one in checkpoints if is_untouched_default(one)]
    if defaults:
        callbacks[callbacks.index(defaults[0])] = ours
    elif wanted is not True:
        callbacks.insert(callbacks.index(checkpoints[0]), ours)


def follow(trainer: "Trainer", history: "History", tag: str) -> None:
    """Let every `GapCheckpoint` save by this history."""
    for checkpoint in trainer.checkpoint_callbacks:
        if isinstance(checkpoint, GapCheckpoint):
            checkpoint.follow(history, tag)


def _refuse_if_asked(wanted: "bool | GapCheckpoint") -> None:
    if wanted is not True:
        msg = (
            "Found GapMonitor(checkpoint=GapCheckpoint(...)) in a Trainer that allows no "
            "checkpoints. Remove enable_checkpointing=False from the Trainer, or the checkpoint."
        )
        raise ConfigurationError(msg)
