"""Looking for leaks before training, whatever serves the data."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import RichProgressBar
from tests.fits import Net, Stream, fit, loader
from torch import Tensor
from torch.utils.data import DataLoader, SubsetRandomSampler, TensorDataset

from lightning_gapmon import GapMonitor

DATA = TensorDataset(torch.arange(1.0, 9.0))


class Nested(Net):
    """Takes the first of what several loaders serve."""

    def loss_step(self, batch: Any) -> Tensor:  # noqa: ANN401 - a batch, or several
        """Give one loss a sample."""
        parts = list(batch.values()) if isinstance(batch, dict) else batch
        losses: Tensor = super().loss_step(parts[0] if isinstance(parts[0], list) else parts)
        return losses


def _look(folder: Path, train: Any, val: Any, *others: object, **settings: Any) -> GapMonitor:  # noqa: ANN401
    monitor = GapMonitor(stop=None, summary=False, leakage=100)
    return fit(Nested(), folder, monitor, *others, train=train, val=val, max_epochs=1, **settings)


def test_two_samplers_split_one_dataset(tmp_path: Path) -> None:
    """Only what a `SubsetRandomSampler` draws from is compared: here nothing is shared."""
    train, val = (
        DataLoader(DATA, batch_size=2, sampler=SubsetRandomSampler(part))
        for part in (range(4), range(4, 8))
    )
    (found,) = _look(tmp_path, train, val).overlaps

    assert found.shared == ()
    assert (found.train_seen, found.val_seen) == (4, 4)


@pytest.mark.filterwarnings("ignore:1 of the 1 validation samples looked at:UserWarning")
@pytest.mark.parametrize(
    "several",
    [
        {"a": loader(3), "b": loader(DATA.tensors[0])},
        [loader(8)],
        {"a": loader(3), "b": [loader(2), loader(8)]},
    ],
    ids=["dict", "list", "nested"],
)
def test_several_training_loaders_are_one_side(several: Any, tmp_path: Path) -> None:  # noqa: ANN401
    """A sample in any of them is in training."""
    last = several["b"] if isinstance(several, dict) else several
    last = last[-1] if isinstance(last, list) else last
    val = loader(last.dataset.tensors[0][-1:])
    (found,) = _look(tmp_path, several, val).overlaps

    assert len(found.shared) == 1


def test_a_stream_beside_others_is_said(tmp_path: Path) -> None:
    """One that cannot be read by index is said, not read; once, however many it was to meet."""
    several = {"a": loader(8), "b": DataLoader(Stream(torch.ones(8)), batch_size=4)}
    monitor = _look(tmp_path, several, [loader(3), loader(2)])
    assert monitor.outcome is not None

    for found in monitor.overlaps:
        assert "the training data are a stream" in found.notes[0]
    assert sum("are a stream" in note for note in monitor.outcome.notes) == 1


def test_no_progress_bar_where_none_is_wanted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A Trainer without a progress bar shows none for the comparison."""
    _look(tmp_path, loader(8), loader(3))

    assert capfd.readouterr().out == ""


def test_a_rich_progress_bar_does_not_stand_in_the_way(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The comparison's bar is shown beside Lightning's own."""
    _look(tmp_path, loader(8), loader(3), RichProgressBar(), enable_progress_bar=True)

    assert "Comparing training and validation samples" in capfd.readouterr().out
