"""A check's numbers and words: to every logger, into `callback_metrics`, and said once."""

import math
from typing import TYPE_CHECKING, Any, cast

import torch

from lightning_gapmon.board.layout import custom_scalars
from lightning_gapmon.board.tags import Tags
from lightning_gapmon.collect.meter.rows import wide_dtype
from lightning_gapmon.monitor import console
from lightning_gapmon.monitor.checkpoints import checkpoint as checkpoints
from lightning_gapmon.monitor.compat import fills_hp_metric, logged_step
from lightning_gapmon.monitor.output import messages
from lightning_gapmon.monitor.output.notices import Notices
from lightning_gapmon.monitor.output.progress_bar import BarLine
from lightning_gapmon.report.markdown import verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.loggers import TensorBoardLogger

    from lightning_gapmon.analysis.history.history import History
    from lightning_gapmon.analysis.history.observation import Observation
    from lightning_gapmon.analysis.outlook.outlook import Outlook
    from lightning_gapmon.analysis.rules.rule import StopReason
    from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis
    from lightning_gapmon.monitor.losses.recorder import Recorder
    from lightning_gapmon.monitor.losses.watched import Watched
    from lightning_gapmon.monitor.settings import Show

HP_METRIC = "hp_metric"


class Publisher:
    """Publishes the checks of one fit.

    Args:
        show: What people are shown.

    Attributes:
        notices: What is said of the numbers.
        line: What the progress bar shows of them.
    """

    def __init__(self, show: "Show") -> None:
        self.notices = Notices()
        self.line = BarLine()
        self._show = show
        self._laid_out: Tags | None = None

    def check(
        self,
        trainer: "Trainer",
        *,
        history: "History",
        diagnosis: "Diagnosis",
        watched: "Watched",
        recorder: "Recorder",
    ) -> None:
        """Say what a check has brought, and write what only TensorBoard shows."""
        tags = watched.tags
        self.notices.tell(watched, recorder, history[-1])
        if self._show.publish and self._laid_out != tags:
            self._laid_out = tags
            lay_out(trainer, tags)
        if self.notices.tell_verdict(diagnosis):
            text(trainer, tags.verdict, verdict(diagnosis))
        if self._show.publish:
            hparam(trainer, history, recorder)

    def log(
        self,
        module: "LightningModule",
        seen: "Observation",
        watched: "Watched",
        outlook: "Outlook",
    ) -> None:
        """Publish through the module's `log`, in `on_validation_epoch_end`, on every rank."""
        if self._show.prog_bar:
            self.line.show(module.trainer, seen, outlook)
        if self._show.publish:
            log_through(module, metrics(seen, watched, outlook))

    def log_late(
        self, trainer: "Trainer", seen: "Observation", watched: "Watched", outlook: "Outlook"
    ) -> None:
        """Publish after the module's own epoch end, where `log` is closed."""
        if self._show.prog_bar:
            self.line.show(trainer, seen, outlook)
        if not self._show.publish:
            return
        named = metrics(seen, watched, outlook)
        as_tensors = {name: torch.tensor(value) for name, value in named.items()}
        trainer.callback_metrics.update(as_tensors)
        for logger in trainer.loggers:
            logger.log_metrics(
                {**named, "epoch": trainer.current_epoch}, step=logged_step(trainer)
            )

    def stop(
        self,
        trainer: "Trainer",
        reason: "StopReason",
        best: "Observation | None",
        outlook: "Outlook",
        watched: "Watched",
    ) -> None:
        """Say why the run is stopped, what of it is kept, and what is left of it."""
        said = messages.stopped(
            reason,
            outlook,
            best,
            path=checkpoints.best_path(trainer, watched.val_names),
            latest=checkpoints.keeps_latest(trainer),
        )
        console.say(f"GapMonitor stops the run: {said}")
        text(trainer, watched.tags.stop, str(reason))


def log_through(module: "LightningModule", named: "Mapping[str, float]") -> None:
    """Log numbers that all ranks hold alike through a module, on every rank.

    By Lightning's own `log`: one that a module has written in its place may rename, or take less.
    As all ranks hold the same, `rank_zero_only` spares the collectives.
    """
    dtype = wide_dtype(module.device)
    base: Any = next(k for k in type(module).__mro__ if k.__name__ == "LightningModule")
    for name, value in named.items():
        base.log(
            module,
            name,
            torch.tensor(value, dtype=dtype),
            sync_dist=True,
            rank_zero_only=True,
            batch_size=1,
        )


def metrics(seen: "Observation", watched: "Watched", outlook: "Outlook") -> dict[str, float]:
    """Name a check's numbers; without a validation loss there is the train loss alone."""
    tags = watched.tags
    if watched.val is None:
        return {tags.train: seen.train}
    gap = seen.measured_gap
    named = {
        tags.train: seen.train,
        tags.val: seen.val,
        tags.train_fair: gap.train_fair,
        tags.gap: gap.absolute,
        tags.gap_relative: gap.relative,
        tags.gap_stderr: gap.stderr,
        tags.outlook: outlook.chance,
    }
    if not math.isnan(seen.probe):
        named[tags.train_probe] = seen.probe
    return named


def boards(trainer: "Trainer") -> "list[TensorBoardLogger]":
    """List the TensorBoard loggers, of either package."""
    loggers = cast("list[TensorBoardLogger]", trainer.loggers)
    return [one for one in loggers if hasattr(getattr(one, "experiment", 0), "add_custom_scalars")]


def lay_out(trainer: "Trainer", tags: Tags) -> None:
    """Write the layout of the Custom Scalars tab: both losses in one chart, the gap as a band."""
    for logger in boards(trainer):
        logger.experiment.add_custom_scalars(custom_scalars(tags))


def text(trainer: "Trainer", tag: str, markdown: str) -> None:
    """Write a text for TensorBoard's Text tab."""
    for logger in boards(trainer):
        logger.experiment.add_text(tag, markdown, logged_step(trainer))


def hparam(trainer: "Trainer", history: "History", recorder: "Recorder") -> None:
    """Fill the column of the HPARAMS tab with the best loss, unless the module does."""
    best = history.best if HP_METRIC not in recorder.logged_names else None
    for logger in boards(trainer):
        if best is not None and fills_hp_metric(logger):
            logger.log_metrics({HP_METRIC: best.val}, step=logged_step(trainer))
