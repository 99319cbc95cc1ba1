"""A check's numbers, to every logger and into `callback_metrics`."""

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, cast

import torch

from lightning_gapmon.board.layout import custom_scalars
from lightning_gapmon.board.tags import Tags
from lightning_gapmon.collect.meter.rows import wide_dtype
from lightning_gapmon.monitor.compat import fills_hp_metric, logged_step

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.loggers import TensorBoardLogger

    from lightning_gapmon.analysis.history.history import History
    from lightning_gapmon.analysis.history.observation import Observation

HP_METRIC = "hp_metric"


def metrics(seen: "Observation", tags: Tags, *, with_val: bool) -> dict[str, float]:
    """Name a check's numbers; without a validation loss there is the train loss alone."""
    if not with_val:
        return {tags.train: seen.train}
    gap = seen.measured_gap
    named = {
        tags.train: seen.train,
        tags.val: seen.val,
        tags.train_fair: gap.train_fair,
        tags.gap: gap.absolute,
        tags.gap_relative: gap.relative,
        tags.gap_stderr: gap.stderr,
    }
    if not math.isnan(seen.probe):
        named[tags.train_probe] = seen.probe
    return named


def log(module: "LightningModule", named: dict[str, float], *, prog_bar: bool) -> None:
    """Publish through the module's `log`, in `on_validation_epoch_end`, on every rank.

    It is Lightning's: one that a module has written in its place may rename, or take less.

    All ranks hold the same numbers, so that `rank_zero_only` spares the collectives.
    """
    dtype = wide_dtype(module.device)
    base: Any = next(k for k in type(module).__mro__ if k.__name__ == "LightningModule")
    for name, value in named.items():
        base.log(
            module,
            name,
            torch.tensor(value, dtype=dtype),
            prog_bar=prog_bar,
            sync_dist=True,
            rank_zero_only=True,
            batch_size=1,
        )


def log_late(trainer: "Trainer", named: dict[str, float]) -> None:
    """Publish after the module's own epoch end, where `log` is closed."""
    trainer.callback_metrics.update({name: torch.tensor(value) for name, value in named.items()})
    for logger in trainer.loggers:
        logger.log_metrics({**named, "epoch": trainer.current_epoch}, step=logged_step(trainer))


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


def hparam(trainer: "Trainer", history: "History", taken: Collection[str]) -> None:
    """Fill the column of the HPARAMS tab with the best loss, unless the module does itself."""
    best = None if HP_METRIC in taken else history.best
    for logger in boards(trainer):
        if best is not None and fills_hp_metric(logger):
            logger.log_metrics({HP_METRIC: best.val}, step=logged_step(trainer))
