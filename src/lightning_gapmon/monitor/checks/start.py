"""The validation loss before the first step: what the Trainer's sanity check lost."""

import math
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from lightning_gapmon.analysis.history.start_loss import StartLoss
from lightning_gapmon.collect.unchanged import unchanged_attributes, unchanged_metrics
from lightning_gapmon.monitor.checks.agreement import reduce_agreed
from lightning_gapmon.monitor.checks.observe import observe
from lightning_gapmon.monitor.checks.rank_zero import RankZero
from lightning_gapmon.monitor.compat import batches_trained, data_parallel
from lightning_gapmon.monitor.losses.watched import SOURCES, Source

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from lightning_gapmon.analysis.history.history import History
    from lightning_gapmon.analysis.history.observation import Observation
    from lightning_gapmon.monitor.losses.recorder import Recorder
    from lightning_gapmon.monitor.losses.watched import Watched


class Start:
    """Keeps the loss of the sanity check, which Lightning throws away.

    It is the Trainer that validates: by its own loop, on all ranks, with its random state apart.
    Which source is watched is only known at the first check, so that there is a loss of each
    source until then. Weights that the Trainer has trained already, as after most resumes, have
    no such loss, though Lightning validates there too.

    Args:
        whole: Whether to have the Trainer validate fully, whatever it was told; the module's
            metrics and attributes then come back as if it had not validated at all.
    """

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole
        self._undo = ExitStack()
        self._listens = False
        self._losses: dict[Source, StartLoss] = {}
        self._name = ""
        self._seen: tuple[float, bool] | None = None

    def __getstate__(self) -> dict[str, object]:
        """Leave the Trainer and the module out of copies and pickles."""
        return {**vars(self), "_undo": ExitStack()}

    def ask(self, trainer: "Trainer") -> None:
        """Ask for the whole of validation, before the Trainer begins with it."""
        if self._whole:
            self._undo.callback(
                setattr, trainer, "num_sanity_val_steps", trainer.num_sanity_val_steps
            )
            trainer.num_sanity_val_steps = math.inf

    def goes_on(self, trainer: "Trainer") -> bool:
        """Tell whether a validation is the one that is listened to."""
        return trainer.sanity_checking and self._listens

    def begin(self, trainer: "Trainer", module: "LightningModule") -> None:
        """Remember what the module holds; a resumed run validates as it was told to."""
        self._listens = not batches_trained(trainer)
        if not self._listens:
            self.detach()
        elif self._whole:
            self._undo.enter_context(unchanged_metrics(module))
            self._undo.enter_context(unchanged_attributes(module))

    def detach(self) -> None:
        """Give the Trainer its number of batches back, and the module what it held."""
        self._undo.close()

    def take(self, trainer: "Trainer", recorder: "Recorder", watched: "Watched") -> None:
        """Take the losses of all batches; where there are none, the module may log one yet."""
        recorder.end()
        if _may_leave_ranks_out(trainer):
            return
        self._seen = self._seen or _seen(trainer, recorder)
        reduced, names = reduce_agreed(trainer, recorder, watched, RankZero())
        self._name = names["val"]
        found = {
            source: observe(
                trainer, reduced, replace(watched, val=source), check=0, planned=math.nan
            )
            for source in SOURCES
        }
        self._losses = {
            source: _start_loss(seen, *self._seen)
            for source, seen in found.items()
            if math.isfinite(seen.val)
        }
        if not reduced.has_val:
            recorder.await_whole()

    def keep(
        self, trainer: "Trainer", recorder: "Recorder", watched: "Watched", history: "History"
    ) -> None:
        """Leave what was found in the history, and nothing in the recorder."""
        if not self._losses:
            self.take(trainer, recorder, watched)
        history.start = next(iter(self._losses.values()), None)
        recorder.end()
        recorder.forget()

    def settle(self, history: "History", watched: "Watched") -> None:
        """Take the loss that is watched, once that is known: none rather than another one."""
        if self._losses and watched.settled and watched.val is not None:
            is_it = watched.val != "logged" or watched.names.get("val") == self._name
            history.start = self._losses.get(watched.val) if is_it else None
            self._losses = {}


def _may_leave_ranks_out(trainer: "Trainer") -> bool:
    """Tell whether a rank may have no validation batch, and then none of the hooks."""
    name = "allow_zero_length_dataloader_with_multiple_devices"
    owners = (trainer.lightning_module, getattr(trainer, "datamodule", None))
    return trainer.world_size > 1 and any(getattr(owner, name, False) for owner in owners)


def _seen(trainer: "Trainer", recorder: "Recorder") -> tuple[float, bool]:
    """Count the batches that all ranks have seen; tell whether that is what a check sees."""
    is_part = trainer.num_sanity_val_steps < max(trainer.num_val_batches)
    share = data_parallel(trainer).size / trainer.world_size
    own = torch.tensor([recorder.padding.batches * share, is_part], dtype=torch.float32)
    summed = trainer.strategy.reduce(own.to(trainer.strategy.root_device), reduce_op="sum")
    batches, parts = summed.tolist()
    return batches, not parts


def _start_loss(seen: "Observation", batches: float, whole: bool) -> StartLoss:  # noqa: FBT001
    return StartLoss(
        loss=seen.val, stderr=seen.val_stderr, batches=batches, samples=seen.val_n, whole=whole
    )
