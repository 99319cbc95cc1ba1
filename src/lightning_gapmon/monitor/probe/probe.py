"""The probe: train loss in eval mode, at the very weights that validation uses."""

import itertools
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lightning_gapmon.analysis.wording import read_percent
from lightning_gapmon.collect.unchanged import (
    unchanged_attributes,
    unchanged_metrics,
    unchanged_random_state,
)
from lightning_gapmon.monitor import console
from lightning_gapmon.monitor.checks.rank_zero import Spent
from lightning_gapmon.monitor.compat import to_device
from lightning_gapmon.monitor.fence import switched_off
from lightning_gapmon.monitor.losses.mixin import GapMonitorMixin, has_loss_step
from lightning_gapmon.monitor.losses.watched import SOURCES
from lightning_gapmon.monitor.probe.batches import Amount, ProbeBatches

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer
    from torch.utils.data import DataLoader, Dataset

    from lightning_gapmon.monitor.checks.rank_zero import RankZero
    from lightning_gapmon.monitor.losses.log_hook import LogHook
    from lightning_gapmon.monitor.losses.recorder import Recorder


class Probe:
    """Reads training batches again through the validation step, without a trace.

    It runs once a check, when validation's first batch is about to: then the module is in eval
    mode, and callbacks that average weights have put theirs in. Weights, random state, the
    user's metrics and logs stay as they are, and so do the module's own lists and counters.

    It only watches: what fails in it is said once, and the fit goes on without it. On several
    ranks that takes all of them, so they agree where the first batch has been read, and once
    where the first step has been done; an error of one rank alone after that ends the fit, for
    the others may wait for it in the middle of a forward pass.

    Args:
        batches: Which batches it reads.
    """

    def __init__(self, batches: ProbeBatches) -> None:
        self.batches = batches
        self.due = False
        self.last = 0.0
        self._is_off = self._is_proven = False
        self._failure: Exception | None = None

    def keep(self, trainer: "Trainer", batch: object) -> None:
        """Keep a batch that is about to be trained on, where it will not come again."""
        if self._is_off or self._failure:
            return
        try:
            self.batches.keep(trainer, batch)
        except Exception as error:  # noqa: BLE001 - a batch that cannot be copied, say
            self._failure = error

    def fit_amount(self, rank_zero: "RankZero") -> None:
        """Keep to the amount from the next check on."""
        self.batches.fit_amount(rank_zero)

    @property
    def spent(self) -> Spent:
        """What it has spent so far."""
        return Spent(self.last, self.batches.seconds, self.batches.read)

    def run(
        self, trainer: "Trainer", module: "LightningModule", recorder: "Recorder", hook: "LogHook"
    ) -> None:
        """Read the batches, once a check."""
        if self._is_off or not self.due:
            return
        self.due, start = False, time.monotonic()
        with (
            unchanged_random_state(),
            hook.muted(),
            unchanged_metrics(module),
            unchanged_attributes(module),
            _own_step(module),
        ):
            failure = self._go_through(self._steps(trainer, module, recorder), trainer)
        if failure is not None:
            self._switch_off(trainer, recorder, failure)
        self.last = time.monotonic() - start

    def _steps(
        self, trainer: "Trainer", module: "LightningModule", recorder: "Recorder"
    ) -> Iterator[None]:
        """Pause when the first batch has been read, and after each step."""
        if self._failure is not None:
            raise self._failure
        batches = self.batches.batches(trainer)
        first = list(itertools.islice(batches, 1))
        yield
        for index, (batch, is_new) in enumerate(itertools.chain(first, batches)):
            ready = to_device(trainer, module, batch) if is_new else batch
            with recorder.step("probe", ready):
                outputs = trainer.strategy.validation_step(*_arguments(trainer, ready, index))
                recorder.returned(outputs)
            yield

    def _go_through(self, steps: Iterator[None], trainer: "Trainer") -> Exception | None:
        """Take all steps, or give what came in their way: on all ranks, or raise it on one."""
        together = trainer.world_size > 1
        votes = 0 if not together else 1 if self._is_proven else 2
        done, failure = False, None
        while not done or votes:
            done, failure = _next(steps)
            if votes:
                votes -= 1
                if not trainer.strategy.reduce_boolean_decision(failure is None, all=True):
                    return failure or _ElsewhereError("another rank could not go on")
            elif together and failure is not None:
                raise failure
        self._is_proven = True
        return failure

    def _switch_off(self, trainer: "Trainer", recorder: "Recorder", failure: Exception) -> None:
        """Forget what was read at this check, and say so where the reason is known."""
        self._is_off = True
        for source in SOURCES:
            recorder.meter("probe", source).reset()
        if trainer.is_global_zero or not isinstance(failure, _ElsewhereError):
            with console.above_bar():
                warnings.warn(switched_off("probe", failure), stacklevel=2)


class _ElsewhereError(RuntimeError):
    """Another rank has failed, which says why."""


def make_probe(asked: "int | str | DataLoader[Any] | Dataset[Any] | None") -> Probe | None:
    """Make the probe that the option asks for, or none."""
    if asked is None:
        return None
    if isinstance(asked, int):
        return Probe(ProbeBatches(Amount(batches=asked)))
    if isinstance(asked, str):
        return Probe(ProbeBatches(Amount(share=read_percent(asked))))
    return Probe(ProbeBatches(Amount(), asked))


def _next(steps: Iterator[None]) -> tuple[bool, Exception | None]:
    """Take a step: tell whether there was none left, or what went wrong."""
    try:
        next(steps)
    except StopIteration:
        return True, None
    except Exception as error:  # noqa: BLE001 - the user's data and step may raise anything
        return True, error
    return False, None


def _arguments(trainer: "Trainer", batch: object, index: int) -> list[Any]:
    """Give a validation step its arguments: the loader's index only where there are several."""
    return [batch, index, 0] if len(trainer.num_val_batches) > 1 else [batch, index]


@contextmanager
def _own_step(module: "LightningModule") -> Iterator[None]:
    """Let `loss_step` stand in for the validation step, whose side effects nobody could undo."""
    if not (isinstance(module, GapMonitorMixin) and has_loss_step(module)):
        yield
        return
    own: GapMonitorMixin = module
    before = {name: step for name, step in vars(module).items() if name == "validation_step"}
    vars(module)["validation_step"] = lambda batch, *_: own.tracked_mean(batch)
    try:
        yield
    finally:
        vars(module).pop("validation_step")
        vars(module).update(before)  # a compiled step is an attribute of the instance
