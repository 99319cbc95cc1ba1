"""Exact means in a real fit, against plain arithmetic on the losses that the module had."""

import math
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import GradientAccumulationScheduler
from packaging.version import Version
from tests.fits import Bare, Logging, Marks, Net, Stream, fit, loader, mean, values
from torch import Tensor
from torch.utils.data import DataLoader

from lightning_gapmon import GapMonitor


def _check(module: Bare, marks: Marks, monitor: GapMonitor) -> None:
    """Compare a history with the arithmetic, both sides, every check."""
    assert len(monitor.history) == len(marks.at) - 1 > 0
    assert list(monitor.history.train) == pytest.approx(
        marks.means(module.heard, "train"), rel=1e-14
    )
    assert list(monitor.history.val) == pytest.approx(marks.means(module.heard, "val"), rel=1e-14)


class Mean(Net):
    """Gives the mixin the batch's mean."""

    def loss_step(self, batch: list[Tensor]) -> Tensor:
        """Give the mean."""
        return self.losses(batch).double().mean()


class MeanAndCount(Net):
    """Gives the mixin the batch's mean and its count."""

    def loss_step(self, batch: list[Tensor]) -> tuple[Tensor, int]:
        """Give both."""
        return self.losses(batch).double().mean(), len(batch[0])


class Returning(Bare):
    """Returns its mean loss from both steps."""

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Return the loss."""
        return self.losses(batch).double().mean()

    def validation_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Return the loss."""
        return self.losses(batch).double().mean()


class Doubles(Logging):
    """Logs means that are not rounded to float32 first, so that the oracle can be sharp."""

    def losses(self, batch: list[Tensor]) -> Tensor:
        """Give them in float64."""
        return super().losses(batch).double()


MODULES = [Net, Mean, MeanAndCount, Returning, Doubles]
SETTINGS: dict[str, dict[str, Any]] = {
    "short last batches": {},
    "accumulation": {"accumulate_grad_batches": 2},
    "mid-epoch": {"val_check_interval": 2},
    "every batch": {"val_check_interval": 1},
    "every second epoch": {"check_val_every_n_epoch": 2, "max_epochs": 4},
    "across epochs": {"check_val_every_n_epoch": None, "val_check_interval": 5},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=list(SETTINGS))
@pytest.mark.parametrize("module_class", MODULES)
def test_means_are_over_samples(
    module_class: type[Bare], settings: dict[str, Any], tmp_path: Path
) -> None:
    """Whatever the source of the losses and the rhythm of the checks."""
    module, marks = module_class(), Marks()

    monitor = fit(module, tmp_path, marks, train=18, val=7, **settings)

    _check(module, marks, monitor)
    assert monitor.history[0].val_n == 7


def test_batches_of_many_sizes(tmp_path: Path) -> None:
    """A batch sampler may give batches of any sizes."""
    sizes = [[0], [1, 2, 3, 4], [5, 6], [7], [8]]
    train: Any = DataLoader(values(9), batch_sampler=sizes)  # type: ignore[arg-type]
    module, marks = Listed(), Marks()

    monitor = fit(module, tmp_path, marks, train=train, val=DataLoader(values(5), batch_size=3))  # type: ignore[arg-type]

    _check(module, marks, monitor)


class Listed(Net):
    """Takes batches that are plain tensors."""

    def loss_step(self, batch: Tensor) -> Tensor:
        """Give one loss a sample."""
        return self.losses([batch])


@pytest.mark.parametrize("interval", [1.0, 2])
def test_streams_of_unknown_length(interval: float, tmp_path: Path) -> None:
    """Iterable datasets work, checked at their end or every so many batches."""
    module, marks = Net(), Marks()
    train, val = (DataLoader(Stream(values(n, n)), batch_size=4) for n in (19, 6))

    monitor = fit(module, tmp_path, marks, train=train, val=val, val_check_interval=interval)

    _check(module, marks, monitor)


@pytest.mark.parametrize("module_class", [Returning, Doubles])
def test_accumulated_gradients_leave_the_raw_loss(
    module_class: type[Bare], tmp_path: Path
) -> None:
    """Lightning divides the loss by a number of batches that changes; the monitor shows it raw."""
    module, marks = module_class(), Marks()
    schedule = GradientAccumulationScheduler(scheduling={0: 1, 1: 4, 2: 3})

    monitor = fit(module, tmp_path, marks, schedule, train=18, max_epochs=4)

    _check(module, marks, monitor)


def test_several_validation_loaders(tmp_path: Path) -> None:
    """Each has its loss, and all samples together have one."""
    module = Net(lr=0.0)
    loaders = [loader(n) for n in (5, 9, 2)]

    monitor = fit(module, tmp_path, val=loaders, max_epochs=1, num_sanity_val_steps=0)

    heard = iter(module.heard["val"])
    parts = [[next(heard) for _ in batches] for batches in loaders]
    assert monitor.history[0].loaders == pytest.approx([mean(part) for part in parts], rel=1e-14)
    assert list(monitor.history.val) == pytest.approx(
        [mean([b for p in parts for b in p])], rel=1e-14
    )
    assert monitor.history[0].val_n == 16


