"""What the probe and the leak check read is read apart: the user's dataset stays as it is."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback
from tests.fits import Bare, Net, Stream, fit, loader
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset, get_worker_info

from lightning_gapmon import GapMonitor
from lightning_gapmon.monitor.probe import batches
from lightning_gapmon.monitor.probe.probe import Probe

WATCHED: dict[str, Any] = {"stop": None, "summary": False, "probe": 3, "leakage": 60}


class Records(Dataset[list[Tensor]]):
    """The numbers from 1 in a file that is opened at the first sample, as one does with HDF5."""

    def __init__(self, path: Path, size: int = 40) -> None:
        self.path, self.size = path, size
        self.file: int | None = None
        path.write_bytes(b"".join(number.to_bytes(4, "little") for number in range(1, size + 1)))

    def __len__(self) -> int:
        """Count them."""
        return self.size

    def __getitem__(self, index: int) -> list[Tensor]:
        """Give what is read beside what is there."""
        if self.file is None:
            self.file = os.open(self.path, os.O_RDONLY)
        os.lseek(self.file, 4 * index, os.SEEK_SET)
        time.sleep(0.001)  # another process with the same position moves it meanwhile
        found = int.from_bytes(os.read(self.file, 4), "little")
        return [torch.tensor(float(found)), torch.tensor(float(index + 1))]


class Drawing(Dataset[list[Tensor]]):
    """Draws from a generator of its own at each sample, and counts how often."""

    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(0)
        self.draws = 0

    def __len__(self) -> int:
        """Count them."""
        return 12

    def __getitem__(self, index: int) -> list[Tensor]:
        """Draw one."""
        self.draws += 1
        return [torch.rand((), generator=self.generator) + index]


class Trained(Net):
    """Keeps all that it is trained on."""

    def __init__(self) -> None:
        super().__init__(lr=0.0)
        self.batches: list[list[Tensor]] = []

    def loss_step(self, batch: Any) -> Any:  # noqa: ANN401 - as below it
        """Keep it."""
        if self.training:
            self.batches.append(batch)
        return super().loss_step(batch)


def _trained(
    folder: Path,
    train: DataLoader[Any],
    *watching: Callback,
    **settings: Any,  # noqa: ANN401
) -> tuple[Trained, Any]:
    module = Trained()
    monitors = watching or (GapMonitor(**WATCHED),)
    found = fit(module, folder, *monitors, train=train, val=loader(4), **settings)
    return module, found


def test_workers_share_no_file_with_a_probe_or_a_leak_check(tmp_path: Path) -> None:
    """Each sample of all epochs is the one that was asked for, and no file is open here."""
    data = Records(tmp_path / "numbers")
    train = DataLoader(data, batch_size=4, num_workers=2, multiprocessing_context="fork")
    module, monitor = _trained(tmp_path, train)
    found, there = (torch.cat(part) for part in zip(*module.batches, strict=True))

    assert len(found) == 3 * 40
    assert torch.equal(found, there)
    assert data.file is None
    assert monitor.overlaps[0].train_seen == 40
    assert all(torch.tensor(list(monitor.history.probe)).isfinite())


@pytest.mark.parametrize("workers", [0, 1])
def test_a_dataset_with_its_own_generator_trains_as_without(workers: int, tmp_path: Path) -> None:
    """Whether it is read here or by a worker, training sees the very same numbers."""

    def run(*watching: Callback) -> Tensor:
        torch.manual_seed(0)
        train = DataLoader(Drawing(), batch_size=4, shuffle=True, num_workers=workers)
        module, _ = _trained(tmp_path, train, *watching)
        return torch.cat([batch[0] for batch in module.batches])

    assert torch.equal(run(GapMonitor(stop=None, summary=False)), run(GapMonitor(**WATCHED)))


def test_a_dataset_is_not_touched(tmp_path: Path) -> None:
    """What it counts is what training has drawn."""
    data = Drawing()
    _trained(tmp_path, DataLoader(data, batch_size=4))

    assert data.draws == 3 * 12


def test_the_workers_settings_are_the_users(tmp_path: Path) -> None:
    """What a worker does first is done before the probe and the leak check read, too."""
    data = Opened()
    train = DataLoader(data, batch_size=4, num_workers=1, worker_init_fn=_open)
    _, monitor = _trained(tmp_path, train)

    assert monitor.overlaps[0].train_seen == 8
    assert all(torch.tensor(list(monitor.history.probe)).isfinite())
    assert not data.is_open


class Opened(Dataset[list[Tensor]]):
    """Can be read where its worker has opened it."""

    is_open = False

    def __len__(self) -> int:
        """Count the samples."""
        return 8

    def __getitem__(self, index: int) -> list[Tensor]:
        """Give one."""
        assert self.is_open
        return [torch.tensor(float(index))]


def _open(_worker: int) -> None:
    info = get_worker_info()
    assert info is not None
    info.dataset.is_open = True  # type: ignore[attr-defined]


class Popping(Trained):
    """Takes its batch apart, and changes its numbers in place."""

    def loss_step(self, batch: Any) -> Any:  # noqa: ANN401 - as below it
        """Leave nothing of it."""
        values = batch.pop("x")
        losses = (values + 0) * self.weight
        values.zero_()
        return losses


class Named(Dataset[dict[str, Tensor]]):
    """Samples with a name."""

    def __len__(self) -> int:
        """Count them."""
        return 8

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Give one."""
        return {"x": torch.tensor(1.0 + index)}


