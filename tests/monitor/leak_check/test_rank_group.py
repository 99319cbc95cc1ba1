"""Two gloo ranks share the reading of a leak check: the findings of one, and nobody waits."""

import io
import random
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest import mock

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.strategies import DDPStrategy
from tests.fits import Net, trainer
from tests.monitor.test_two_ranks import Here
from tests.ranks import run_ranks
from torch import Tensor, distributed
from torch.utils.data import DataLoader, Dataset

from lightning_gapmon import GapMonitor, Overlap, find_overlap
from lightning_gapmon.collect.apart import Served
from lightning_gapmon.collect.overlap import partition, reading
from lightning_gapmon.collect.overlap.find import compare
from lightning_gapmon.collect.overlap.partition import CHUNK
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.monitor.leak_check.rank_group import AllRanks, rank_group

RANKS = 2
TRAIN = list(range(1, 501))
FIRSTS = (0, 125, 250, 375)  # read by each rank, twice, to tell what data it holds
VAL = [*range(400, 440), *range(900, 990), 950, 420]
OTHER = [3, 3, 5000]
ODD = [7 * number % 91 for number in range(300)]
SHORT = 64
SMALL = [(0, 1), (1, 1), (1, 0), (2, 1), (3, 300), (CHUNK + 1, CHUNK - 1)]


class Data(Dataset[list[Tensor]]):
    """Numbers that are read one by one, each noted in a file, some of which cannot be read."""

    def __init__(
        self, numbers: list[int], broken: tuple[int, ...] = (), noted: Path | None = None
    ) -> None:
        self.numbers, self.broken, self.noted = numbers, broken, noted

    def __len__(self) -> int:
        """Count them."""
        return len(self.numbers)

    def __getitem__(self, index: int) -> list[Tensor]:
        """Give one, and draw random numbers on the way."""
        torch.rand(1)
        random.random()  # noqa: S311
        if self.noted is not None:
            with self.noted.open("a") as file:
                file.write(f"{index} ")
        if index in self.broken:
            raise KeyError(index)
        return [torch.tensor(float(self.numbers[index]))]


class Looked(NamedTuple):
    """What a fit with a leak check left on one rank."""

    overlaps: list[Overlap]
    notes: tuple[str, ...]
    reads: list[int]
    printed: str
    warned: list[str]
    gathers: int


class Noting(pl.Callback):
    """Notes what had been read of the training data when training started."""

    reads: list[int]

    def __init__(self, noted: Path) -> None:
        self.noted = noted

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note it."""
        self.reads = list(map(int, self.noted.read_text().split()))


def _loaded(numbers: list[int]) -> DataLoader[list[Tensor]]:
    return DataLoader(Data(numbers), batch_size=2)


def _fit(rank: int, folder: Path, val: Any, broken: tuple[int, ...] = ()) -> Looked:  # noqa: ANN401 - loaders
    noted = Path(mkdtemp(dir=folder), "reads")
    train = DataLoader(Data(TRAIN, broken, noted), batch_size=2)
    monitor, noting = GapMonitor(stop=None, summary=False, leakage=1000), Noting(noted)
    gather = mock.Mock(side_effect=distributed.all_gather_object)
    with (
        redirect_stdout(io.StringIO()) as printed,
        warnings.catch_warnings(record=True) as caught,
        mock.patch.object(distributed, "all_gather_object", gather),
    ):
        warnings.simplefilter("always")
        trainer(
            folder,
            monitor,
            noting,
            strategy=DDPStrategy(cluster_environment=Here(rank)),
            devices=RANKS,
            max_epochs=1,
            limit_train_batches=1,
            limit_val_batches=1,
            enable_progress_bar=True,
        ).fit(Net(), train, val)
    assert monitor.outcome is not None
    told = "in the training data", "is switched off"
    said = [text for text in (str(one.message) for one in caught) if any(t in text for t in told)]
    return Looked(
        monitor.overlaps,
        monitor.outcome.notes,
        noting.reads,
        printed.getvalue(),
        said,
        gather.call_count,
    )


def _failed(call: Callable[[], object]) -> tuple[str, str]:
    """Give an error's message, and of what kind its cause is on this rank."""
    with pytest.raises(ConfigurationError) as caught:
        call()
    return str(caught.value), type(caught.value.__cause__).__name__


