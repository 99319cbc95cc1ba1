"""The callback: hooks that read, ask the parts, and act."""

import copy
from typing import TYPE_CHECKING, Any

from lightning_gapmon.analysis.rules.rule import Rule
from lightning_gapmon.monitor import console, copies, settings
from lightning_gapmon.monitor.attributes import Attributes
from lightning_gapmon.monitor.checkpoints import checkpoint as checkpoints
from lightning_gapmon.monitor.checkpoints.checkpoint import GapCheckpoint
from lightning_gapmon.monitor.checks.state import window_state
from lightning_gapmon.monitor.compat import go_first, is_dry_run
from lightning_gapmon.monitor.copies import Copies
from lightning_gapmon.monitor.evaluation import Evaluation
from lightning_gapmon.monitor.fit import Fit
from lightning_gapmon.monitor.losses.batch_size import BatchSize
from lightning_gapmon.monitor.losses.mixin import hidden_steps
from lightning_gapmon.monitor.output import messages
from lightning_gapmon.monitor.packages import MonitorBase
from lightning_gapmon.monitor.results import Results
from lightning_gapmon.monitor.sanity_check import SanityCheck
from lightning_gapmon.monitor.settings import Overlay, ProbeData, RestoreBest
from lightning_gapmon.report import figure, notebook
from lightning_gapmon.report.verdict_event import OnVerdict

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer
    from matplotlib.axes import Axes

OWN = ("_settings", "_results", "_copies", "_fit")  # what a pickle has as plain types
EARNED = "Budget().lr_aware() | NonFinite(3)"  # as text, for configuration files to hold


