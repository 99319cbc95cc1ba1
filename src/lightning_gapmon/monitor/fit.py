"""One fit: what is recorded, what is watched, and the history that grows out of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.loss_names import Side
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.outlook.outlook import Outlook, outlook
from lightning_gapmon.analysis.verdicts.diagnose import diagnose
from lightning_gapmon.monitor import console, settings as options
from lightning_gapmon.monitor.checkpoints.snapshot import Snapshot
from lightning_gapmon.monitor.checks import state as states
from lightning_gapmon.monitor.checks.agreement import free_tags, reduce_agreed
from lightning_gapmon.monitor.checks.baseline import Baseline
from lightning_gapmon.monitor.checks.observe import observe
from lightning_gapmon.monitor.checks.plan import Plan, all_ranks_validate
from lightning_gapmon.monitor.checks.rank_zero import Clock, Spent, rank_zero, stop_reason
from lightning_gapmon.monitor.checks.reduction import Reduced
from lightning_gapmon.monitor.checks.start import Start
from lightning_gapmon.monitor.compat import begin_validation_again, may_stop, steps_by_itself
from lightning_gapmon.monitor.leak_check import leak_check as leaks
from lightning_gapmon.monitor.losses import mixin
from lightning_gapmon.monitor.losses.log_hook import LogHook, foreign_callbacks
from lightning_gapmon.monitor.losses.recorder import Recorder
from lightning_gapmon.monitor.losses.watched import Names, Watched
from lightning_gapmon.monitor.output import messages
from lightning_gapmon.monitor.output.news import News
from lightning_gapmon.monitor.output.publish import Publisher
from lightning_gapmon.monitor.probe.probe import make_probe

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from lightning_gapmon.analysis.overlap import Overlap
    from lightning_gapmon.analysis.rules.rule import StopReason
    from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis
    from lightning_gapmon.monitor.settings import Settings


class Fit:
    """The state of one fit; a new fit gets a new one.

    Args:
        settings: What the monitor was asked for.
        rank: The global rank of this process.

    Attributes:
        history: The checks so far.
        watched: Where the losses come from and what they go out as.
        recorder: What this rank has heard since the last check.
        probe: What reads training batches again, or None.
        baseline: What guessing loses.
        before: What validation loses before the first step.
        overlaps: What the leak check found, one entry a validation loader.
        stop_reason: Why the run is stopped, by the last check; or None.
        checked: Whether the check of the running validation has been made.
        snapshot: The best check's weights, where they are to be put back.
        publisher: What says and publishes the checks.
        news: What tells others of the run.
    """

    def __init__(self, settings: "Settings", *, rank: int) -> None:
        self.history = History()
        self.watched, losses = Watched(loader=settings.losses.watched_loader), settings.losses
        self.recorder = Recorder(losses.names, losses.batch_size, is_loss=losses.is_loss)
        self.probe = make_probe(settings.evidence.probe)
        self.baseline = Baseline(settings.evidence.baseline)
        self.before = Start(whole=settings.evidence.start)
        self.overlaps: list[Overlap] = []
        self.stop_reason: StopReason | None = None
        self.checked = False
        self.snapshot = Snapshot()
        self.publisher = Publisher(settings.show)
        self.news = News(settings.show)
        self._settings, self._rank = settings, rank
        self._clock = Clock()
        self._hook: LogHook | None = None
        self._diagnosis: Diagnosis | None = None
        self._plan = Plan()

    def __getstate__(self) -> dict[str, object]:
        """Leave the module and the probe's data out of copies and pickles."""
        return {**vars(self), "probe": None, "_hook": None}

    def attach(self, trainer: "Trainer", module: "LightningModule") -> None:
        """Hear what a module tracks and logs, and what callbacks log through it."""
        mixin.connect(module, self.recorder)
        self._hook = LogHook(module, self.recorder.logged, foreign_callbacks(trainer))
        self.recorder.lingers = self._hook.has_callbacks
        self._hook.attach()

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended yet."""
        return self._hook is not None

    def detach(self) -> None:
        """Give the module and the bar back as they were; what was recorded stays."""
        self.publisher.line.detach()
        self.news.close()
        if self._hook is not None:
            self._hook.detach()
            mixin.disconnect(self._hook.module)
            self._hook = None

    def start(self, trainer: "Trainer") -> bool:
        """Start the clock and look for leaks; tell whether there will be anything to watch."""
        self._clock.start()
        if not trainer.enable_validation:
            console.warn(messages.no_validation())
            return True  # a loop that is told to validate later still does
        if not all_ranks_validate(trainer):
            console.warn(messages.idle_rank())
            return False
        self.history = self._plan.resumed(trainer, self.history)
        options.refuse_missing_loader(trainer, self.watched.loader)
        if begin_validation_again(trainer):
            console.say(messages.validated_again())
        if self._settings.stop is not None:
            console.say(messages.will_stop(self._settings.stop))
        if self._settings.evidence.leakage:
            self.overlaps = leaks.look(trainer, self._settings.evidence.leakage)
        return True

    def start_validation(self, trainer: "Trainer") -> None:
        """Begin a pass over the validation loaders."""
        self.checked = False
        self.recorder.end()
        self._clock.start_validation()
        self.recorder.padding.watch(trainer.val_dataloaders)
        if self.probe is not None:
            self.probe.due = True

    def run_probe(self, trainer: "Trainer", module: "LightningModule") -> None:
        """Read training batches again, if this check has not yet."""
        if self.probe is not None and self._hook is not None:
            self.probe.run(trainer, module, self.recorder, self._hook)

    def check(self, trainer: "Trainer", *, last_chance: bool = False) -> None:
        """Turn the window into the next check, on all ranks together.

        Where no validation loss has been heard yet, that is left for the last chance: the module
        may log its own at its validation epoch end, which comes after the callbacks'.
        """
        self.recorder.end()
        if self.watched.late and not last_chance:
            self.recorder.await_whole()
            return
        spent = self.probe.spent if self.probe is not None else Spent()
        loss = self.baseline.measure()
        own = rank_zero(trainer, self._clock, spent, check=self._next, baseline=loss)
        reduced, names = reduce_agreed(trainer, self.recorder, self.watched, own)
        if not (reduced.has_val or last_chance):
            self.watched = replace(self.watched, late=True)
            self.recorder.await_whole()
            return
        if self.watched.val is not None and not reduced.has_val:
            self._pass_over(trainer)
            return
        self._settle(trainer, reduced, names)
        self._append(trainer, reduced)
        self.judge(live=True)
        self._begin_window(trainer, reduced)
        self.checked = True

    def _pass_over(self, trainer: "Trainer") -> None:
        """Make no check of a validation in which the watched loss was not measured."""
        self._look_again("val")
        self.recorder.reset_val()  # the window goes on: it is that since the last check
        self._plan.pass_by(trainer)

    def _look_again(self, side: Side) -> None:
        self.publisher.notices.lost(side, self.watched, self.recorder)
        self.watched = replace(self.watched, lost=True, late=False)
        self.recorder.watch(self.watched)

    def _settle(self, trainer: "Trainer", reduced: Reduced, names: Names) -> None:
        """Settle the tags, and the sources once both sides have one; look for train's again."""
        tags = self.watched.tags
        if reduced.tags_taken:
            tags = free_tags(trainer, tags, self.recorder.logged_names)
        before = self.watched = replace(self.watched, tags=tags)
        if not before.settled:
            given, alone = self.recorder.given, steps_by_itself(trainer)
            self.watched = reduced.settled(before, names, given=given, by_itself=alone)
            self.recorder.watch(self.watched)
        if reduced.share(self.watched) == 0:
            self._look_again("train")
        elif not before.lost:  # else it has not been listened to all the time
            self.publisher.notices.sparse(self.watched, reduced.share(self.watched))

    def _append(self, trainer: "Trainer", reduced: Reduced) -> None:
        """Make the check, with the plan as it is known now."""
        number = self._next
        planned = self._plan.take(number, trainer, reduced.rank_zero)
        seen = observe(trainer, reduced, self.watched, check=number, planned=planned)
        self.history.append(seen)
        self.before.settle(self.history, self.watched)
        self.baseline.measured = reduced.rank_zero.baseline
        if self.watched.val is not None:
            self.publisher.notices.compare(self.watched, reduced, self.history[-1])

    @property
    def _next(self) -> int:
        return self.history[-1].check + 1 if self.history else 1

    def _begin_window(self, trainer: "Trainer", reduced: Reduced) -> None:
        if self.probe is not None:
            self.probe.fit_amount(reduced.rank_zero)
        self.recorder.reset()

    @property
    def diagnosis(self) -> "Diagnosis":
        """The alarm at the last check while the fit goes on, then the judgement."""
        return self._diagnosis or self.judge(live=True)

    @property
    def outlook(self) -> Outlook:
        """What is still to be expected, by the checks that the rule looks at."""
        rule = self._settings.stop
        return outlook(self.history if rule is None else rule.view(self.history))

    def judge(self, *, live: bool) -> "Diagnosis":
        """Look at the checks so far, while the fit goes on or when it has ended."""
        shared, guessed = leaks.worst(self.overlaps), self.baseline.loss
        self._diagnosis = diagnose(self.history, baseline=guessed, overlap=shared, live=live)
        return self._diagnosis

    def tell(self, trainer: "Trainer") -> None:
        """Say what the last check has brought, beside its numbers."""
        self.publisher.check(
            trainer,
            history=self.history,
            diagnosis=self.diagnosis,
            watched=self.watched,
            recorder=self.recorder,
        )

    def decide(self, trainer: "Trainer") -> None:
        """Stop the run where the rule says so now: a later check may take back what it said."""
        may = self.watched.val is not None and not self.watched.opposed
        rule = self._settings.stop if may else None
        reason = stop_reason(trainer, rule, self.history) if rule is not None else None
        self.stop_reason = reason if reason and may_stop(trainer) else None
        if self.stop_reason is not None:
            trainer.should_stop = True
            best = self.history.best
            self.publisher.stop(trainer, self.stop_reason, best, self.outlook, self.watched)
        self.news.check(trainer, self.so_far(), self.watched.tags)

    @property
    def source(self) -> str:
        """Where the losses come from, in words."""
        loaders = len(self.history[-1].loaders) if self.history else 0
        return messages.watching(self.watched, loaders=loaders)

    def so_far(self) -> Outcome:
        """Put together what is known while it goes on."""
        return Outcome(
            history=self.history,
            diagnosis=self.diagnosis,
            ended=False,
            stop_reason=self.stop_reason,
            outlook=self.outlook,
            source=self.source,
            notes=tuple(self.publisher.notices.notes),
        )

    def state_dict(self) -> dict[str, Any]:
        """Write everything that a resumed fit needs, as plain types."""
        return {
            "version": states.VERSION,
            "history": self.history.to_plain(),
            "seconds": self._clock.seconds,
            "place": list(self._plan.place),
            "watched": states.watched_to_plain(self.watched),
            "baseline": self.baseline.measured,
            "probe_batches": self.probe.batches.used if self.probe is not None else 0,
            "window": [],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state.

        Raises:
            StateError: It is of another version, or damaged.
        """
        state = states.checked(state)
        self.history = History.from_plain(state["history"])
        self._clock = Clock(float(state["seconds"]))
        self._plan = Plan(state["place"])
        watched = states.watched_from_plain(state["watched"], given=self.recorder.given)
        self.watched = replace(watched, loader=self.watched.loader)
        self.baseline.measured = float(state["baseline"])
        self.recorder.watch(self.watched)
        if self.probe is not None:
            self.probe.batches.resume(state["probe_batches"])
        states.continue_window(self.recorder, state["window"], rank=self._rank)
