"""The mixin: a loss written once, or tracked in the module's own steps."""

import copy
import io
import math
import pickle
from pathlib import Path
from types import MethodType

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer, callbacks
from tests.fits import Bare, Logging, Marks, Net, fit, loader, trainer
from torch import Tensor, nn

from lightning_gapmon import GapMonitor, GapMonitorMixin
from lightning_gapmon.errors import ConfigurationError, LossError

# The module here breaks the graph where it writes its losses down; torch looks at `.grad` there.
COMPILED = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")


class Tracking(GapMonitorMixin, Bare):
    """Keeps its own steps and tracks one loss a sample."""

    returned: Tensor | None = None

    def training_step(self, batch: list[Tensor], *_: int) -> Tensor:
        """Track, and go on with what comes back."""
        losses = self.losses(batch)
        self.returned = self.track_loss(losses)
        assert self.returned is losses
        return self.returned.mean()

    def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
        """Track the mean and its count."""
        losses = self.losses(batch)
        return self.track_loss(losses.double().mean(), batch_size=len(losses))


def _check(module: Bare, marks: Marks, monitor: GapMonitor) -> None:
    for side in ("train", "val"):
        found = list(getattr(monitor.history, side))

        assert found == pytest.approx(marks.means(module.heard, side), rel=1e-6)
    assert len(monitor.history) == 3


def test_own_steps_track_their_loss(tmp_path: Path) -> None:
    """A module with its own steps tracks its loss and gets the same object back."""
    module, marks = Tracking(), Marks()

    monitor = fit(module, tmp_path, marks)

    _check(module, marks, monitor)


class Adversarial(GapMonitorMixin, Bare):
    """Two optimisers, manual optimisation, and no output: the usual case of a GAN."""

    def __init__(self) -> None:
        super().__init__()
        self.critic = nn.Parameter(torch.ones(()))
        self.automatic_optimization = False

    def training_step(self, batch: list[Tensor], *_: int) -> None:  # type: ignore[override]
        """Step both, track the generator's loss."""
        generator, critic = self.optimizers()  # type: ignore[attr-defined]
        losses = self.track_loss(self.losses(batch))
        for optimizer, loss in ((generator, losses.mean()), (critic, self.critic**2)):
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()

    def validation_step(self, batch: list[Tensor], *_: int) -> None:  # type: ignore[override]
        """Track it."""
        self.track_loss(self.losses(batch))

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:  # type: ignore[override]
        """One for each."""
        return [torch.optim.SGD([one], lr=0.01) for one in (self.weight, self.critic)]


def test_manual_optimisation_with_two_optimisers(tmp_path: Path) -> None:
    """Steps that return nothing are watched, though `global_step` counts both optimisers."""
    module, marks = Adversarial(), Marks()

    monitor = fit(module, tmp_path, marks)

    _check(module, marks, monitor)
    assert monitor.history.step == [6, 12, 18]


def test_it_works_outside_a_trainer() -> None:
    """Steps can be called by hand; nothing is recorded and nothing is needed."""

    class Alone(GapMonitorMixin, LightningModule):
        def loss_step(self, batch: Tensor) -> tuple[Tensor, int]:
            return batch.mean(), len(batch)

    assert Alone().training_step(torch.tensor([1.0, 3.0]), 0).item() == 2.0
    assert Alone().validation_step(torch.tensor([1.0, 3.0]), 0).item() == 2.0


def test_it_works_without_a_monitor(tmp_path: Path) -> None:
    """A module with the mixin trains in a Trainer that has no monitor."""
    module = Net()
    trainer(tmp_path).fit(module, loader(8), loader(8))

    assert module.weight.item() != 1


def test_the_training_step_returns_the_mean(tmp_path: Path) -> None:
    """The optimiser gets the mean of the per-sample losses, with its graph."""
    module = Net()
    module.trainer = trainer(tmp_path)

    loss = module.training_step([torch.tensor([1.0, 3.0])])
    loss.backward()

    assert loss.item() == 2.0
    assert module.weight.grad is not None
    assert module.weight.grad.item() == 2.0


class Copying(Callback):
    """Makes copies of the module while it trains, and uses them."""

    def __init__(self) -> None:
        self.copies: list[Bare] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        """Copy it three ways."""
        buffer = io.BytesIO()
        torch.save(pl_module, buffer)
        buffer.seek(0)
        pickled = pickle.dumps(pl_module)
        assert b"lightning_gapmon.monitor.losses.log_hook" not in pickled
        self.copies = [
            copy.deepcopy(pl_module),  # type: ignore[list-item]
            pickle.loads(pickled),  # noqa: S301
            torch.load(buffer, weights_only=False),
        ]

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: list[Tensor],
        *_: object,
    ) -> None:
        """Use a copy where the module is used."""
        for one in self.copies:
            if isinstance(one, GapMonitorMixin):
                one.track_loss(torch.tensor(1000.0), batch_size=10)


