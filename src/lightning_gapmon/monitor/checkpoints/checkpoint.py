"""Checkpoints of the best checks and of the latest, and who writes them."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from lightning_gapmon.analysis.selection import Selection
from lightning_gapmon.board.tags import Tags
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.monitor.compat import (
    RankedCheckpoint,
    batches_trained,
    is_checking,
    is_dry_run,
    is_untouched_default,
    let_last_be_found,
    monitors,
    trainer_callbacks,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lightning.pytorch import LightningModule, Trainer

    from lightning_gapmon.analysis.history.history import History
    from lightning_gapmon.analysis.history.observation import Observation


class GapCheckpoint(RankedCheckpoint):
    """A `ModelCheckpoint` that follows a `GapMonitor`: the best checks' files, and the latest.

    It saves at fresh checks only, right after the check whose loss a file is saved under, where
    the stock one may save under the loss of an earlier validation. `last.ckpt` is the latest
    check: a run that was killed goes on from there, by `ckpt_path="last"`. A check whose loss is
    not finite is never kept. A fit that ends without any check leaves its last weights.

    Args:
        select: What is best: the `raw` validation loss, or its `trend` (the median of the last
            five), for a loss so noisy that its lowest value is luck.
        max_gap: Largest relative gap of a check that is kept as one of the best.
        dirpath: Folder of the files; by default that of the logs.
        filename: Name of the best files, as in `ModelCheckpoint` with
            `auto_insert_metric_name=False`, for our names hold a slash:
            `"epoch{epoch}-{Loss/val:.3f}"`.
        save_top_k: How many of the best checks to keep; -1 keeps all, 0 none.
        save_last: Whether to keep the latest check too, in `last.ckpt`.
        save_weights_only: Leave optimisers and callbacks out; such a file cannot be resumed.

    Raises:
        ConfigurationError: An argument is out of range.
    """

    def __init__(
        self,
        *,
        select: "Literal['raw', 'trend']" = "raw",
        max_gap: float | None = None,
        dirpath: str | Path | None = None,
        filename: str | None = None,
        save_top_k: int = 1,
        save_last: bool = True,
        save_weights_only: bool = False,
    ) -> None:
        _refuse_odd(save_top_k, save_last)
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
        let_last_be_found()
        self.selection = Selection(by=select, max_gap=max_gap)
        self._history: History | None = None
        self._checks: dict[str, int] = {}  # by the path of what was saved then
        self._seen = self._batches = 0
        self._loaded = False
        self._stage = "fit"

    @property
    def state_key(self) -> str:
        """Name of its state in a checkpoint, whatever tag it follows."""
        return "GapCheckpoint"

    def setup(self, trainer: "Trainer", pl_module: "LightningModule", stage: str) -> None:
        """Refuse a Trainer in which nothing would ever be saved.

        Raises:
            ConfigurationError: There is no `GapMonitor`.
        """
        if stage == "fit" and not monitors(trainer):
            msg = (
                "Found a GapCheckpoint in a Trainer without a GapMonitor, whose checks it saves. "
                "Add GapMonitor() to the callbacks, or use ModelCheckpoint."
            )
            raise ConfigurationError(msg)
        self._stage = stage
        if stage == "fit":
            self._forget()
        super().setup(trainer, pl_module, stage)

    def _forget(self) -> None:
        """Leave nothing of the last fit; what is resumed is loaded after this.

        A ranking that went on would keep a later fit from saving, and `best` would be a file of
        another run.
        """
        self._history, self._checks = None, {}
        self._seen, self._loaded = 0, False
        self.forget_saved()
        self.best_k_models, self.kth_value = {}, torch.tensor(math.inf)
        self.best_model_score = self.current_score = None
        self.best_model_path = self.kth_best_model_path = self.last_model_path = ""

    def follow(self, history: "History", tag: str | None) -> None:
        """Save by this history's checks, published under this tag.

        Without a tag there is no validation loss to rank by: then the latest check is kept, as
        the Trainer's own default does, so that a run never ends without a checkpoint.
        """
        self._history, self.monitor = history, tag

    def ranks(self, logged: "Mapping[str, Tensor]") -> dict[str, Tensor]:
        """Rank a check by what is selected for, where that is not a loss that is published."""
        if not self._history or self.monitor is None:
            return {}
        if self.selection.by == "raw" and self.monitor in logged:
            return {}
        return {self.monitor: torch.tensor(self.selection.rank(self._history))}

    def on_train_start(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Find the files of a run whose folder has moved."""
        super().on_train_start(trainer, pl_module)
        self._batches = batches_trained(trainer)
        self.find_moved(trainer)

    def find_moved(self, trainer: "Trainer") -> None:
        """Find the files of a resumed run where they are now, on all ranks together."""
        if self._loaded:
            self._loaded = False
            self._move(trainer.strategy.broadcast(self._moved()))

    def on_validation_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Save if there is a check of right now: the best first, for the latest names it."""
        seen = self._history[-1] if self._history and is_checking(trainer) else None
        if seen is None or seen.check <= self._seen:
            return
        self._seen = seen.check
        if self.monitor is None or math.isfinite(seen.val):
            if self.monitor is None or self.selection.admits(seen):
                before = set(self.best_k_models)
                self.save_ranked(trainer)
                self._checks |= dict.fromkeys(self.best_k_models.keys() - before, seen.check)
            self.save_latest(trainer)

    @property
    def kept_checks(self) -> list[int]:
        """Numbers of the checks among the best kept, as far as this process saved them."""
        return sorted(self._checks[path] for path in self.best_k_models if path in self._checks)

    def on_train_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Keep the last weights of a fit that has had no check: the stock one would, too."""
        idle = batches_trained(trainer) == self._batches
        if not (self._history or self.has_saved or idle or is_dry_run(trainer)):
            self.monitor = None
            self.save_ranked(trainer)
            self.save_latest(trainer)

    def state_dict(self) -> dict[str, Any]:
        """Add the last check that was seen to the stock state."""
        return {**super().state_dict(), "check": self._seen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue the ranking, also where a resumed run writes to another folder.

        What a fit has kept stays where a checkpoint is loaded to test, validate or predict.
        """
        if self._stage != "fit" and (self._history is not None or self.has_saved):
            return
        super().load_state_dict({**state_dict, "dirpath": self.dirpath})
        self._seen, self._loaded = int(state_dict.get("check", 0)), True

    def _moved(self) -> dict[str, str]:
        """Give the paths that are gone, but whose files are in this run's folder."""
        known = {self.best_model_path, self.kth_best_model_path, self.last_model_path}
        gone = [
            path for path in known | set(self.best_k_models) if path and not self.is_there(path)
        ]
        here = {path: str(Path(self.dirpath or ".", Path(path).name)) for path in gone}
        return {path: new for path, new in here.items() if self.is_there(new)}

    def _move(self, moved: dict[str, str]) -> None:
        self.best_k_models = {moved.get(p, p): score for p, score in self.best_k_models.items()}
        for name in ("best_model_path", "kth_best_model_path", "last_model_path"):
            path = getattr(self, name)
            setattr(self, name, moved.get(path, path))

    def best_path(self, best: "Observation") -> str:
        """Give the path of the checkpoint of the check that is selected now, else ""."""
        score, history = self.best_model_score, self._history
        if score is None or history is None or self.selection(history) != best:
            return ""
        same = float(score) == float(
            torch.tensor(self.selection.level(history), dtype=score.dtype)
        )
        return self.best_model_path if same else ""

    def __getstate__(self) -> dict[str, Any]:
        """Leave the history to the monitor."""
        return {**vars(self), "_history": None}


def _refuse_odd(save_top_k: object, save_last: object) -> None:
    if type(save_top_k) is not int or save_top_k < -1:
        msg = f"Found save_top_k={save_top_k!r}; expected a number of checks, or -1 for all."
        raise ConfigurationError(msg)
    if type(save_last) is not bool:
        msg = (
            f"Found save_last={save_last!r}; expected True or False: last.ckpt is the latest "
            "check itself, not a link to another file."
        )
        raise ConfigurationError(msg)


def install(trainer: "Trainer", wanted: "bool | GapCheckpoint") -> None:
    """Bring a checkpoint into a Trainer that allows them, unless the user brought one.

    Ours takes the place of the Trainer's untouched default, so that `ckpt_path="best"` finds it;
    but not where there will be no check, for the default saves all the same.

    Raises:
        ConfigurationError: A `GapCheckpoint` was asked for in a Trainer without checkpoints.
    """
    callbacks = trainer_callbacks(trainer)
    checkpoints = list(trainer.checkpoint_callbacks)
    if wanted is False or (wanted is not True and wanted in checkpoints):
        return
    if wanted is True and not trainer.enable_validation:
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


def follow(trainer: "Trainer", history: "History", tag: str | None) -> None:
    """Let every `GapCheckpoint` save by this history, which may be a resumed run's."""
    for checkpoint in _ours(trainer):
        checkpoint.follow(history, tag)
        checkpoint.find_moved(trainer)


def selection(trainer: "Trainer") -> Selection:
    """Give what the first `GapCheckpoint` selects by."""
    return next((checkpoint.selection for checkpoint in _ours(trainer)), Selection())


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


def keeps_latest(trainer: "Trainer") -> bool:
    """Tell whether there is a checkpoint of the latest check to go on from."""
    return any(getattr(callback, "save_last", None) for callback in trainer.checkpoint_callbacks)


def _ours(trainer: "Trainer") -> list[GapCheckpoint]:
    return [one for one in trainer.checkpoint_callbacks if isinstance(one, GapCheckpoint)]


def _refuse_if_asked(wanted: "bool | GapCheckpoint") -> None:
    if wanted is not True:
        msg = (
            "Found GapMonitor(checkpoint=GapCheckpoint(...)) in a Trainer that allows no "
            "checkpoints. Remove enable_checkpointing=False from the Trainer, or the checkpoint."
        )
        raise ConfigurationError(msg)
