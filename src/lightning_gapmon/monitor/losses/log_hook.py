"""A hook on what a module logs: its own values and weights, before anything is reduced."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule

Receiver = Callable[[str, object, "int | None"], None]


class LogHook:
    """Stands in for `module.log` on one instance while it trains, and passes every call on.

    `log_dict` ends in `log`, so both are seen. A copy or a pickle of the module made meanwhile
    (by an averaging callback, say) has its own `log` there, and knows nothing of a hook.

    Args:
        module: The module whose `log` is hooked.
        receiver: Called with the name, the value and the `batch_size` of each call.
    """

    def __init__(self, module: "LightningModule", receiver: Receiver) -> None:
        self.module, self.receiver = module, receiver
        self._before = vars(module).get("log")  # somebody may have put another on this instance
        self._log = self._before or MethodType(type(module).log, module)
        self._muted = False

    def __call__(self, name: str, value: Any, *args: Any, **settings: Any) -> None:  # noqa: ANN401
        """Log as the module does, then tell the receiver."""
        if torch.compiler.is_dynamo_compiling():
            self._call_uncompiled(name, value, *args, **settings)
            return
        if not self._muted:
            self._log(name, value, *args, **settings)
        self.receiver(name, value, settings.get("batch_size"))

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
        """Put it in the place of the module's `log`."""
        # Not by setattr: a torch module's takes microseconds and knows only what it may hold.
        vars(self.module)["log"] = self

    def detach(self) -> None:
        """Give the module its own `log` back."""
        vars(self.module).pop("log", None)
        if self._before is not None:
            vars(self.module)["log"] = self._before