def _compared(train: Any, val: Any) -> Overlap:  # noqa: ANN401 - datasets
    (found,) = compare(lambda: [Served(train), Served(val)], limit=1000, group=AllRanks())
    return found


def _without_a_disk(rank: int) -> list[Overlap]:
    def sides() -> list[Served]:
        if rank == 1:
            msg = "no such disk"
            raise OSError(msg)
        return [Served(TRAIN), Served(VAL)]

    return compare(sides, limit=1000, group=AllRanks())


def _slow(rank: int) -> Overlap:
    """Let the time run out on rank 1 after its first chunks."""
    clock = iter([0.0, *[100.0] * 9] if rank == 1 else [0.0] * 99)
    timed = mock.patch.object(reading, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with timed, mock.patch.object(partition, "CHUNK", SHORT):
        return _compared(TRAIN, TRAIN)


def _leaves_no_trace() -> bool:
    before = random.getstate(), torch.get_rng_state()
    _compared(Data(TRAIN), Data(VAL))
    return before[0] == random.getstate() and torch.equal(before[1], torch.get_rng_state())


def _bodies(rank: int, folder: Path) -> dict[str, Any]:
    """Look in every way of this file: starting the processes takes longest."""
    torch.set_num_threads(1)
    shard = TRAIN[200 * rank : 300 + 200 * rank]
    lonely: Any = SimpleNamespace(world_size=1)
    return {
        "one": _fit(rank, folder, _loaded(VAL)),
        "several": _fit(rank, folder, [_loaded(VAL), _loaded(OTHER)]),
        "fit": _fit(rank, folder, _loaded(VAL), (125,) * rank),
        "first": _failed(lambda: _compared(Data(TRAIN, (0,) * rank), Data(VAL))),
        "later": _failed(lambda: _compared(Data(TRAIN, (300,)), Data(VAL))),
        "both": _failed(lambda: _compared(Data(TRAIN, FIRSTS), Data(VAL))),
        "sides": _failed(lambda: _without_a_disk(rank)),
        "slow": _slow(rank),
        "parts": _compared(shard, VAL[rank::RANKS]),
        "untouched": _leaves_no_trace(),
        "small": [_compared(ODD[:train], ODD[:val]) for train, val in SMALL],
        "alone": rank_group(lonely).gather(lambda: rank),
    }


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Give what each look left, on both ranks."""
    folder = tmp_path_factory.mktemp("ranks")
    return run_ranks(_bodies, folder, world_size=RANKS, folder=folder, seconds=110)


def _findings(found: Overlap) -> Overlap:
    return replace(found, seconds=0.0, notes=())


def test_a_fit_on_two_ranks_finds_what_one_process_finds(looks: list[dict[str, Any]]) -> None:
    """Overlaps, their notes and the outcome's are the same on both, with two exchanges."""
    first, second = (look["one"] for look in looks)

    assert [_findings(one) for one in first.overlaps] == [
        _findings(find_overlap(Data(TRAIN), Data(VAL)))
    ]
    assert first.overlaps == second.overlaps
    assert first.notes == second.notes
    assert "41 of 132 validation samples are among 500 training samples" in first.notes[-1]
    assert (first.gathers, second.gathers) == (2, 2)


def test_each_sample_is_read_by_one_rank(looks: list[dict[str, Any]]) -> None:
    """Once, in halves, but for the few by which ranks tell what data they hold."""
    reads = [look["one"].reads for look in looks]

    assert Counter(reads[0] + reads[1]) == {
        index: 1 + 2 * RANKS * (index in FIRSTS) for index in range(len(TRAIN))
    }
    assert abs(len(reads[0]) - len(reads[1])) <= CHUNK


def test_only_the_first_rank_speaks(looks: list[dict[str, Any]]) -> None:
    """It shows the progress bar and warns of the leak, once."""
    first, second = (look["one"] for look in looks)

    assert "Comparing training and validation samples" in first.printed
    assert "Comparing" not in second.printed
    assert (len(first.warned), second.warned) == (1, [])


def test_several_loaders_take_two_exchanges_too(looks: list[dict[str, Any]]) -> None:
    """All of them are read in one go, with the training data read once."""
    first, second = (look["several"] for look in looks)

    assert [_findings(one) for one in first.overlaps] == [
        _findings(find_overlap(Data(TRAIN), Data(val))) for val in (VAL, OTHER)
    ]
    assert first.overlaps == second.overlaps
    assert len(first.reads + second.reads) == len(TRAIN) + 2 * RANKS * len(FIRSTS)
    assert first.gathers == 2


@pytest.mark.parametrize(
    ("where", "said", "causes"),
    [
        ("first", "rank 1 failed with KeyError: 0 (ranks that failed: [1])", "NoneType KeyError"),
        ("later", "rank 1 failed with KeyError: 300 (ranks that", "NoneType KeyError"),
        (
            "both",
            "rank 0 failed with KeyError: 0 (ranks that failed: [0, 1])",
            "KeyError KeyError",
        ),
        ("sides", "rank 1 failed with OSError: no such disk (ranks", "NoneType OSError"),
    ],
)
def test_a_rank_that_cannot_read_leaves_nobody_waiting(
    where: str, said: str, causes: str, looks: list[dict[str, Any]]
) -> None:
    """All ranks raise the same error, at the first look or in the middle; its own has a cause."""
    (first, cause), (second, other) = (look[where] for look in looks)

    assert said in first
    assert first == second
    assert f"{cause} {other}" == causes


def test_a_fit_goes_on_where_a_rank_cannot_read(looks: list[dict[str, Any]]) -> None:
    """The comparison only watches: the first rank says why it is off, and both have the note."""
    first, second = (look["fit"] for look in looks)
    said = (
        "GapMonitor(leakage=...) is switched off, and the fit goes on without it: found "
        "ConfigurationError: "
    )

    assert first.warned[0].startswith(said)
    assert "rank 1 failed with KeyError: 125" in first.warned[0]
    assert (len(first.warned), second.warned) == (1, [])
    assert first.notes == second.notes == (*first.notes[:-1], first.warned[0])


def test_time_runs_out_on_one_rank(looks: list[dict[str, Any]]) -> None:
    """What both have read until then is compared, and it is said how much that is."""
    first, second = (look["slow"] for look in looks)
    read = [i for i in range(len(TRAIN)) if i // SHORT % RANKS == 0 or i // SHORT == 1]

    assert first == second
    assert first.shared == tuple((index, index) for index in read)
    assert (first.train_seen, first.seconds) == (len(read), 100.0)
    assert first.notes == tuple(
        f"time ran out after {len(read)} {side} samples of 500"
        for side in ("training", "validation")
    )


def test_ranks_with_parts_of_their_own(looks: list[dict[str, Any]]) -> None:
    """A rank's validation sample in another's training data is found, counted through both."""
    first, second = (look["parts"] for look in looks)
    whole = find_overlap(TRAIN[:300] + TRAIN[200:], VAL[::2] + VAL[1::2])

    assert _findings(first) == _findings(whole)
    assert first == second
    said = (
        "the {0} data are not the same on all ranks ({1} samples on rank 0, {1} samples on rank 1)"
    )
    assert [note.partition(":")[0] for note in first.notes] == [
        said.format("training", 300),
        said.format("validation", 66),
    ]


@pytest.mark.parametrize("case", range(len(SMALL)), ids=[f"{a} and {b}" for a, b in SMALL])
def test_few_samples(case: int, looks: list[dict[str, Any]]) -> None:
    """Also where there are fewer than ranks, or none."""
    first, second = (look["small"][case] for look in looks)
    train, val = SMALL[case]

    assert replace(first, seconds=0.0) == replace(
        find_overlap(ODD[:train], ODD[:val]), seconds=0.0
    )
    assert first == second


def test_reading_leaves_the_random_state_on_each_rank(looks: list[dict[str, Any]]) -> None:
    """However often the data draw."""
    assert [look["untouched"] for look in looks] == [True, True]


def test_a_trainer_of_one_device_talks_to_nobody(looks: list[dict[str, Any]]) -> None:
    """Even where a process group is there, as for other things."""
    assert [look["alone"] for look in looks] == [[0], [1]]
