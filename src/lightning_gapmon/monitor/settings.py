"""What the callback was asked for, refused where it cannot work."""

from typing import TYPE_CHECKING

from lightning_gapmon.analysis.rules.rule import Rule
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.monitor.checkpoint import GapCheckpoint
from lightning_gapmon.monitor.compat import trainer_callbacks
from lightning_gapmon.monitor.listener import Listener
from lightning_gapmon.monitor.names import Stage

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
    if stop is not None and not isinstance(stop, Rule):
        _refuse(f"stop={stop!r}", "a rule, such as stop=Patience(10), or None to never stop")
    if not isinstance(checkpoint, (bool, GapCheckpoint)):
        _refuse(f"checkpoint={checkpoint!r}", "True, False or a GapCheckpoint(...)")


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
