"""The callback: hooks that read, ask the layers below, and act."""

from typing import TYPE_CHECKING, Any

from lightning_utilities.core.rank_zero import rank_zero_info, rank_zero_warn

from lightning_gapmon.analysis.rules.expression import parse_rule
from lightning_gapmon.analysis.rules.rule import Rule
from lightning_gapmon.monitor import settings
from lightning_gapmon.monitor.checkpoints import checkpoint as checkpoints
from lightning_gapmon.monitor.checkpoints.snapshot import Snapshot
from lightning_gapmon.monitor.compat import averages, go_first, is_dry_run, may_stop
from lightning_gapmon.monitor.fit import Session
from lightning_gapmon.monitor.leak_check import leak_check as leaks
from lightning_gapmon.monitor.losses.recorder import Count, Recorder
from lightning_gapmon.monitor.output import ending, publish
from lightning_gapmon.monitor.results import Results
from lightning_gapmon.report.markdown import verdict

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer
    from torch.utils.data import DataLoader, Dataset

    from lightning_gapmon.monitor.checkpoints.checkpoint import GapCheckpoint

EARNED = "Budget().lr_aware() | NonFinite(3)"  # as text, for configuration files to hold


class GapMonitor(Results):
    """Watch train and validation loss, stop on their trend, keep the best check.

    One check follows each validation inside `fit`: both losses as exact means over samples and
    ranks, the gap between them, the rule's decision, the diagnosis. For a Trainer of
    `lightning.pytorch` or of `pytorch_lightning`.

    Args:
        train: Name under which the module logs its train loss, or key of its step's output; by
            default the mixin's loss, else the usual names, else what the steps return.
        val: Name of the validation loss, likewise.
        count: Gives the samples of a batch, where the module does not say and the first size of
            its tensors is not it.
        stop: Rule that stops the run, as such or as text (`"Patience(10) | Target(0.1)"`, fit
            for a configuration file), or None to only watch. The default waits for three
            tenths of the plan and of what is left of it, afresh after the learning rate has dropped, and ends
            the run at the third loss in a row that is not finite.
        checkpoint: Whether to keep the best check's checkpoint where the Trainer allows
            checkpoints and the user brought none; or the `GapCheckpoint` to use.
        restore_best: Whether to put the best check's weights back into the module after fit.
        probe: Training batches that each rank reads again in eval mode at each check, for the
            fair gap: a number of batches, a share of validation's time such as `"5%"`, or a
            loader or dataset of your own (without augmentation, say), which is read whole.
        leakage: Samples of each side that are compared before training, to find validation
            samples that are in the training data too.
        baseline: Loss of a trivial predictor, such as one that always gives the class
            frequencies; a model that does not beat it underfits. By default computed where
            the mixin's `targets` gives the targets.
        prog_bar: Whether to show the numbers in the progress bar too.
        summary: Whether to print a summary after fit.

    Raises:
        ConfigurationError: An argument cannot work.

    Example:
        >>> from lightning_gapmon import Patience
        >>> monitor = GapMonitor(stop=Patience(10), restore_best=True)
        >>> monitor.history, monitor.best, monitor.stop_reason
        (<History of 0 checks>, None, None)
    """

    def __init__(
        self,
        *,
        train: str | None = None,
        val: str | None = None,
        count: Count | None = None,
        stop: Rule | str | None = EARNED,
        checkpoint: "bool | GapCheckpoint" = True,
        restore_best: bool = False,
        probe: "int | str | DataLoader[Any] | Dataset[Any] | None" = None,
        leakage: int | None = None,
        baseline: float | None = None,
        prog_bar: bool = False,
        summary: bool = True,
    ) -> None:
        settings.refuse_odd(train=train, val=val, count=count, stop=stop, checkpoint=checkpoint)
        super().__init__(baseline=baseline)
        self.given = settings.names(train=train, val=val)
        settings.refuse_odd_probe(probe)
        settings.refuse_odd_evidence(leakage=leakage, baseline=baseline)
        self.leakage = leakage
        self.wanted_probe = probe
        self.count, self.checkpoint = count, checkpoint
        self.stop = parse_rule(stop) if isinstance(stop, str) else stop
        self.restore_best, self.prog_bar, self.summary = restore_best, prog_bar, summary
        self._snapshot = Snapshot()
        self._fresh = False

    def setup(self, trainer: "Trainer", pl_module: "LightningModule", stage: str) -> None:
        """Bring the checkpoint; begin a new fit with nothing of the last one."""
        settings.refuse_twins(trainer)
        checkpoints.install(trainer, self.checkpoint)
        self._selection = checkpoints.selection(trainer)
        if stage != "fit":
            return
        go_first(trainer, self)
        self.silence()
        self.forget()
        self._snapshot = Snapshot()
        if not is_dry_run(trainer):
            recorder = Recorder(self.given, self.count)
            probe = settings.probe(self.wanted_probe)
            self.listen(pl_module, Session(recorder, rank=trainer.global_rank, probe=probe))

    def on_train_start(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Look for leaks before the first step.

        A run that was killed after its rule had fired is over once it is resumed.
        """
        super().on_train_start(trainer, pl_module)
        if self._session is None:
            return
        if self.leakage and trainer.enable_validation:
            self.overlaps = leaks.look(trainer, self.leakage)
        if self.history:
            checkpoints.follow(trainer, self.history, self._session.ranked_by)
            self._decide(trainer, self._session)

    def on_validation_epoch_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Check before anyone asks for the numbers."""
        session = self._checking(trainer)
        if session is None:
            return
        self.run_probe(trainer, pl_module, session)
        self._fresh = not session.late and session.check(trainer)
        if self._fresh:
            self._prepare(trainer, pl_module, session)
            publish.log(pl_module, session.metrics, prog_bar=self.prog_bar)
        else:  # the module may log its loss at its own epoch end, which comes after this
            session.late = True
            session.recorder.begin("val", None)

    def on_validation_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Decide, the same on every rank, for all hold the same numbers."""
        session = self._checking(trainer)
        if session is None:
            return
        if not self._fresh:
            session.recorder.end()
            session.check(trainer, last_chance=True)
            self._prepare(trainer, pl_module, session)
            publish.log_late(trainer, session.metrics)
        publish.hparam(trainer, session.history, session.recorder.taken)
        self._judge(trainer, session)
        self._decide(trainer, session)

    def _prepare(self, trainer: "Trainer", module: "LightningModule", session: "Session") -> None:
        """Do what a fresh check asks for before its numbers go out."""
        for note in session.news():
            rank_zero_info(f"GapMonitor: {note}")
        for warning in session.warnings():
            rank_zero_warn(warning)
        checkpoints.follow(trainer, session.history, session.ranked_by)
        if session.laid_out != session.tags:
            publish.lay_out(trainer, session.tags)
            session.laid_out = session.tags
        if self.restore_best and self._selection(session.history) is session.history[-1]:
            self._snapshot.take(module, session.history[-1].check)

    def _judge(self, trainer: "Trainer", session: "Session") -> None:
        """Say the verdict when it changes."""
        before, self._diagnosis = self._diagnosis, self.diagnose(session.history)
        if self._diagnosis.verdict != (before.verdict if before else "undecided"):
            rank_zero_info(f"GapMonitor: {self._diagnosis.verdict}: {self._diagnosis.message}")
            publish.text(trainer, session.tags.verdict, verdict(self._diagnosis))

    def _decide(self, trainer: "Trainer", session: "Session") -> None:
        """Ask the rule anew at each check: nothing is kept that a later check may take back."""
        reason = self.stop(session.history) if self.stop and session.has_val else None
        self._stop_reason = reason if reason and may_stop(trainer) else None
        if self.stop_reason:
            trainer.should_stop = True
            rank_zero_info(f"GapMonitor stops the run: {self.stop_reason}")
            publish.text(trainer, session.tags.stop, str(self.stop_reason))

    def on_train_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Put the best weights back and tell how it went."""
        if self._session is not None:
            restored = self.restore_best and ending.put_back(
                trainer, pl_module, self._snapshot, self.best
            )
            self.conclude(trainer, self._session, restored=restored)

    def on_fit_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Print the summary, last in the fit; a Rich bar's last line may follow."""
        if self._outcome is not None and self._outcome.restored and averages(trainer):
            ending.put_back(trainer, pl_module, self._snapshot, self.best)
        self.sum_up()

    def on_exception(
        self, trainer: "Trainer", pl_module: "LightningModule", exception: BaseException
    ) -> None:
        """Tell how it went so far."""
        if self._session is not None and trainer.state.fn == "fit" and self._outcome is None:
            name = type(exception).__name__
            self.conclude(trainer, self._session, restored=False, interrupted_by=name)
            self.sum_up()
        self.silence()

    def teardown(self, trainer: "Trainer", pl_module: "LightningModule", stage: str) -> None:
        """Give the module back as it was."""
        self.silence()

    def sum_up(self) -> None:
        """Print the summary, if there is anything to say and it is wanted."""
        if self.summary and self._outcome is not None and self._outcome.history:
            ending.sum_up(self._outcome)

    def state_dict(self) -> dict[str, Any]:
        """Write the history and where its losses come from, as plain types."""
        return self._session.state_dict() if self._session is not None else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue the history of the run that is resumed."""
        if self._session is not None and state_dict:
            self._session.load_state_dict(state_dict)

    def on_save_checkpoint(
        self, trainer: "Trainer", pl_module: "LightningModule", checkpoint: dict[str, Any]
    ) -> None:
        """Add what was recorded since the last check; that takes all ranks."""
        state = checkpoint.get("callbacks", {}).get(self.state_key)
        if state and self._session is not None and trainer.state.fn == "fit":
            state["window"] = self._session.window_state(trainer)
