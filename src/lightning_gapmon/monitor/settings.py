"""What the callback was asked for: looked at once, refused where it cannot work, then fixed."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn, cast

from torch.utils.data import DataLoader, Dataset

from lightning_gapmon.analysis.loss_names import read_name, without_loader
from lightning_gapmon.analysis.rules.expression import parse_rule
from lightning_gapmon.analysis.rules.rule import Rule
from lightning_gapmon.analysis.wording import read_percent
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.monitor.checkpoints.checkpoint import GapCheckpoint
from lightning_gapmon.monitor.compat import monitors
from lightning_gapmon.monitor.losses.batch_size import BatchSize
from lightning_gapmon.monitor.losses.watched import SIDES, Names
from lightning_gapmon.report.verdict_event import Hear, OnVerdict

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

ProbeData = int | str | DataLoader[Any] | Dataset[Any]
RestoreBest = bool | Literal["disk"]
Overlay = Literal["runs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Losses:
    """Which losses are watched; each attribute is the option of that name."""

    train: str | None
    val: str | None
    batch_size: BatchSize | None
    loader: int | None
    is_loss: bool

    def __post_init__(self) -> None:
        """Look at each."""
        for side in SIDES:
            self._look_at(side, getattr(self, side))
        if self.loader is not None and not (type(self.loader) is int and self.loader >= 0):
            _refuse(f"loader={self.loader!r}", "the number of a validation loader, from 0")
        named = read_name(self.val).loader if self.val is not None else None
        if self.loader is not None and named not in (None, self.loader):
            found = f"val={self.val!r}, loader={self.loader!r}"
            _refuse(found, "one validation loader, in the name or as loader=...")
        if self.train is not None and self.train == self.val:
            found = f"train={self.train!r} and val={self.val!r}"
            _refuse(found, "two names, one for each side")
        if self.batch_size is not None and not callable(self.batch_size):
            _refuse(
                f"batch_size={self.batch_size!r}",
                "a function of a batch, such as batch_size=lambda batch: len(batch[0])",
            )

    def _look_at(self, side: str, name: object) -> None:
        if name is None:
            return
        if not (isinstance(name, str) and name):
            _refuse(f"{side}={name!r}", f'a logged name, such as {side}="{side}_loss"')
        if read_name(name).is_score and self.is_loss is not True:
            _refuse(
                f"{side}={name!r}",
                "a loss, which falls as a model gets better, and this is the name of a score, "
                f'which grows: name the loss, such as {side}="{side}_loss", or log the negative '
                f"score under another name; or say that it is one: {side}={name!r}, is_loss=True",
            )

    @property
    def names(self) -> Names:
        """The names that were given, by side, without the number of a loader."""
        given = {side: getattr(self, side) for side in SIDES}
        return {side: without_loader(name) for side, name in given.items() if name is not None}

    @property
    def watched_loader(self) -> int | None:
        """The validation loader that was chosen, by its number or in the name; None for all."""
        named = read_name(self.val).loader if self.val is not None else None
        return self.loader if named is None else named


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What is measured beside the curves; each attribute is the option of that name."""

    probe: ProbeData | None
    leakage: int | None
    baseline: float | None
    start: bool

    def __post_init__(self) -> None:
        """Look at each."""
        if not (self.probe is None or _can_be_probed(self.probe)):
            _refuse(
                f"probe={self.probe!r}",
                'a number of batches from 1, a share of validation\'s time such as probe="5%", '
                "or a loader or dataset with a length",
            )
        if self.leakage is not None and not (type(self.leakage) is int and self.leakage >= 1):
            expected = "a number of samples to compare, such as leakage=10_000"
            _refuse(f"leakage={self.leakage!r}", expected)
        if self.baseline is not None and not (
            isinstance(self.baseline, (int, float)) and math.isfinite(self.baseline)
        ):
            expected = "the loss of a trivial predictor, such as baseline=2.3"
            _refuse(f"baseline={self.baseline!r}", expected)
        if not isinstance(self.start, bool):
            _refuse(f"start={self.start!r}", "True or False")


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """Which weights are kept, and where; each attribute is the option of that name."""

    checkpoint: bool | GapCheckpoint
    restore_best: RestoreBest

    def __post_init__(self) -> None:
        """Look at each."""
        if self.restore_best not in (True, False, "disk"):
            _refuse(f"restore_best={self.restore_best!r}", 'True, False or "disk"')
        if self.restore_best == "disk" and self.checkpoint is False:
            found = 'restore_best="disk", checkpoint=False'
            _refuse(found, "a checkpoint to restore from, or restore_best=True")
        if not isinstance(self.checkpoint, (bool, GapCheckpoint)):
            expected = "True, False or a GapCheckpoint(...)"
            _refuse(f"checkpoint={self.checkpoint!r}", expected)


