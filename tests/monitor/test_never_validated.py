"""A validation that never comes is said, once, with what it would have taken."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.fits import Net, Stream, fit, values
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from lightning_gapmon import GapMonitor


class Overstated(IterableDataset[list[Tensor]]):
    """Says that it has 10 batches, and has 3."""

    def __len__(self) -> int:
        """Overstate."""
        return 10

    def __iter__(self) -> Iterator[list[Tensor]]:
        """Give three."""
        return iter([[torch.ones(2)]] * 3)


class GivesUp(Net):
    """Ends each epoch early."""

    def on_train_batch_start(self, batch: object, batch_idx: int) -> int | None:
        """Skip what comes after the second batch."""
        return -1 if batch_idx == 2 else None


STREAM = DataLoader(Stream(values(9)), batch_size=2)
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "a stream that overstates its length": (
        {"train": DataLoader(Overstated(), batch_size=None), "max_epochs": 1},
        "3 batches, and the Trainer validates in every epoch, each time 10 of",
    ),
    "every tenth epoch of three": (
        {"check_val_every_n_epoch": 10},
        "9 batches, and the Trainer validates in every 10th epoch",
    ),
    "an interval above the run": (
        {"check_val_every_n_epoch": None, "val_check_interval": 100},
        "after every 100 batches of the run",
    ),
    "steps that end in the first epoch": (
        {"max_steps": 2},
        "2 batches, and the Trainer validates in every epoch, each time 3",
    ),
    "a stream that is cut": ({"train": STREAM, "max_steps": 2}, "in every epoch, at its end"),
}


@pytest.mark.filterwarnings("ignore:Your `IterableDataset` has `__len__` defined:UserWarning")
@pytest.mark.parametrize("case", CASES)
def test_it_is_said_once(case: str, tmp_path: Path) -> None:
    """With the batches that were trained on, and when the Trainer would have validated."""
    settings, words = CASES[case]
    with pytest.warns(UserWarning, match="GapMonitor saw no validation") as warned:
        monitor = fit(Net(), tmp_path, **settings)

    said = [str(one.message) for one in warned if "GapMonitor" in str(one.message)]
    assert len(said) == 1
    assert words in said[0]
    assert monitor.outcome is not None
    assert len(monitor.history) == 0


def test_an_epoch_that_the_module_ends_is_none(tmp_path: Path) -> None:
    """`on_train_batch_start` returned -1, and with it went the validation at the epoch's end."""
    with pytest.warns(UserWarning, match="GapMonitor saw no validation in this fit"):
        fit(GivesUp(), tmp_path, max_epochs=1)


def test_a_fit_that_has_nothing_left_to_do_says_nothing(tmp_path: Path) -> None:
    """It has trained on nothing."""
    monitor = GapMonitor(summary=False)
    fit(Net(), tmp_path, monitor, limit_train_batches=0)

    assert len(monitor.history) == 0
