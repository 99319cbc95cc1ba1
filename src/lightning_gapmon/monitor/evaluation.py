"""A pass of `trainer.validate` or `trainer.test`: its loss, exact over samples and ranks."""

from typing import TYPE_CHECKING, NamedTuple

import torch

from lightning_gapmon.board.tags import Tags
from lightning_gapmon.collect.meter.sums import Sums
from lightning_gapmon.monitor.checks.agreement import gather
from lightning_gapmon.monitor.compat import data_parallel
from lightning_gapmon.monitor.losses import mixin
from lightning_gapmon.monitor.losses.log_hook import LogHook, foreign_callbacks
from lightning_gapmon.monitor.losses.logged_name import Heard
from lightning_gapmon.monitor.losses.logged_value import whole
from lightning_gapmon.monitor.losses.recorder import Recorder
from lightning_gapmon.monitor.losses.watched import SIDES, SOURCES, Names, Watched
from lightning_gapmon.monitor.output.publish import log_through

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from lightning_gapmon.monitor.settings import Losses


class _Own(NamedTuple):
    """What a rank alone knows.

    Attributes:
        heard: The names that may be those of losses.
        logged: Every name that its module has logged.
        metrics: Which of them are metrics that compute the loss, by name and loader.
    """

    heard: Heard
    logged: set[str]
    metrics: set[tuple[str, int]]


class Evaluation:
    """Listens to the steps of one pass as a fit does to its validations, and logs the loss.

    Args:
        losses: Which losses are watched.
        stage: `validate` or `test`; a name that was given is that of the validation loss.
    """

    def __init__(self, losses: "Losses", stage: str) -> None:
        self._stage, self._watched = stage, Watched(loader=losses.watched_loader)
        given: Names = {}
        if stage == "validate":
            given = {side: name for side, name in losses.names.items() if side == "val"}
        self.recorder = Recorder(given, losses.batch_size, is_loss=losses.is_loss)
        self._hook: LogHook | None = None

    def attach(self, trainer: "Trainer", module: "LightningModule") -> None:
        """Hear what a module tracks and logs, and what callbacks log through it."""
        mixin.connect(module, self.recorder)
        self._hook = LogHook(module, self.recorder.logged, foreign_callbacks(trainer))
        self.recorder.lingers = self._hook.has_callbacks
        self._hook.attach()

    def detach(self) -> None:
        """Give the module back as it was."""
        if self._hook is not None:
            self._hook.detach()
            mixin.disconnect(self._hook.module)
            self._hook = None

    def begin(self, trainer: "Trainer", batch: object, loader: int) -> None:
        """Enter a step; before the first, look at the loaders."""
        if not self.recorder.began:
            testing = self._stage == "test"
            loaders = trainer.test_dataloaders if testing else trainer.val_dataloaders
            self.recorder.padding.watch(loaders)
        self.recorder.begin("val", batch, loader)

    def returned(self, outputs: object) -> None:
        """Leave a step with what it returned."""
        self.recorder.returned(outputs)
        self.recorder.over()

    def log(self, trainer: "Trainer", module: "LightningModule") -> None:
        """Log the loss as `Loss/val` or `Loss/test`, on all ranks together.

        Where a rank may leave the pass out, the others would wait for it: then nothing is logged.
        """
        self.recorder.end()
        uneven = getattr(module, "allow_zero_length_dataloader_with_multiple_devices", False)
        if trainer.world_size > 1 and uneven:
            return
        loss, logged = self._loss(trainer)
        tags = Tags()
        while not tags.are_free({*logged} - {""}):
            tags = tags.moved()
        if loss is not None:
            log_through(module, {tags.test if self._stage == "test" else tags.val: loss})

    def _loss(self, trainer: "Trainer") -> tuple[float | None, set[str]]:
        """Give the mean by the first source that has one, and what any rank's module logs."""
        recorder = self.recorder
        own = _Own(recorder.heard(), recorder.logged_names, set(recorder.metrics))
        every = gather(own)
        names = recorder.names({s: set().union(*(one.heard[s] for one in every)) for s in SIDES})
        counts = trainer.num_test_batches if self._stage == "test" else trainer.num_val_batches
        loaders = self._watched.loaders(len(counts))
        device = trainer.strategy.root_device
        meters = [[recorder.meter("val", s, one, names=names) for one in loaders] for s in SOURCES]
        rows = torch.stack([torch.cat([m.rows(device) for m in each]) for each in meters])
        weight = data_parallel(trainer).size / trainer.world_size
        summed = trainer.strategy.reduce(rows * weight, reduce_op="sum").tolist()
        parts = {s: [Sums(*row) for row in own] for s, own in zip(SOURCES, summed, strict=True)}
        source = next((s for s in SOURCES if Sums.total(parts[s]).units), None)
        logged = set().union(*(one.logged for one in every))
        if source is None:
            return None, logged
        keys = {(names["val"], loader) for loader in loaders}
        computed = source == "logged" and all(keys <= one.metrics for one in every)
        if not computed:
            return Sums.total(parts[source]).mean, logged
        values = [whole(recorder.metrics[names["val"], loader]) for loader in loaders]
        total = sum(part.n for part in parts[source])
        pairs = zip(values, parts[source], strict=True)
        return sum(value * part.n for value, part in pairs) / total, logged