def test_several_validation_loaders_by_logged_names(tmp_path: Path) -> None:
    """One logged name with Lightning's suffix a loader is one loss, each loader weighed."""
    module = Doubles()
    loaders = [loader(n) for n in (5, 9)]

    monitor = fit(module, tmp_path, val=loaders, max_epochs=1, num_sanity_val_steps=0)

    assert list(monitor.history.val) == pytest.approx([mean(module.heard["val"])], rel=1e-14)
    assert len(monitor.history[0].loaders) == 2


@pytest.mark.skipif(Version(lightning.__version__) < Version("2.6"), reason="refused before 2.6")
@pytest.mark.parametrize(
    "dataloader_names", ["val_loss/dataloader_idx_{}", "val/dataloader_idx_{}/loss"]
)
def test_names_that_hold_their_loader(dataloader_names: str, tmp_path: Path) -> None:
    """A module that puts the loader's number into the name itself is understood as well."""

    class Numbered(Doubles):
        def validation_step(self, batch: list[Tensor], *index: int) -> None:
            name = dataloader_names.format(index[1])
            self.log(name, self.losses(batch).mean(), add_dataloader_idx=False)

    module = Numbered()

    monitor = fit(module, tmp_path, val=[loader(5), loader(9)], max_epochs=1)

    assert list(monitor.history.val) == pytest.approx([mean(module.heard["val"])], rel=1e-14)
    assert len(monitor.history[0].loaders) == 2


def test_the_error_is_that_of_the_samples(tmp_path: Path) -> None:
    """With one loss a sample the standard error is `s / sqrt(n)`."""
    module = Net(lr=0.0)
    val = values(50)

    monitor = fit(module, tmp_path, val=val, max_epochs=1)

    expected = float(val.double().std() / math.sqrt(50))
    assert monitor.history[0].val_stderr == pytest.approx(expected, rel=1e-9)


class Tokens(Net):
    """Has sequences of different lengths; the loss of a token is what counts."""

    def loss_step(self, batch: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Give the mean over the tokens and how many there are, both on the device."""
        losses = self.losses(batch).double()
        tokens = torch.arange(1, len(losses) + 1)
        return (losses * tokens).sum() / tokens.sum(), tokens.sum()


def test_counts_may_be_tensors_on_the_device(tmp_path: Path) -> None:
    """Means over tokens weigh each batch by its tokens, without a wait for their number."""
    module = Tokens(lr=0.0)
    val = values(7).double()

    monitor = fit(module, tmp_path, val=val, max_epochs=1, precision="64-true")

    weights = torch.tensor([1, 2, 3, 4, 1, 2, 3]).double()
    expected = float((val * weights).sum() / weights.sum())
    assert list(monitor.history.val) == pytest.approx([expected], rel=1e-12)


def test_one_value_a_token_weighs_each_token(tmp_path: Path) -> None:
    """Losses of shape (batch, tokens) are means over tokens, their error one over samples."""

    class Grid(Net):
        def loss_step(self, batch: list[Tensor]) -> Tensor:
            return self.losses(batch).repeat(3, 1).T.contiguous()

    module = Grid(lr=0.0)

    monitor = fit(module, tmp_path, max_epochs=1)

    seen = monitor.history[0]
    assert seen.val == pytest.approx(mean(module.heard["val"]), rel=1e-12)
    assert seen.val_n == 21
    flat = torch.tensor([loss for batch in module.heard["val"] for loss in batch])
    assert seen.val_stderr == pytest.approx(float(flat.double().std() / math.sqrt(7)), rel=1e-9)


def test_a_mean_of_shape_one_weighs_its_batch(tmp_path: Path) -> None:
    """A returned mean of shape (1,) stands for all samples of its batch, not for one."""

    class Boxed(Bare):
        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            return self.losses(batch).double().mean().reshape(1)

        def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
            return self.training_step(batch, 0)

    module, marks = Boxed(), Marks()

    monitor = fit(module, tmp_path, marks)

    _check(module, marks, monitor)


def test_samples_with_a_count_weigh_as_much(tmp_path: Path) -> None:
    """One loss a sample and the number of tokens behind them all: the number is kept."""

    class Counted(Net):
        def loss_step(self, batch: list[Tensor]) -> tuple[Tensor, int]:
            losses = self.losses(batch)
            return losses, 10 * len(losses)

    module, marks = Counted(), Marks()

    monitor = fit(module, tmp_path, marks)

    _check(module, marks, monitor)
    assert monitor.history[0].val_n == 70


def test_an_empty_batch_weighs_nothing(tmp_path: Path) -> None:
    """A batch that was filtered down to nothing has no loss a sample, and spoils no mean."""

    class Filtering(Net):
        def loss_step(self, batch: list[Tensor]) -> Tensor:
            losses = self.losses(batch)
            return losses if self.training or batch[0][0] == first else losses[:0]

    first = values(7, seed=7)[0]
    module = Filtering(lr=0.0)

    monitor = fit(module, tmp_path, max_epochs=1, num_sanity_val_steps=0)

    assert list(monitor.history.val) == pytest.approx([mean(module.heard["val"][:1])], rel=1e-14)
    assert monitor.history[0].val_n == 4
