"""The mixin: a module says once what its loss is, and both sides use it."""

from numbers import Real
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from lightning_gapmon.errors import ConfigurationError, LossError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_gapmon.monitor.losses.recorder import Recorder

_LIGHTNING = ("lightning.", "pytorch_lightning.")
_STEPS = ("training_step", "validation_step")
# Beside the modules, not in them: a copy or a pickle of a module takes no recorder along.
_RECORDERS: "WeakKeyDictionary[object, Recorder]" = WeakKeyDictionary()


class GapMonitorMixin:
    """For a `LightningModule`, of either package: `class Net(GapMonitorMixin, LightningModule)`.

    Give it `loss_step(batch)`, and it supplies `training_step`, `validation_step` and
    `test_step`, in front of those of a parent; without it a parent's steps are called.
    Or keep your own steps and call `self.track_loss(loss, batch_size=...)` in them, under
    automatic or manual optimisation. Without a `GapMonitor` in the Trainer neither costs or
    changes anything.

    Example:
        >>> from lightning.pytorch import LightningModule
        >>> class Net(GapMonitorMixin, LightningModule):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.layer = torch.nn.Linear(2, 1)
        ...
        ...     def loss_step(self, batch):
        ...         x, y = batch
        ...         return (self.layer(x) - y).square().mean(1)
        >>> Net().training_step((torch.zeros(4, 2), torch.zeros(4, 1)), 0).shape
        torch.Size([])
    """

    def __init_subclass__(cls, **options: Any) -> None:  # noqa: ANN401 - whatever a class takes
        """Refuse an order of bases that hides our steps behind Lightning's empty ones.

        Raises:
            ConfigurationError: `LightningModule` comes first, and a step is left to it.
        """
        super().__init_subclass__(**options)
        for name in _STEPS:
            owner = next(base for base in cls.__mro__ if name in vars(base))
            if owner.__module__.startswith(_LIGHTNING):
                msg = (
                    f"Found {name} of {owner.__name__} before that of GapMonitorMixin; expected "
                    f"the mixin first: class {cls.__name__}(GapMonitorMixin, {owner.__name__})."
                )
                raise ConfigurationError(msg)

    def loss_step(self, batch: Any) -> "Tensor | tuple[Tensor, float | Tensor]":  # noqa: ANN401
        """Compute the loss of a batch, for training, validation and probe alike.

        Returns:
            One loss a sample, `(batch,)` (exact means and error bars), or the batch's mean loss
            `()`, alone or as `(mean, batch_size)` with the number of samples.
        """
        msg = (
            f"{type(self).__name__} has neither a loss_step nor the step that was called; "
            "expected one of them. Write loss_step(self, batch) that returns one loss a sample, "
            'for example F.cross_entropy(self(x), y, reduction="none").'
        )
        raise LossError(msg)

    def targets(self, batch: Any) -> Tensor | None:  # noqa: ANN401
        """Give a batch's targets, `(batch, ...)`, if the monitor shall know what guessing loses.

        For a loss that is a cross-entropy of class indices in nats, or a mean squared error; for
        any other say `GapMonitor(baseline=...)`. A model that does not beat the baseline
        underfits.
        """
        return None

    def training_step(self, batch: Any, *rest: Any) -> Tensor:  # noqa: ANN401
        """Track `loss_step` and return its mean, for the optimiser; else do a parent's step."""
        return self._step("training_step", batch, *rest)

    def validation_step(self, batch: Any, *rest: Any) -> Tensor:  # noqa: ANN401
        """Track `loss_step` and return its mean; else do a parent's step."""
        return self._step("validation_step", batch, *rest)

    def test_step(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Do a parent's step; else track `loss_step` and return its mean."""
        return self._step("test_step", *args, **kwargs)

    def _step(self, name: str, batch: Any, *rest: Any, **named: Any) -> Tensor:  # noqa: ANN401
        step = parents_step(type(self), name)
        own = has_loss_step(self) and not (step and name == "test_step")
        if own or step is None:
            return self.tracked_mean(batch)
        return cast("Tensor", step(self, batch, *rest, **named))

    def tracked_mean(self, batch: Any) -> Tensor:  # noqa: ANN401
        """Track `loss_step` for a batch and give its mean, `()`."""
        loss = self.loss_step(batch)
        if isinstance(loss, tuple):
            _refuse_odd(loss)
            return self.track_loss(loss[0], batch_size=loss[1]).mean()
        return self.track_loss(loss).mean()

    def track_loss(self, loss: Tensor, batch_size: "float | Tensor | None" = None) -> Tensor:
        """Hand a batch's loss to the monitor, once a step, and get it back unchanged.

        Args:
            loss: The batch's mean loss, `()`, or one loss a sample, `(batch,)`; so `(1,)` is the
                loss of one sample, as where a mask leaves no other.
            batch_size: Samples (or tokens) behind a mean; by default the size of the batch.

        Raises:
            LossError: The loss is not a floating-point tensor, or `batch_size` is not one number.
        """
        if torch.compiler.is_dynamo_compiling():
            _track_uncompiled(self, loss, batch_size)
        else:
            _track(self, loss, batch_size)
        return loss


def _track(module: object, loss: Tensor, batch_size: "float | Tensor | None") -> None:
    if not isinstance(loss, Tensor) or not loss.is_floating_point():
        kind = f"a tensor of {loss.dtype}" if isinstance(loss, Tensor) else type(loss).__name__
        msg = (
            f"Found {kind}; expected a floating-point tensor: the batch's mean loss, or one loss "
            "a sample. Return or track the loss itself, before .item() or float()."
        )
        raise LossError(msg)
    recorder = _RECORDERS.get(module)
    if recorder is not None:
        recorder.track(loss, _one_number(batch_size))


# Entering an uncompiled region takes microseconds, also where nothing is compiled.
_track_uncompiled = torch.compiler.disable(_track)


def _one_number(size: "float | Tensor | None") -> "float | Tensor | None":
    if size is None or (isinstance(size, (int, float, Real)) and size >= 0):
        return size
    if isinstance(size, Tensor) and size.numel() == 1:
        return size.detach().reshape(())
    found = f"a tensor of shape {tuple(size.shape)}" if isinstance(size, Tensor) else repr(size)
    msg = (
        f"Found {found} as the batch_size of a loss; expected one number from 0: the samples or "
        "tokens behind the batch's mean loss. Track their mean with batch_size=counts.sum()."
    )
    raise LossError(msg)


def _refuse_odd(loss: tuple[object, ...]) -> None:
    if len(loss) != 2:  # noqa: PLR2004
        msg = (
            f"Found a tuple of {len(loss)} from loss_step; expected one loss a sample, or the "
            "mean with the number of samples: return loss, batch_size."
        )
        raise LossError(msg)


def has_loss_step(module: GapMonitorMixin) -> bool:
    """Tell whether a module says what its loss is."""
    return type(module).loss_step is not GapMonitorMixin.loss_step


def parents_step(kind: type, name: str) -> "Callable[..., Any] | None":
    """Give the step of a class that the mixin stands in front of; None for Lightning's own."""
    behind = kind.__mro__[kind.__mro__.index(GapMonitorMixin) + 1 :]
    owner = next((base for base in behind if name in vars(base)), None)
    if owner is None or owner.__module__.startswith(_LIGHTNING):
        return None
    return cast("Callable[..., Any]", vars(owner)[name])


def hidden_steps(module: object) -> list[str]:
    """Name the steps of a parent that are never called, for `loss_step` takes their place."""
    if not isinstance(module, GapMonitorMixin) or not has_loss_step(module):
        return []
    kind = type(module)
    steps = (name for name in _STEPS if getattr(kind, name) is getattr(GapMonitorMixin, name))
    return [name for name in steps if parents_step(kind, name)]


def connect(module: object, recorder: "Recorder") -> None:
    """Let a module's tracked losses reach a recorder."""
    _RECORDERS[module] = recorder


def disconnect(module: object) -> None:
    """Let a module's tracked losses reach nobody."""
    _RECORDERS.pop(module, None)
