"""What the callback was asked for, refused where it cannot work."""

import math
from typing import TYPE_CHECKING, Any

from torch.utils.data import DataLoader, Dataset

from lightning_gapmon.analysis.loss_names import Side as Stage
from lightning_gapmon.analysis.percentage import read_share
from lightning_gapmon.analysis.rules.rule import Rule
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.monitor.checkpoints.checkpoint import GapCheckpoint
from lightning_gapmon.monitor.compat import trainer_callbacks
from lightning_gapmon.monitor.listener import Listener
from lightning_gapmon.monitor.probe.batches import Amount, ProbeBatches
from lightning_gapmon.monitor.probe.probe import Probe

if TYPE_CHECKING:
    from lightning.pytorch import Trainer


def refuse_odd(
    *, train: object, val: object, count: object, stop: object, checkpoint: object
) -> None:
    """Look at each argument.

    Raises:
        ConfigurationError: One cannot work.
    """
    for side, name in (("train", train), ("val", val)):
        if name is not None and not (isinstance(name, str) and name):
            _refuse(f"{side}={name!r}", f'a logged name, such as {side}="{side}_loss"')
    if train is not None and train == val:
        _refuse(f"train={train!r} and val={val!r}", "two names, one for each side")
    if count is not None and not callable(count):
        _refuse(
            f"count={count!r}", "a function of a batch, such as count=lambda batch: len(batch[0])"
        )
    if stop is not None and not isinstance(stop, (Rule, str)):
        _refuse(f"stop={stop!r}", "a rule, such as stop=Patience(10), or None to never stop")
    if not isinstance(checkpoint, (bool, GapCheckpoint)):
        _refuse(f"checkpoint={checkpoint!r}", "True, False or a GapCheckpoint(...)")


def refuse_odd_probe(wanted: object) -> None:
    """Look at what the probe should read.

    Raises:
        ConfigurationError: It cannot be read, or is no amount.
    """
    amount = type(wanted) is int and wanted >= 1
    share = isinstance(wanted, str) and read_share(wanted) is not None
    data = isinstance(wanted, (DataLoader, Dataset)) and hasattr(_dataset(wanted), "__len__")
    if not (wanted is None or amount or share or data):
        _refuse(
            f"probe={wanted!r}",
            'a number of batches from 1, a share of validation\'s time such as probe="5%", or a '
            "loader or dataset with a length",
        )


def refuse_odd_evidence(*, leakage: object, baseline: object) -> None:
    """Look at what the diagnosis should know beside the curves.

    Raises:
        ConfigurationError: It is no number that can be used.
    """
    if leakage is not None and not (type(leakage) is int and leakage >= 1):
        _refuse(f"leakage={leakage!r}", "a number of samples to compare, such as leakage=10_000")
    if baseline is not None and not (
        isinstance(baseline, (int, float)) and math.isfinite(baseline)
    ):
        _refuse(f"baseline={baseline!r}", "the loss of a trivial predictor, such as baseline=2.3")


def _dataset(data: object) -> object:
    return data.dataset if isinstance(data, DataLoader) else data


def probe(wanted: "int | str | DataLoader[Any] | Dataset[Any] | None") -> Probe | None:
    """Make the probe that was asked for."""
    if wanted is None:
        return None
    if isinstance(wanted, int):
        return Probe(ProbeBatches(Amount(batches=wanted)))
    if isinstance(wanted, str):
        return Probe(ProbeBatches(Amount(share=read_share(wanted))))
    return Probe(ProbeBatches(Amount(), wanted))


def refuse_twins(trainer: "Trainer") -> None:
    """Let there be one monitor a Trainer.

    Raises:
        ConfigurationError: There are several.
    """
    monitors = [one for one in trainer_callbacks(trainer) if isinstance(one, Listener)]
    if len(monitors) > 1:
        msg = (
            f"Found {len(monitors)} GapMonitors in one Trainer; expected one, for they would log "
            "under the same names. Join their rules in one: stop=rule_a | rule_b."
        )
        raise ConfigurationError(msg)


def _refuse(found: str, expected: str) -> None:
    msg = f"Found GapMonitor({found}); expected {expected}."
    raise ConfigurationError(msg)


def names(*, train: str | None, val: str | None) -> dict[Stage, str]:
    """Keep the names that were given."""
    given: dict[Stage, str | None] = {"train": train, "val": val}
    return {stage: name for stage, name in given.items() if name is not None}
