"""What had been heard when a checkpoint was written counts once a run is resumed from it."""

from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from packaging.version import Version
from tests.fits import Net, trainer
from torch import Tensor
from torch.utils.data import DataLoader

from lightning_gapmon import GapMonitor

pytestmark = [  # what Lightning says of a resume, and is meant here
    pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`:UserWarning"),
    pytest.mark.filterwarnings("ignore:You're resuming from a checkpoint that ended:UserWarning"),
    pytest.mark.skipif(
        Version(lightning.__version__) < Version("2.6"),
        reason="resumed in the middle of an epoch, Lightning repeats a batch before 2.6",
    ),
]
TRAIN = torch.arange(1.0, 9.0)  # one sample a batch: 1 to 8, whose mean is 4.5
VAL = torch.tensor([2.0, 4.0, 6.0, 12.0])  # 6, and 3 of the first two


class Resumable(DataLoader[tuple[Tensor, ...]]):
    """Serves values one by one and knows its place, as a loader that is resumed must."""

    def __init__(self, values: Tensor) -> None:
        super().__init__([(value,) for value in values], batch_size=1)  # type: ignore[arg-type]
        self.values, self.given, self.first = values, 0, 0

    def __iter__(self) -> Any:  # noqa: ANN401 - an iterator of batches
        """Go on where it was left, once."""
        self.given, self.first = self.first, 0
        for value in self.values[self.given :]:
            self.given += 1
            yield [value[None]]

    def state_dict(self) -> dict[str, int]:
        """Tell how many were given."""
        return {"given": self.given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on behind them."""
        self.first = state["given"]


class ByHand(Net):
    """Steps its optimiser by itself, and not Lightning's way: `global_step` stays at 0."""

    def __init__(self) -> None:
        super().__init__(lr=0.0)
        self.automatic_optimization = False

    def training_step(self, batch: list[Tensor], *_: int) -> Tensor:
        """Give the losses to the mixin."""
        return self.track_loss(self.losses(batch)).mean()


class Save(Callback):
    """Saves after so many training batches."""

    def __init__(self, path: Path, batches: int) -> None:
        self.path, self.batches = path, batches

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:  # noqa: ANN401
        """Save."""
        if args[-1] + 1 == self.batches:
            trainer.save_checkpoint(self.path)


def _fit(
    folder: Path,
    module: LightningModule,
    *callbacks: Callback,
    **settings: Any,  # noqa: ANN401 - for the Trainer
) -> GapMonitor:
    monitor = GapMonitor(stop=None, checkpoint=False, summary=False)
    path = settings.pop("ckpt_path", None)
    runner = trainer(folder, monitor, *callbacks, **{"max_epochs": 1, **settings})
    runner.fit(module, Resumable(TRAIN), Resumable(VAL), ckpt_path=path)
    return monitor


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (lambda: Net(lr=0.0), {"accumulate_grad_batches": 8}),
        (ByHand, {}),
        (lambda: Net(lr=0.0), {}),
    ],
    ids=["accumulating", "by hand", "a step a batch"],
)
@pytest.mark.parametrize("batches", [1, 3, 7])
def test_what_was_heard_before_the_save_counts(
    kind: Any,  # noqa: ANN401 - makes a module
    settings: dict[str, Any],
    batches: int,
    tmp_path: Path,
) -> None:
    """Whether or not an optimiser has stepped: 4.5 over 8, and not 6 over 5."""
    path = tmp_path / "cut.ckpt"
    whole = _fit(tmp_path, kind(), Save(path, batches), **settings)
    resumed = _fit(tmp_path, kind(), ckpt_path=path, **settings)

    assert [(seen.train, seen.train_n) for seen in whole.history] == [(4.5, 8)]
    assert [(seen.train, seen.train_n) for seen in resumed.history] == [(4.5, 8)]
    assert resumed.history.end[-1] == whole.history.end[-1]


class SaveAtError(Callback):
    """Saves as `OnExceptionCheckpoint` does."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_exception(self, trainer: Trainer, *_: object) -> None:
        """Save."""
        trainer.save_checkpoint(self.path)


class Fails(Net):
    """Raises once, at a batch of a validation."""

    def __init__(self, epoch: int, batch: int) -> None:
        super().__init__(lr=0.0)
        self.fails = (epoch, batch)

    def validation_step(self, batch: list[Tensor], batch_idx: int, *_: int) -> Tensor:
        """Raise, or give the loss."""
        if not self.trainer.sanity_checking and self.fails == (
            self.trainer.current_epoch,
            batch_idx,
        ):
            raise MemoryError
        return super().validation_step(batch, batch_idx)


@pytest.mark.parametrize("epoch", [0, 1])
@pytest.mark.parametrize("batch", [0, 1, 2, 3])
def test_a_validation_that_was_cut_is_read_as_a_whole(
    epoch: int, batch: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its loss is 6, of all four batches, and never of those that were left."""
    path, settings = tmp_path / "cut.ckpt", {"max_epochs": 3}
    with pytest.raises(MemoryError):
        _fit(tmp_path, Fails(epoch, batch), SaveAtError(path), **settings)
    with caplog.at_level("INFO"):
        resumed = _fit(tmp_path, Net(lr=0.0), ckpt_path=path, **settings)

    # Lightning counts an epoch that was cut at its end twice, and so there is one check less.
    assert [(seen.val, seen.val_n) for seen in resumed.history] == [(6.0, 4)] * 2
    assert [(seen.train, seen.train_n) for seen in resumed.history] == [(4.5, 8)] * 2
    assert "in the middle of a validation" in caplog.text


def test_a_validation_that_was_cut_inside_an_epoch_is_read_as_a_whole(tmp_path: Path) -> None:
    """The run is then that which was never cut: its windows are 1 to 4 and 5 to 8."""
    path, settings = tmp_path / "cut.ckpt", {"max_epochs": 2, "val_check_interval": 4}
    with pytest.raises(MemoryError):
        _fit(tmp_path, Fails(1, 2), SaveAtError(path), **settings)
    resumed = _fit(tmp_path, Net(lr=0.0), ckpt_path=path, **settings)

    assert [(seen.val, seen.val_n) for seen in resumed.history] == [(6.0, 4)] * 4
    assert list(resumed.history.train) == [2.5, 6.5, 2.5, 6.5]


def test_a_fresh_fit_says_nothing_of_a_validation_that_was_cut(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A sanity check of fewer batches leaves a count behind, too."""
    with caplog.at_level("INFO"):
        _fit(tmp_path, Net(lr=0.0), num_sanity_val_steps=2)

    assert "in the middle of a validation" not in caplog.text
