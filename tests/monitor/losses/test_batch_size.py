"""How many samples a batch has, where the module does not say."""

import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.fits import Bare, Logging, fit, loader, watched
from torch import Tensor
from torch.utils.data import DataLoader

from lightning_gapmon import GapMonitor
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.monitor.losses.batch_size import first_sizes


class Graphs(SimpleNamespace):
    """A batch of graphs: the first sizes of its tensors are atoms, not graphs."""


class ByBatch(Bare):
    """Its batches are made to look like something else on their way in."""

    made: Any = None

    def on_before_batch_transfer(self, batch: list[Tensor], dataloader_idx: int) -> Any:  # noqa: ANN401
        """Make them so."""
        return type(self).made(batch[0])

    def training_step(self, batch: Any, _: int) -> Tensor:  # noqa: ANN401
        """Return the loss."""
        return self.losses([batch.y]).mean()

    def validation_step(self, batch: Any, _: int) -> Tensor:  # noqa: ANN401
        """Return the loss."""
        return self.losses([batch.y]).mean()


def _fit_by_batch(
    made: Any,  # noqa: ANN401
    folder: Path,
    monitor: GapMonitor | None = None,
) -> GapMonitor:
    module = type("Module", (ByBatch,), {"made": staticmethod(made)})()
    return watched(module, folder, monitor)


def test_graph_batches_know_their_number(tmp_path: Path) -> None:
    """A batch with `num_graphs` weighs as many graphs, not atoms."""
    _fit_by_batch(
        lambda y: Graphs(x=torch.zeros(17, 2), y=y, num_graphs=len(y)),
        tmp_path,
        GapMonitor(summary=False),
    )


@dataclasses.dataclass
class Record:
    """A batch that is a dataclass."""

    name: str
    y: Tensor


def test_dataclass_batches(tmp_path: Path) -> None:
    """Their first tensor tells how many samples they have."""
    _fit_by_batch(lambda y: Record("x", y), tmp_path, GapMonitor(batch_size=None, summary=False))


@pytest.mark.parametrize("as_tensor", [True, False])
def test_a_batch_size_that_was_given(as_tensor: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """`batch_size=` says how many samples a batch has where nothing shows it."""

    def count(batch: SimpleNamespace) -> int | Tensor:
        return torch.tensor(len(batch.y)) if as_tensor else len(batch.y)

    _fit_by_batch(
        lambda y: SimpleNamespace(y=y),
        tmp_path,
        GapMonitor(batch_size=count, summary=False),
    )


def test_a_batch_size_that_is_no_number_is_refused(tmp_path: Path) -> None:
    """At the first batch, and not hundreds of batches later."""
    monitor = GapMonitor(batch_size=lambda batch: batch, summary=False)

    with pytest.raises(ConfigurationError) as raised:
        fit(Logging(), tmp_path, monitor)

    assert str(raised.value) == (
        "Found GapMonitor(batch_size=...) that returned a list of 1; expected the number of "
        "samples in the batch, such as batch_size=lambda batch: len(batch[0])."
    )


def _unequal(rows: list[tuple[Tensor]]) -> list[Tensor]:
    """Collate a batch whose tensors have two first sizes."""
    return [torch.stack([row[0] for row in rows]), torch.zeros(len(rows) + 1)]


def test_a_guess_that_is_not_used_is_not_said(tmp_path: Path) -> None:
    """A module that gives its own weight needs no advice."""
    both = DataLoader(loader(8).dataset, batch_size=4, collate_fn=_unequal)

    monitor = fit(Logging(batch_size=2), tmp_path, train=both, val=both)

    assert monitor.outcome is not None
    assert monitor.outcome.notes == ()


def test_an_unclear_batch_size_is_a_note(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, whatever sizes come, with what to write instead, and is kept."""

    class Unequal(Bare):
        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            return self.losses(batch).mean()

        def validation_step(self, batch: list[Tensor], _: int) -> Tensor:
            return self.losses(batch).mean()

    both = DataLoader(loader(10).dataset, batch_size=4, collate_fn=_unequal)
    with caplog.at_level(logging.INFO):
        monitor = fit(Unequal(), tmp_path, train=both, val=both)

    note = (
        "Batch sizes were guessed: tensors with the first sizes [4, 5] in one batch. Say how many "
        "samples a batch has, with GapMonitor(batch_size=...), self.log(..., batch_size=...) or "
        "self.track_loss(loss, batch_size=...)."
    )
    assert monitor.outcome is not None
    assert monitor.outcome.notes == (note,)
    assert sum(note in line for line in caplog.messages) == 1


def test_combined_loaders(tmp_path: Path) -> None:
    """Batches that are dicts of batches weigh as the first of them."""

    class Combined(ByBatch):
        made = staticmethod(lambda y: {"a": y, "b": y.clone()})

        def losses(self, batch: list[Tensor]) -> Tensor:
            return super().losses(batch)

        def training_step(self, batch: dict[str, Tensor], _: int) -> Tensor:
            return self.losses([batch["a"]]).mean()

        def validation_step(self, batch: dict[str, Tensor], _: int) -> Tensor:
            return self.losses([batch["b"]]).mean()

    watched(Combined(), tmp_path)


def test_a_batch_that_shows_no_size_is_noted(tmp_path: Path) -> None:
    """It then weighs as one sample, and that is said."""

    class Opaque(ByBatch):
        made = staticmethod(lambda y: SimpleNamespace(y=y))

    monitor = fit(Opaque(), tmp_path, train=8, val=8)

    assert monitor.outcome is not None
    (note,) = monitor.outcome.notes
    assert note == (
        "Batch sizes were guessed: a SimpleNamespace does not show how many samples it has. Say "
        "how many samples a batch has, with GapMonitor(batch_size=...), "
        "self.log(..., batch_size=...) or self.track_loss(loss, batch_size=...)."
    )
    assert monitor.history[0].val_n == 2


@dataclasses.dataclass(slots=True)
class Slotted:
    """A batch that is a dataclass with slots, which has no `__dict__`."""

    name: str
    y: Tensor


def test_a_dataclass_may_have_slots() -> None:
    """Its fields are looked at all the same."""
    assert first_sizes(Slotted("a", torch.zeros(5, 2))) == [5]


class Walked(list[Any]):
    """Counts how many of its parts are looked at."""

    looked = 0

    def __iter__(self) -> Iterator[Any]:
        """Count on the way."""
        for part in super().__iter__():
            self.looked += 1
            yield part


@pytest.mark.parametrize("part", ["text", 3, [1, 2], None])
def test_a_long_list_is_not_walked_to_its_end(part: object) -> None:
    """A batch of Python lists costs a step a few looks, however long it is."""
    batch = Walked([part] * 100_000)

    assert first_sizes({"texts": batch}) == []
    assert batch.looked < 1000


def test_tensors_beside_long_lists_are_found() -> None:
    """Texts of any number come before the labels as often as not."""
    assert first_sizes([["text"] * 5000, torch.zeros(5000)]) == [5000]
    assert first_sizes([{"x": torch.zeros(3)}, {"x": torch.zeros(3)}]) == [3, 3]