@dataclass(frozen=True, kw_only=True, slots=True)
class Show:
    """What people are shown; each attribute is the option of that name."""

    prog_bar: bool
    summary: bool
    publish: bool
    on_verdict: OnVerdict | None
    overlay: Overlay | None

    def __post_init__(self) -> None:
        """Look at each."""
        if self.overlay not in ("runs", None):
            _refuse(f"overlay={self.overlay!r}", '"runs" or None')
        if not all(map(callable, self.hearers)):
            _refuse(
                f"on_verdict={self.on_verdict!r}",
                "a function that takes a dict, or several, such as on_verdict=[print]",
            )

    @property
    def hearers(self) -> tuple[Hear, ...]:
        """The functions that hear of a verdict."""
        given = self.on_verdict
        if isinstance(given, (list, tuple)):
            return tuple(given)
        return () if given is None else (cast("Hear", given),)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All options of a `GapMonitor`; those that belong together are one part.

    Attributes:
        losses: Which losses are watched.
        evidence: What is measured beside the curves.
        stop: The rule that stops the run, or None.
        weights: Which weights are kept.
        show: What people are shown.
    """

    losses: Losses
    evidence: Evidence
    stop: Rule | None
    weights: Weights
    show: Show


def rule(stop: object) -> Rule | None:
    """Read the option `stop`: a rule, as such or as text, or None.

    Raises:
        ConfigurationError: It is none of these.
    """
    if stop is None or isinstance(stop, Rule):
        return stop
    if not isinstance(stop, str):
        _refuse(f"stop={stop!r}", "a rule, such as stop=Patience(10), or None to never stop")
    return parse_rule(stop)


def refuse_twins(trainer: "Trainer") -> None:
    """Let there be one monitor a Trainer.

    Raises:
        ConfigurationError: There are several.
    """
    found = len(monitors(trainer))
    if found > 1:
        msg = (
            f"Found {found} GapMonitors in one Trainer; expected one, for they would log "
            "under the same names. Join their rules in one: stop=rule_a | rule_b."
        )
        raise ConfigurationError(msg)


def refuse_missing_loader(trainer: "Trainer", loader: int | None) -> None:
    """Refuse to watch a validation loader that is not there, as soon as they are known.

    Lightning makes them before the first epoch that validates, which need not be the first.

    Raises:
        ConfigurationError: It is not.
    """
    count = len(trainer.num_val_batches)
    if loader is not None and 0 < count <= loader:
        there = "loader 0 is the only one" if count == 1 else f"loaders are 0 to {count - 1}"
        msg = f"Found GapMonitor(loader={loader}); the validation {there}. Choose one of them."
        raise ConfigurationError(msg)


def _can_be_probed(asked: object) -> bool:
    if isinstance(asked, str):
        return read_percent(asked) is not None
    if isinstance(asked, (DataLoader, Dataset)):
        return hasattr(asked.dataset if isinstance(asked, DataLoader) else asked, "__len__")
    return type(asked) is int and asked >= 1


def _refuse(found: str, expected: str) -> NoReturn:
    msg = f"Found GapMonitor({found}); expected {expected}."
    raise ConfigurationError(msg)