@pytest.mark.parametrize("settings", [{}, {"limit_train_batches": 3}])
def test_a_step_may_take_its_batch_apart(settings: dict[str, Any], tmp_path: Path) -> None:
    """Each check has batches as they were served: with weight 1, their own mean."""
    train = DataLoader(Named(), batch_size=2)
    module = Popping()
    module.lr = 0.0
    monitor = GapMonitor(stop=None, summary=False, probe=3)
    fit(module, tmp_path, monitor, train=train, val=train, **settings)
    probed = list(monitor.history.probe)

    assert probed == [probed[0]] * 3
    assert probed[0] == (3.5 if settings else pytest.approx(probed[0]))
    assert probed[0] > 1


class Failing(Bare):
    """Cannot validate what it is trained on."""

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Give the mean."""
        return self.losses(batch).mean()

    def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
        """Give the mean of batches that have a second part."""
        return (self.losses(batch) + 0 * batch[1]).mean()


class Broken(Dataset[list[Tensor]]):
    """Cannot be read but by training."""

    def __len__(self) -> int:
        """Count the samples."""
        return 8

    def __getitem__(self, index: int) -> list[Tensor]:
        """Give one."""
        if get_worker_info() is not None:
            msg = "no such disk"
            raise OSError(msg)
        return [torch.tensor(1.0 + index)]


@pytest.mark.parametrize(
    ("module", "train", "cause"),
    [
        (
            Failing,
            DataLoader(Named(), 4, collate_fn=lambda parts: [torch.ones(len(parts))]),
            "Ind",
        ),
        (Net, DataLoader(Broken(), 4), "OSError: no such disk"),
    ],
)
def test_a_probe_that_fails_ends_no_fit(
    module: Callable[[], Bare], train: DataLoader[Any], cause: str, tmp_path: Path
) -> None:
    """It is said once, with the option's name, and the checks go on without it."""
    values = torch.ones(4)
    val = DataLoader(TensorDataset(values, values), 2)
    monitor = GapMonitor(stop=None, summary=False, probe=2)
    said = r"GapMonitor\(probe=\.\.\.\) is switched off, and the fit goes on without it: found "
    with pytest.warns(UserWarning, match=said + cause) as caught:
        fit(module(), tmp_path, monitor, train=train, val=val)

    assert [type(one.message) for one in caught].count(UserWarning) == 1
    assert len(monitor.history) == 3
    assert not any(torch.tensor(list(monitor.history.probe)).isfinite())


def test_a_leak_check_that_fails_ends_no_fit(tmp_path: Path) -> None:
    """It is said, and kept as a note."""
    monitor = GapMonitor(stop=None, summary=False, leakage=5)
    with pytest.warns(UserWarning, match=r"GapMonitor\(leakage=\.\.\.\) is switched off.*no such"):
        fit(Net(), tmp_path, monitor, train=DataLoader(Broken(), 4), val=loader(3))

    assert len(monitor.history) == 3
    assert monitor.outcome is not None
    assert "no such disk" in monitor.outcome.notes[-1]


