"""A hook on what a module logs: its own values and weights, before anything is reduced."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MethodType
from typing import TYPE_CHECKING, Any

import torch

from lightning_gapmon.monitor.compat import trainer_callbacks

if TYPE_CHECKING:
    from lightning.pytorch import Callback, LightningModule, Trainer

Receiver = Callable[[str, object, Mapping[str, Any]], None]
# Of `LightningModule.log`, in their order; the same in 2.4.0 and 2.6.6.
_PARAMETERS = (
    *("name", "value", "prog_bar", "logger", "on_step", "on_epoch", "reduce_fx"),
    *("enable_graph", "sync_dist", "sync_dist_group", "add_dataloader_idx", "batch_size"),
)


class LogHook:
    """Stands in for `module.log` on one instance while it trains, and passes every call on.

    `log_dict` ends in `log`, so both are seen. A copy or a pickle of the module made meanwhile
    (by an averaging callback, say) has its own `log` there, and knows nothing of a hook.

    Args:
        module: The module whose `log` is hooked.
        receiver: Called with the name, the value and all else that a call gives by name.
        callbacks: Those that log through the module, each by a `log` of its own.
    """

    def __init__(
        self, module: "LightningModule", receiver: Receiver, callbacks: "Sequence[Callback]" = ()
    ) -> None:
        self.module, self.receiver = module, receiver
        self._before = vars(module).get("log")  # somebody may have put another on this instance
        self._log = self._before or MethodType(type(module).log, module)
        self._callbacks = [one for one in callbacks if vars(one).get("log") == self._log]
        self._muted = self._is_attached = False

    @property
    def has_callbacks(self) -> bool:
        """Whether there are callbacks that log through the module."""
        return bool(self._callbacks)

    def __call__(self, *args: Any, **settings: Any) -> Any:  # noqa: ANN401 - a module's own `log`
        """Log as the module does, tell the receiver, and return what the module's `log` does."""
        if torch.compiler.is_dynamo_compiling():
            return self._call_uncompiled(*args, **settings)
        answer = None if self._muted else self._log(*args, **settings)
        if len(args) == 2:  # noqa: PLR2004 - nearly always: a name and a value
            name, value = args
        else:
            settings = {**dict(zip(_PARAMETERS, args, strict=False)), **settings}
            name, value = settings.get("name"), settings.get("value")
        if self._is_attached and isinstance(name, str):  # a module's own `log` may take others
            self.receiver(name, value, settings)
        return answer

    # Entering an uncompiled region takes microseconds, also where nothing is compiled.
    _call_uncompiled = torch.compiler.disable(__call__)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Tell the receiver without letting anything be logged."""
        self._muted = True
        try:
            yield
        finally:
            self._muted = False

    def __reduce__(self) -> tuple[object, tuple[object, str]]:
        """Give a copy of the module its own `log`: it is still empty when it is asked for it."""
        return getattr, (self.module, "log")

    def attach(self) -> None:
        """Put it in the place of the module's `log`, and of that which callbacks were given."""
        self._is_attached = True
        for owner in (self.module, *self._callbacks):
            # Not by setattr: a torch module's takes microseconds and knows only what it may hold.
            vars(owner)["log"] = self

    def detach(self) -> None:
        """Give the module its own `log` back, unless it has been given another meanwhile."""
        self._is_attached = False
        for callback in self._callbacks:
            vars(callback)["log"] = self._log
        if vars(self.module).get("log") is self:
            del vars(self.module)["log"]
            if self._before is not None:
                vars(self.module)["log"] = self._before


def foreign_callbacks(trainer: "Trainer") -> list["Callback"]:
    """List the callbacks that are neither Lightning's nor ours, and may log anything."""
    known = ("lightning", "pytorch_lightning", "lightning_gapmon")
    callbacks = trainer_callbacks(trainer)
    return [one for one in callbacks if type(one).__module__.partition(".")[0] not in known]