@pytest.mark.parametrize("module_class", [Net, Logging])
def test_copies_made_during_a_fit_record_nothing(module_class: type[Bare], tmp_path: Path) -> None:
    """Averaging callbacks copy the module: their copies work and reach no monitor."""
    module, marks, copying = module_class(), Marks(), Copying()

    monitor = fit(module, tmp_path, marks, copying)

    _check(module, marks, monitor)
    for one in copying.copies:
        assert one is not module
        assert one.weight.item() == module.weight.item()
        for other in (one, copy.deepcopy(one)):
            assert other.log == MethodType(type(module).log, other)


@pytest.mark.skipif(not hasattr(callbacks, "EMAWeightAveraging"), reason="came with 2.6")
def test_an_averaging_callback(tmp_path: Path) -> None:
    """Lightning's own averaging works with the monitor, and validation is on its weights."""
    module, marks = Net(), Marks()

    monitor = fit(module, tmp_path, marks, callbacks.EMAWeightAveraging(decay=0.5))

    _check(module, marks, monitor)


@COMPILED
def test_a_compiled_module_is_recorded(tmp_path: Path) -> None:
    """`torch.compile` in front of the fit changes nothing of what is recorded."""
    module, marks = Tracking(), Marks()
    compiled = torch.compile(module, backend="eager")

    monitor = fit(compiled, tmp_path, marks)  # type: ignore[arg-type]

    _check(module, marks, monitor)


@COMPILED
def test_a_compiled_module_that_logs(tmp_path: Path) -> None:
    """Neither does it where the losses are heard at `self.log`."""
    module, marks = Logging(), Marks()
    compiled = torch.compile(module, backend="eager")

    monitor = fit(compiled, tmp_path, marks)  # type: ignore[arg-type]

    _check(module, marks, monitor)


def test_half_precision_is_widened(tmp_path: Path) -> None:
    """Losses of a module in bfloat16 are summed in float64."""
    module, marks = Net(), Marks()

    monitor = fit(module, tmp_path, marks, precision="bf16-true")

    _check(module, marks, monitor)


def test_the_wrong_order_of_bases_is_told() -> None:
    """Behind LightningModule the mixin's steps would be hidden; own steps need none of them."""
    said = "Found training_step of LightningModule before that of GapMonitorMixin; expected the "
    with pytest.raises(ConfigurationError, match=said) as caught:
        type("Net", (LightningModule, GapMonitorMixin), {})

    assert "class Net(GapMonitorMixin, LightningModule)" in str(caught.value)
    own = {"training_step": Bare.training_step, "validation_step": Bare.validation_step}
    type("Own", (LightningModule, GapMonitorMixin), own)


def test_a_module_without_a_loss_is_told() -> None:
    """The error names the module and what to write."""

    class Empty(GapMonitorMixin, LightningModule):
        pass

    with pytest.raises(LossError) as raised:
        Empty().training_step(torch.ones(2))

    assert str(raised.value) == (
        "Empty has neither a loss_step nor the step that was called; expected one of them. Write "
        "loss_step(self, batch) that returns one loss a sample, for example "
        'F.cross_entropy(self(x), y, reduction="none").'
    )


# What is no loss, and how it is described.
NO_LOSSES = [
    (3.5, "float"),
    (None, "NoneType"),
    (torch.ones(2, dtype=torch.long), "a tensor of torch.int64"),
]


@pytest.mark.parametrize(("loss", "found"), NO_LOSSES)
def test_what_is_no_loss_is_refused(loss: Tensor, found: str) -> None:
    """Also without a monitor, so that it is found at the first step."""
    with pytest.raises(LossError) as raised:
        GapMonitorMixin().track_loss(loss)

    assert str(raised.value) == (
        f"Found {found}; expected a floating-point tensor: the batch's mean loss, or one loss a "
        "sample. Return or track the loss itself, before .item() or float()."
    )


# What is no count, and how it is described.
NO_SIZES = [
    (torch.ones(3), "a tensor of shape (3,)"),
    ("3", "'3'"),
    (-1, "-1"),
    (math.nan, "nan"),
]


@pytest.mark.parametrize(("size", "found"), NO_SIZES)
def test_what_is_no_batch_size_is_refused(size: Tensor, found: str, tmp_path: Path) -> None:
    """The samples behind a mean are one number."""

    class Odd(Net):
        def loss_step(self, batch: list[Tensor]) -> tuple[Tensor, Tensor]:
            return self.losses(batch).mean(), size

    with pytest.raises(LossError) as raised:
        fit(Odd(), tmp_path)

    assert str(raised.value) == (
        f"Found {found} as the batch_size of a loss; expected one number from 0: the samples or "
        "tokens behind the batch's mean loss. Track their mean with batch_size=counts.sum()."
    )


def test_a_tuple_of_another_length_is_refused() -> None:
    """A loss step gives a loss, or a mean with its batch size."""

    class Three(GapMonitorMixin, LightningModule):
        def loss_step(self, batch: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
            return batch, batch, batch

    with pytest.raises(LossError) as raised:
        Three().training_step(torch.ones(2))

    assert str(raised.value) == (
        "Found a tuple of 3 from loss_step; expected one loss a sample, or the mean with the "
        "number of samples: return loss, batch_size."
    )