class Noted(Dataset[list[Tensor]]):
    """Notes each reading in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __len__(self) -> int:
        """Count the samples."""
        return 12

    def __getitem__(self, index: int) -> list[Tensor]:
        """Give one."""
        with self.path.open("a") as file:
            file.write(".")
        return [torch.rand(()) + index]


@pytest.mark.parametrize(("room", "readings"), [(1 << 20, 1), (150, 3)])
def test_what_fits_is_read_once(
    room: int, readings: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read at the first check, or at each: with the same random numbers either way."""
    monkeypatch.setattr(batches, "KEPT_BYTES", room)
    probed = Noted(tmp_path / "reads")
    monitor = GapMonitor(stop=None, summary=False, probe=DataLoader(probed, batch_size=4))
    fit(Net(lr=0.0), tmp_path, monitor, val=loader(4))
    seen = list(monitor.history.probe)

    assert len(probed.path.read_text()) == 12 * readings
    assert seen == [seen[0]] * 3


class Ranks:
    """Stands in for a Trainer of two ranks, with what the other one says at each vote."""

    world_size = 2
    is_global_zero = True

    def __init__(self, *others: bool) -> None:
        self.others = list(others)
        self.strategy = self

    def reduce_boolean_decision(self, decision: bool, *, all: bool) -> bool:  # noqa: A002, FBT001 - as Lightning has it
        """Agree with the other rank."""
        other = self.others.pop(0)
        return decision and other and all


def _steps(count: int, failing: int | None = None) -> Iterator[None]:
    for number in range(count):
        if number == failing:
            raise KeyError(number)
        yield


@pytest.mark.parametrize(
    ("steps", "others", "failure"),
    [
        (_steps(3), (True, True), "None"),
        (_steps(1), (True, True), "None"),
        (_steps(0), (True, True), "None"),
        (_steps(3, 0), (True,), "KeyError(0)"),
        (_steps(3, 1), (True, True), "KeyError(1)"),
        (_steps(3), (False,), "_ElsewhereError('another rank could not go on')"),
        (_steps(3), (True, False), "_ElsewhereError('another rank could not go on')"),
    ],
)
def test_ranks_agree_whether_to_go_on(
    steps: Iterator[None], others: tuple[bool, ...], failure: str
) -> None:
    """They vote once when the first batch is read, and once when its step is done."""
    ranks: Any = Ranks(*others)
    probe = Probe(batches.ProbeBatches(batches.Amount(batches=1)))

    assert repr(probe._go_through(steps, ranks)) == failure
    assert ranks.others == []


def test_an_error_of_one_rank_alone_is_raised() -> None:
    """The others may be waiting for it in the middle of their step."""
    ranks: Any = Ranks(True, True)  # noqa: FBT003 - votes
    probe = Probe(batches.ProbeBatches(batches.Amount(batches=1)))

    with pytest.raises(KeyError, match="2"):
        probe._go_through(_steps(3, 2), ranks)


def test_only_one_vote_is_asked_for_once_a_step_is_proven() -> None:
    """From the second check on what may fail is the reading."""
    ranks: Any = Ranks(True, True, True)  # noqa: FBT003 - votes
    probe = Probe(batches.ProbeBatches(batches.Amount(batches=1)))
    for _ in range(2):
        assert probe._go_through(_steps(3), ranks) is None

    assert ranks.others == []


def test_a_batch_that_cannot_be_copied_switches_the_probe_off(tmp_path: Path) -> None:
    """Training goes on with it all the same."""
    stream = Stream(torch.ones(4))
    locked = DataLoader(stream, 2, collate_fn=lambda _: [torch.ones(2), Lock()])
    monitor = GapMonitor(stop=None, summary=False, probe=2)
    with pytest.warns(UserWarning, match=r"probe=\.\.\.\) is switched off.*TypeError"):
        fit(Net(), tmp_path, monitor, train=locked, val=loader(4))

    assert len(monitor.history) == 3