class GapMonitor(Attributes, SanityCheck, MonitorBase):
    """Watch train and validation loss, stop on their trend, keep the best check.

    One check follows each validation inside `fit`: both losses as exact means over samples and
    ranks, the gap between them, the rule's decision, the diagnosis. For a Trainer of
    `lightning.pytorch` or of `pytorch_lightning`.

    Args:
        train: Name under which the module logs its train loss, or key of its step's output; by
            default the mixin's loss, else the usual names, else what the steps return.
        val: Name of the validation loss, likewise.
        batch_size: Gives the samples of a batch, where the module does not say and the first
            size of its tensors is not it.
        loader: Number of the validation loader to watch; by default the mean over all samples.
        is_loss: Whether what is named is minimised, whatever it is called: an accuracy, a reward
            and the like are refused as losses.
        stop: Rule that stops the run, as such or as text (`"Patience(10) | Target(0.1)"`, fit
            for a configuration file), or None to only watch. The default waits for three
            tenths of the plan and of what is left of it, afresh after the learning rate has
            dropped, and ends the run at the third loss in a row that is not finite.
        checkpoint: Whether to keep the best check's checkpoint where the Trainer allows
            checkpoints and the user brought none; or the `GapCheckpoint` to use.
        restore_best: Whether to put the best check's weights back into the module after fit,
            also one that is interrupted: from a copy in memory, or from its checkpoint
            (`"disk"`), which takes no memory while it trains, and a fit that ends by itself.
        probe: Training batches that each rank reads again in eval mode at each check, for the
            fair gap: a number of batches, a share of validation's time such as `"5%"`, or a
            loader or dataset of your own (without augmentation, say), which is read whole.
        leakage: Samples of each side that are compared before training, to find validation
            samples that are in the training data too.
        baseline: Loss of a trivial predictor, such as one that always gives the class
            frequencies; a model that does not beat it underfits. By default computed where
            the mixin's `targets` gives the targets.
        start: Whether to validate fully before the first step, for `history.start`.
        prog_bar: Whether the progress bar, where there is one, ends with the last check.
        summary: Whether to print a summary after fit.
        publish: Whether the numbers go out under names of ours, such as `Loss/val`, to the loggers
            and into `callback_metrics`, which a library may list as results of its own.
        overlay: `"runs"` writes both losses to TensorBoard once more, as two runs with one tag:
            two colours in one chart of its first tab, at the price of three runs for one.
        on_verdict: Functions of a dict, called on rank 0 at a new verdict, a stop and the end.

    Attributes:
        history: The checks of the last fit; all attributes can only be read, options too.
        best: The check that is kept: the lowest validation loss so far, or what `select` says.
        stop_reason: Why the last fit was stopped, or None.
        diagnosis: The verdict at the last check.
        outlook: What is still to be expected of the run, by the checks that the rule looks at.
        overlaps: What the leak check found, one entry a validation loader.
        outcome: All that is known of the last fit, once it has ended; None until then.

    Raises:
        ConfigurationError: An argument cannot work.

    Example:
        >>> from lightning_gapmon import Patience
        >>> monitor = GapMonitor(stop=Patience(10), restore_best=True)
        >>> monitor.history, monitor.best, monitor.stop_reason
        (<History of 0 checks>, None, None)
    """

    _evaluation: Evaluation | None = None

    def __init__(
        self,
        *,
        train: str | None = None,
        val: str | None = None,
        batch_size: BatchSize | None = None,
        loader: int | None = None,
        is_loss: bool = False,
        stop: Rule | str | None = EARNED,
        checkpoint: bool | GapCheckpoint = True,
        restore_best: RestoreBest = False,
        probe: ProbeData | None = None,
        leakage: int | None = None,
        baseline: float | None = None,
        start: bool = False,
        prog_bar: bool = True,
        summary: bool = True,
        publish: bool = True,
        overlay: Overlay | None = None,
        on_verdict: OnVerdict | None = None,
    ) -> None:
        super().__init__()
        self._settings = settings.Settings(
            losses=settings.Losses(
                train=train, val=val, batch_size=batch_size, loader=loader, is_loss=is_loss
            ),
            evidence=settings.Evidence(
                probe=probe, leakage=leakage, baseline=baseline, start=start
            ),
            stop=settings.rule(stop),
            weights=settings.Weights(checkpoint=checkpoint, restore_best=restore_best),
            show=settings.Show(
                prog_bar=prog_bar,
                summary=summary,
                publish=publish,
                overlay=overlay,
                on_verdict=on_verdict,
            ),
        )
        self._results = Results(self._settings)
        self._copies = Copies()
        self._fit: Fit | None = None

    @property
    def _shown(self) -> Results:
        return self._copies.shown(self._results)

    def setup(self, trainer: "Trainer", pl_module: "LightningModule", stage: str) -> None:
        """Bring the checkpoint; begin a new fit with nothing of the last one."""
        settings.refuse_twins(trainer)
        console.share(trainer)
        checkpoints.install(trainer, self.checkpoint)
        if stage != "fit":
            self._evaluate(trainer, pl_module, stage)
            return
        go_first(trainer, self)
        dry = is_dry_run(trainer)
        self._begin(trainer, None if dry else Fit(self._settings, rank=trainer.global_rank))
        if self._fit is not None:
            self._fit.attach(trainer, pl_module)
            self._fit.before.ask(trainer)
            if steps := hidden_steps(pl_module):
                console.say(messages.hidden(steps))

    def _evaluate(self, trainer: "Trainer", module: "LightningModule", stage: str) -> None:
        if stage in ("validate", "test") and self._settings.show.publish:
            self._evaluation = Evaluation(self._settings.losses, stage)
            self._evaluation.attach(trainer, module)

    def _begin(self, trainer: "Trainer", fit: Fit | None) -> None:
        self._detach()
        self._fit = fit
        self._results.begin(fit, checkpoints.selection(trainer))
        self._copies.began(self._results)

    def _detach(self) -> None:
        if self._fit is not None:
            self._fit.before.detach()
            self._fit.detach()
        if self._evaluation is not None:
            self._evaluation.detach()
            self._evaluation = None

    def on_train_start(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Look at what is there before the first step.

        A run that was killed after its rule had fired is over once it is resumed.
        """
        if (fit := self._fit) is not None and not fit.start(trainer):
            self._begin(trainer, None)
        elif fit is not None:
            self._take_up(trainer, fit)

    def _take_up(self, trainer: "Trainer", fit: Fit) -> None:
        """Rank and decide by what a resumed fit has already."""
        if fit.history:
            checkpoints.follow(trainer, fit.history, fit.watched.ranked_by)
            fit.decide(trainer)

    def on_train_batch_start(
        self, trainer: "Trainer", pl_module: "LightningModule", batch: object, batch_idx: int
    ) -> None:
        """Listen to a training step."""
        if (fit := self._fit) is not None:
            fit.recorder.begin("train", batch)
            if fit.probe is not None:
                fit.probe.keep(trainer, batch)

    def on_before_backward(
        self, trainer: "Trainer", pl_module: "LightningModule", loss: object
    ) -> None:
        """Take only a batch's first loss, where an optimiser evaluates it again and again."""
        if self._fit is not None and pl_module.automatic_optimization:
            self._fit.recorder.evaluated()

    def on_train_batch_end(
        self,
        trainer: "Trainer",
        pl_module: "LightningModule",
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Take what a training step returned; Lightning has divided its loss."""
        if self._fit is not None:
            self._fit.recorder.returned(outputs, scale=trainer.accumulate_grad_batches)
            self._fit.recorder.over()

    def on_train_epoch_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Hear nothing of the last step any more: what is logged now is of the epoch."""
        if self._fit is not None:
            self._fit.recorder.end()

    def on_validation_start(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Look at the validation loaders before they run."""
        if fit := self._checking(trainer) or self._trying(trainer):
            settings.refuse_missing_loader(trainer, fit.watched.loader)
            fit.start_validation(trainer)

    def on_validation_batch_start(
        self,
        trainer: "Trainer",
        pl_module: "LightningModule",
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Probe before the first validation step, and listen to each."""
        if fit := self._checking(trainer):
            fit.run_probe(trainer, pl_module)
            if not fit.history:
                fit.baseline.take(pl_module, batch)
        if fit := self._checking(trainer) or self._trying(trainer):
            fit.recorder.begin("val", batch, dataloader_idx)
        elif self._evaluation is not None:
            self._evaluation.begin(trainer, batch, dataloader_idx)

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
        if fit := self._checking(trainer) or self._trying(trainer):
            fit.recorder.returned(outputs)
            fit.recorder.over()
        elif self._evaluation is not None:
            self._evaluation.returned(outputs)

    def on_validation_epoch_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Check before anyone asks for the numbers."""
        if fit := self._checking(trainer):
            fit.run_probe(trainer, pl_module)
            fit.check(trainer)
            if fit.checked:
                self._use(trainer, pl_module, fit)
                fit.publisher.log(pl_module, fit.history[-1], fit.watched, fit.outlook)
        elif fit := self._trying(trainer):
            fit.before.take(trainer, fit.recorder, fit.watched)
        elif self._evaluation is not None:
            self._evaluation.log(trainer, pl_module)

    def on_test_batch_start(
        self,
        trainer: "Trainer",
        pl_module: "LightningModule",
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Listen to a step of `trainer.test`."""
        if self._evaluation is not None:
            self._evaluation.begin(trainer, batch, dataloader_idx)

    def on_test_batch_end(
        self,
        trainer: "Trainer",
        pl_module: "LightningModule",
        outputs: object,
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Take what it returned."""
        if self._evaluation is not None:
            self._evaluation.returned(outputs)

    def on_test_epoch_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Log the test loss."""
        if self._evaluation is not None:
            self._evaluation.log(trainer, pl_module)

    def on_validation_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Decide, the same on every rank, for all hold the same numbers."""
        if fit := self._checking(trainer):
            if not fit.checked:
                fit.check(trainer, last_chance=True)
                if fit.checked:
                    self._use(trainer, pl_module, fit)
                    fit.publisher.log_late(trainer, fit.history[-1], fit.watched, fit.outlook)
            fit.decide(trainer)
        elif fit := self._trying(trainer):
            fit.before.keep(trainer, fit.recorder, fit.watched, fit.history)

    def _use(self, trainer: "Trainer", module: "LightningModule", fit: Fit) -> None:
        """Say what a fresh check has brought, and let its weights be kept."""
        fit.tell(trainer)
        checkpoints.follow(trainer, fit.history, fit.watched.ranked_by)
        if self.restore_best is True and self.best is fit.history[-1]:
            fit.snapshot.take(module, fit.history[-1].check)

    def on_train_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Put the best weights back and tell how it went."""
        if (fit := self._fit) is not None:
            fit.publisher.notices.end(trainer, fit.history)
        self._results.conclude(trainer, pl_module)

    def on_fit_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Print the summary, last in the fit and below its progress bar.

        Lightning leaves training out, with all its hooks, where a run had ended before.
        """
        if (fit := self._fit) is not None and self.outcome is None:
            self._take_up(trainer, fit)
            self._results.conclude(trainer, pl_module)
        self._results.outlast(pl_module)
        console.end_bar(trainer, pl_module)
        self._results.sum_up()

    def on_exception(
        self, trainer: "Trainer", pl_module: "LightningModule", exception: BaseException
    ) -> None:
        """Put the best weights back where that takes no other rank; tell how it went so far."""
        if trainer.state.fn == "fit" and self._results.outcome is None:
            self._results.conclude(trainer, pl_module, interrupted_by=type(exception).__name__)
            console.end_bar(trainer, pl_module)
            self._results.sum_up()
        self._detach()

    def teardown(self, trainer: "Trainer", pl_module: "LightningModule", stage: str) -> None:
        """Give the module back as it was."""
        self._detach()
        if stage != "fit":
            self._results.outlive(trainer)

    def state_dict(self) -> dict[str, Any]:
        """Write the history and where its losses come from, as plain types."""
        return self._fit.state_dict() if self._fit is not None else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue the history of the run that is resumed.

        Lightning restores callbacks to test, validate and predict too; what a fit has found stays.
        """
        if self._fit is not None and self._fit.goes_on and state_dict:
            self._fit.load_state_dict(state_dict)

    def on_save_checkpoint(
        self, trainer: "Trainer", pl_module: "LightningModule", checkpoint: dict[str, Any]
    ) -> None:
        """Add what was recorded since the last check; that takes all ranks."""
        state = checkpoint.get("callbacks", {}).get(self.state_key)
        if state and self._fit is not None and trainer.state.fn == "fit":
            state["window"] = window_state(trainer, self._fit.recorder)

    def __deepcopy__(self, memo: dict[int, object]) -> "GapMonitor":
        """Copy options and results; until each has a fit of its own, both show the last."""
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        vars(twin).update(copy.deepcopy(super().__getstate__(), memo))
        return twin

    def __getstate__(self) -> dict[str, object]:
        """Be plain types in a pickle: one name is all that has to be allowed to load it.

        Functions, loaders and rules that have no text are left out, and named once it is loaded;
        a process that is started to train gets all.
        """
        state = super().__getstate__()
        if copies.goes_to_a_child():
            return state
        others = {name: part for name, part in state.items() if name not in OWN}
        plain = copies.to_plain(self._settings, self._shown, self._copies)
        return {**others, **plain}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Be a monitor with these options that shows what the pickled one had seen."""
        if "options" in state:
            GapMonitor.__init__(self, **copies.options_of(state))
            self._copies = Copies.of(state["copies"])
            copies.recall(state, self._results)
            if state["left_out"]:
                console.warn(messages.left_out(state["left_out"]))
        vars(self).update(
            {name: part for name, part in state.items() if name not in copies.WRITTEN}
        )

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw the last fit with matplotlib: losses, gap, best check, verdict and stop.

        Args:
            axes: Where to draw; by default in a new figure, which is `axes.figure`.

        Raises:
            ModuleNotFoundError: matplotlib is not installed: `pip install lightning-gapmon[plot]`.
        """
        return figure.draw(self._shown.document, axes)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Show the last fit in a notebook: its chart with the verdict."""
        return notebook.run_bundle(self._shown.document, repr(self))

    def __repr__(self) -> str:
        """Show how the last fit went.

        Example:
            >>> GapMonitor()
            <GapMonitor: History of 0 checks, undecided>
        """
        return f"<{type(self).__name__}: {self._shown}>"
