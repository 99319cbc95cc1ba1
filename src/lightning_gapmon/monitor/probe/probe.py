"""The probe: train loss in eval mode, at the very weights that validation uses."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lightning.pytorch.utilities.seed import isolate_rng

from lightning_gapmon.analysis.percentage import read_share
from lightning_gapmon.collect.attributes import kept
from lightning_gapmon.collect.metrics import untouched
from lightning_gapmon.monitor.compat import to_device
from lightning_gapmon.monitor.losses.mixin import GapMonitorMixin
from lightning_gapmon.monitor.probe.batches import Budget, Subset

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

    Args:
        subset: Which batches it reads.
    """

    def __init__(self, subset: Subset) -> None:
        self.subset = subset
        self.due = False
        self.last = 0.0

    @property
    def seconds(self) -> float:
        """Time that it has taken so far."""
        return self.subset.seconds

    @property
    def read(self) -> float:
        """Batches that it has read so far."""
        return self.subset.read

    @property
    def batches(self) -> int:
        """Batches that it reads at a check, where that follows a budget."""
        return self.subset.used

    def keep(self, trainer: "Trainer", batch: object) -> None:
        """Keep a batch that is being trained on, where the data cannot be asked for it again."""
        self.subset.keep(trainer, batch)

    def budget(self, rank_zero: "RankZero") -> None:
        """Keep to the budget from the next check on."""
        self.subset.fit_budget(rank_zero)

    def resume(self, batches: int) -> None:
        """Read as much as before the resume at once."""
        self.subset.resume(batches)

    def run(
        self, trainer: "Trainer", module: "LightningModule", recorder: "Recorder", hook: "LogHook"
    ) -> None:
        """Read the subset, once a check."""
        if not self.due:
            return
        self.due, start = False, time.monotonic()
        with isolate_rng(), hook.muted(), untouched(module), kept(module), _own_step(module):
            for index, (batch, is_new) in enumerate(self.subset.batches(trainer)):
                ready = to_device(trainer, module, batch) if is_new else batch
                with recorder.step("probe", ready):
                    outputs = trainer.strategy.validation_step(*_arguments(trainer, ready, index))
                    recorder.returned(outputs)
        self.last = time.monotonic() - start


def make_probe(asked: "int | str | DataLoader[Any] | Dataset[Any] | None") -> Probe | None:
    """Make the probe that the option asks for, or none."""
    if asked is None:
        return None
    if isinstance(asked, int):
        return Probe(Subset(Budget(batches=asked)))
    if isinstance(asked, str):
        return Probe(Subset(Budget(share=read_share(asked))))
    return Probe(Subset(Budget(), asked))


def _arguments(trainer: "Trainer", batch: object, index: int) -> list[Any]:
    """Give a validation step its arguments: the loader's index only where there are several."""
    return [batch, index, 0] if len(trainer.num_val_batches) > 1 else [batch, index]


@contextmanager
def _own_step(module: "LightningModule") -> Iterator[None]:
    """Let `loss_step` stand in for the validation step, whose side effects nobody could undo."""
    if not (isinstance(module, GapMonitorMixin) and _has_loss_step(module)):
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


def _has_loss_step(module: GapMonitorMixin) -> bool:
    return type(module).loss_step is not GapMonitorMixin.loss_step
