"""The half of the callback that only listens: one recorder a fit, fed by every step."""

from typing import TYPE_CHECKING

from lightning_utilities.core.rank_zero import rank_zero_warn

from lightning_gapmon.monitor.checks.plan import all_ranks_validate
from lightning_gapmon.monitor.compat import AnyCallback
from lightning_gapmon.monitor.fit import Session
from lightning_gapmon.monitor.losses import mixin
from lightning_gapmon.monitor.losses.log_hook import Ear
from lightning_gapmon.monitor.output import messages

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer


class Listener(AnyCallback):
    """Feeds what a module's steps track, log or return to the session of the fit."""

    def __init__(self) -> None:
        super().__init__()
        self._session: Session | None = None
        self._ear: Ear | None = None

    def listen(self, module: "LightningModule", session: Session) -> None:
        """Begin a fit."""
        self._session = session
        mixin.connect(module, session.recorder)
        self._ear = Ear(module, session.recorder.logged)
        self._ear.put_on()

    def silence(self) -> None:
        """Give the module back as it was; what was recorded stays."""
        if self._ear is not None:
            self._ear.take_off()
            mixin.disconnect(self._ear.module)
            self._ear = None

    def __getstate__(self) -> dict[str, object]:
        """Leave the module out of copies and pickles: the ear holds it, and Lightning's `log`."""
        kept = {
            name: value for name, value in vars(self).items() if name not in ("log", "log_dict")
        }
        return {**kept, "_ear": None}

    def on_train_start(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Start the clock; say so if there will be nothing to compare with."""
        if self._session is not None:
            self._session.start_clock()
            if not trainer.enable_validation:
                rank_zero_warn(messages.no_validation())
            elif not all_ranks_validate(trainer):
                rank_zero_warn(messages.idle_rank())
                self.silence()
                self._session = None

    def on_train_batch_start(
        self, trainer: "Trainer", pl_module: "LightningModule", batch: object, batch_idx: int
    ) -> None:
        """Listen to a training step."""
        if self._session is not None:
            self._session.recorder.begin("train", batch)
            if self._session.probe:
                self._session.probe.keep(trainer, batch)

    def on_before_backward(
        self, trainer: "Trainer", pl_module: "LightningModule", loss: object
    ) -> None:
        """Take only a batch's first loss, where an optimiser evaluates it again and again."""
        if self._session is not None and pl_module.automatic_optimization:
            self._session.recorder.evaluated()

    def on_train_batch_end(
        self,
        trainer: "Trainer",
        pl_module: "LightningModule",
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Take what a training step returned; Lightning has divided its loss."""
        if self._session is not None:
            recorder = self._session.recorder
            recorder.returned(outputs, scale=trainer.accumulate_grad_batches)
            recorder.end()

    def on_validation_start(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Look at the validation loaders before they run."""
        if session := self._checking(trainer):
            session.start_validation(trainer.val_dataloaders)

    def on_validation_batch_start(
        self,
        trainer: "Trainer",
        pl_module: "LightningModule",
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Probe before the first validation step, and listen to each."""
        if session := self._checking(trainer):
            self.run_probe(trainer, pl_module, session)
            session.recorder.begin("val", batch, dataloader_idx)
            if not session.history:
                session.baseline.take(pl_module, batch)

    def on_validation_batch_end(
        self,
        trainer: "Trainer",
        pl_module: "LightningModule",
        outputs: object,
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Take what a validation step returned."""
        if session := self._checking(trainer):
            session.recorder.returned(outputs)
            session.recorder.end()

    def run_probe(self, trainer: "Trainer", module: "LightningModule", session: Session) -> None:
        """Read training batches again, if this check has not yet."""
        if session.probe and self._ear:
            session.probe.run(trainer, module, session.recorder, self._ear)

    def _checking(self, trainer: "Trainer") -> Session | None:
        """Give the session if this validation is a check: inside fit, not the sanity check."""
        fitting = trainer.state.fn == "fit" and not trainer.sanity_checking
        return self._session if fitting else None
