"""One fit: what is recorded, where it comes from, and the history that grows out of it."""

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.board.tags import Tags
from lightning_gapmon.collect.meter.sums import Sums
from lightning_gapmon.errors import StateError
from lightning_gapmon.monitor.checks.baseline import Baseline
from lightning_gapmon.monitor.checks.learning_rate import learning_rate, plateau_wait
from lightning_gapmon.monitor.checks.observe import observe
from lightning_gapmon.monitor.checks.odd_rank import odd_shard
from lightning_gapmon.monitor.checks.plan import checks_before, planned_checks
from lightning_gapmon.monitor.checks.reduction import Facts, Ledger, gather
from lightning_gapmon.monitor.checks.window_state import continue_window, window_state
from lightning_gapmon.monitor.losses.recorder import Recorder, Source
from lightning_gapmon.monitor.output import messages, publish
from lightning_gapmon.monitor.probe.probe import Probe

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

STATE_VERSION = 1


class Session:
    """The state of one fit; a new fit gets a new one.

    Attributes:
        history: The checks so far.
        recorder: What this rank has heard since the last check.
        tags: The names to publish under: none that the module logs itself.
        laid_out: Those that TensorBoard's layout was written for, or None.
        late: Whether the losses only come with the module's own validation epoch end.
        source: Where the losses come from, in words.
        notes: What a reader should know of the numbers.
        probe: What reads training batches again, or None.
        baseline: What guessing loses, where the mixin tells the targets.
    """

    def __init__(self, recorder: Recorder, *, rank: int, probe: Probe | None = None) -> None:
        self.probe = probe
        self.history = History()
        self.recorder = recorder
        self.tags = Tags()
        self.laid_out: Tags | None = None
        self.late = False
        self.source = ""
        self.notes: list[str] = []
        self.baseline = Baseline()
        self._rank = rank
        self._before, self._since = 0.0, time.monotonic()
        self._window_step = 0
        self._unseen = 0
        self._validating = 0.0
        self._sources: tuple[Source | None, Source | None] = (None, None)
        self._said: set[str] = set()
        self._odd: list[str] = []

    def __getstate__(self) -> dict[str, object]:
        """Leave the data, which the probe holds, out of copies and pickles."""
        return {**vars(self), "probe": None}

    def start_clock(self) -> None:
        """Count the time from here, on top of that of the runs before."""
        self._since = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time spent in fit, resumed runs added up, by this rank's clock."""
        return self._before + time.monotonic() - self._since

    def start_validation(self, loaders: object) -> None:
        """Begin a pass over the validation loaders."""
        self._validating = time.monotonic()
        self.recorder.padding.watch(loaders)
        if self.probe:
            self.probe.due = True

    @property
    def has_val(self) -> bool:
        """Whether a validation loss has been heard at all."""
        return self._sources[1] is not None

    @property
    def ranked_by(self) -> str | None:
        """The tag that checkpoints are ranked by; None while no validation loss has been heard."""
        return self.tags.val if self.has_val else None

    @property
    def val_names(self) -> set[str]:
        """The names under which the validation loss is logged: ours, and the module's own."""
        return {self.tags.val, self.recorder.names.get("val", self.tags.val)}

    @property
    def metrics(self) -> dict[str, float]:
        """The last check's numbers under their names."""
        return publish.metrics(self.history[-1], self.tags, with_val=self.has_val)

    def check(self, trainer: "Trainer", *, last_chance: bool = False) -> bool:
        """Turn the window into the next check, on all ranks together.

        Args:
            trainer: The Trainer, in validation.
            last_chance: Whether no loss will come later in this validation; then the check is
                made without one.

        Returns:
            Whether there is a new check.
        """
        ledger = self._gather(trainer)
        has_val = any(part.units for parts in ledger.val.values() for part in parts)
        if not has_val and not last_chance:
            return False
        self._settle(trainer, ledger)
        self.baseline.loss = ledger.facts.baseline
        if not self.history:
            self._unseen = checks_before(trainer)
        planned = planned_checks(trainer)
        self.history.planned = None if planned is None else planned - self._unseen
        number = self.history[-1].check + 1 if self.history else 1
        self.history.append(observe(trainer, ledger, self._sources, check=number))
        self._compare(ledger.shards(self._sources[1]))
        if self.probe:
            self.probe.fit_amount(ledger.facts)
        self.recorder.reset()
        self._window_step = trainer.global_step
        return True

    def _gather(self, trainer: "Trainer") -> Ledger:
        """Add up; once more where a rank that has heard less has to read the names of rank 0."""
        ledger = gather(trainer, self.recorder, _loaders(trainer), self._facts(trainer))
        if self.recorder.chosen or ledger.one_mind:
            return ledger
        self.recorder.agreed = trainer.strategy.broadcast(self.recorder.heard_names())
        return gather(trainer, self.recorder, _loaders(trainer), self._facts(trainer))

    def _compare(self, shards: list[Sums]) -> None:
        """Note the first time that a rank's loss is off."""
        odd = None if self._odd else odd_shard(shards)
        if odd is not None:
            self._odd = [messages.odd_shard(odd, self.history[-1].check)]

    def _facts(self, trainer: "Trainer") -> Facts:
        return Facts(
            seconds=self.seconds,
            lr=learning_rate(trainer),
            lr_drop_in=plateau_wait(trainer),
            validating=time.monotonic()
            - self._validating
            - (self.probe.last if self.probe else 0),
            probing=self.probe.batches.seconds if self.probe else 0,
            probed=self.probe.batches.read if self.probe else 0,
            baseline=self.baseline.settle(),
            tag_taken=float(not self.tags.are_free(self.recorder.taken)),
        )

    def _settle(self, trainer: "Trainer", ledger: Ledger) -> None:
        """Settle the tags, and the sources once both sides have one."""
        if ledger.facts.tag_taken:
            self._move_tags(trainer)
        if self.recorder.chosen:
            return
        train, val = self._sources = ledger.sources()
        if train and val:
            self.recorder.choose(train, val)
            self.source = messages.watching(train, val, self.recorder)

    def _move_tags(self, trainer: "Trainer") -> None:
        """Move on until no rank's module logs below the prefix; all ranks ask equally often.

        What a module logs may differ by rank, so that no rank can tell alone.
        """
        taken = True
        while taken:
            self.tags = self.tags.moved()
            own = not self.tags.are_free(self.recorder.taken)
            taken = trainer.strategy.reduce_boolean_decision(own, all=False)

    def news(self) -> list[str]:
        """Give what is to be said, each thing once; all but the source is kept as a note.

        What a check could not know is only kept: the next one may.
        """
        notes, repeats = list(self.recorder.notes), self.recorder.padding.repeats
        if repeats:
            notes.append(messages.padding(repeats))
        notes += self._odd
        self.notes = [*notes, *self._limits()]
        return self._once([f"watching {self.source}", *notes] if self.source else notes)

    def _limits(self) -> list[str]:
        """Say what the last check could not know; a budget may still buy it at the next."""
        last = self.history[-1]
        if math.isnan(last.probe) or not math.isnan(last.probe_stderr):
            return []
        return [messages.lone_probe()]

    def warnings(self) -> list[str]:
        """Give what is missing, once, whatever else has been seen since."""
        train, val = self._sources
        missing = "val" if val is None else "train" if train is None else ""
        if not missing or missing in self._said:
            return []
        self._said.add(missing)
        say = messages.no_loss if missing == "val" else messages.no_train_loss
        return [say(self.recorder)]

    def _once(self, sentences: list[str]) -> list[str]:
        fresh = [sentence for sentence in sentences if sentence not in self._said]
        self._said.update(fresh)
        return fresh

    def state_dict(self) -> dict[str, Any]:
        """Write everything that a resumed fit needs, as plain types."""
        return {
            "version": STATE_VERSION,
            "history": self.history.to_plain(),
            "seconds": self.seconds,
            "unseen": self._unseen,
            "sources": list(self._sources),
            "names": dict(self.recorder.names),
            "prefix": self.tags.prefix,
            "late": self.late,
            "baseline": self.baseline.loss,
            "source": self.source,
            "probe_batches": self.probe.batches.used if self.probe else 0,
            "window": [],
        }

    def window_state(self, trainer: "Trainer") -> list[list[Any]]:
        """Write the window since the last check, on all ranks together."""
        if trainer.global_step == self._window_step:
            return []
        return window_state(trainer, self.recorder)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state.

        Raises:
            StateError: It is of another version.
        """
        if state.get("version") != STATE_VERSION:
            msg = (
                f"Found a GapMonitor state of version {state.get('version')!r}, expected "
                f"{STATE_VERSION}. Resume with the version of lightning_gapmon that wrote it."
            )
            raise StateError(msg)
        self.history = History.from_plain(state["history"])
        self._before, self._since = float(state["seconds"]), time.monotonic()
        self._unseen = int(state["unseen"])
        self._window_step = self.history[-1].step if self.history else 0
        self.tags = Tags(str(state["prefix"]))
        self.late = bool(state["late"])
        self.baseline.loss = float(state["baseline"])
        train, val = self._sources = state["sources"]
        self.recorder.names = {**state["names"], **self.recorder.given}
        self.recorder.listen({"train": train, "val": val} if train and val else {})
        self.source = str(state["source"])
        if self.probe:
            self.probe.batches.resume(int(state["probe_batches"]))
        continue_window(self.recorder, state["window"], rank=self._rank)


def _loaders(trainer: "Trainer") -> int:
    return max(1, len(trainer.num_val_batches))
