"""Two gloo ranks: exact and agreed, beside Lightning's own reduction as it is."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy
from tests.fits import Bare, Logging, Marks, Net, Stream, loader, trainer, values
from tests.ranks import run_ranks
from torch import Tensor
from torch.utils.data import DataLoader
from torchmetrics import MeanSquaredError

from lightning_gapmon import GapMonitor, History, Patience
from lightning_gapmon.collect.meter.sums import Sums
from lightning_gapmon.monitor.checks.state import continue_window, window_state
from lightning_gapmon.monitor.losses.recorder import Recorder
from lightning_gapmon.monitor.output.messages import padding

RANKS = 2


class Here(LightningEnvironment):
    """Tells Lightning that the ranks are there already, and which one this is."""

    def __init__(self, rank: int) -> None:
        super().__init__()
        self.rank = rank

    @property
    def creates_processes_externally(self) -> bool:
        """Yes."""
        return True

    def global_rank(self) -> int:
        """Tell it."""
        return self.rank

    def local_rank(self) -> int:
        """Tell it."""
        return self.rank

    def world_size(self) -> int:
        """Tell it."""
        return RANKS


class Both(Net):
    """Gives one loss a sample, and logs their mean as Lightning would have it."""

    def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
        """Do both."""
        loss = super().validation_step(batch)
        self.log("lightning", loss, sync_dist=True, batch_size=len(batch[0]))
        return loss


class Doubles(Logging):
    """Logs means that are not rounded to float32 first."""

    def losses(self, batch: list[Tensor]) -> Tensor:
        """Give them in float64."""
        return super().losses(batch).double()


class Returning(Bare):
    """Returns its mean losses."""

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Return the mean."""
        return self.losses(batch).double().mean()

    def validation_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Return the mean."""
        return self.losses(batch).double().mean()


class Parts(Doubles):
    """Logs two train losses, of which only the validation name tells which is meant."""

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        """Log another one beside the loss."""
        self.log("train_b_loss", 9.0)
        return super().training_step(batch, index)


class Tagged(Net):
    """Logs something else under one of our names, and each rank under another."""

    def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
        """Log it."""
        self.log(("Loss/val", "gapmon/mine")[self.global_rank], 42.0)
        return super().validation_step(batch)


class Rooted(Logging):
    """Logs a metric that is no mean of batches."""

    def __init__(self) -> None:
        super().__init__()
        self.root = MeanSquaredError(squared=False)

    def validation_step(self, batch: list[Tensor], *_: int) -> None:
        """Log the root of the mean square over all samples."""
        self.root.update(self.losses(batch), 0 * batch[0])
        self.log("val_loss", self.root)


class Rivals(Logging):
    """Its losses never move, and one rank logs another beside them."""

    def __init__(self, rank: int) -> None:
        super().__init__("train_g_loss", "val_g_loss")
        self.rank, self.lr = rank, 0.0

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        """Log a second loss on rank 1."""
        if self.rank:
            self.log("train_d_loss", 1.0)
        return super().training_step(batch, index)


class Ended(NamedTuple):
    """What a fit left on one rank."""

    history: dict[str, Any]
    heard: dict[str, list[list[float]]]
    marks: list[dict[str, int]]
    metrics: dict[str, float]
    step: int
    notes: tuple[str, ...]


def _fit(rank: int, folder: Path, module: Bare, train: Any, val: Any, **settings: Any) -> Ended:  # noqa: ANN401
    marks, monitor = Marks(), GapMonitor(stop=Patience(2), summary=False)
    runner = trainer(
        folder,
        monitor,
        marks,
        strategy=DDPStrategy(cluster_environment=Here(rank)),
        devices=RANKS,
        **{"use_distributed_sampler": False, "max_epochs": 2, **settings},
    )
    runner.fit(module, train, val)
    assert monitor.outcome is not None
    return Ended(
        monitor.history.to_plain(),
        module.heard,
        marks.at,
        {name: value.item() for name, value in runner.callback_metrics.items()},
        runner.global_step,
        monitor.outcome.notes,
    )


def _unequal(rank: int) -> tuple[DataLoader[Any], DataLoader[Any]]:
    """Four training batches of different sizes, and different numbers of validation batches."""
    train = loader(values((14, 8)[rank], seed=rank), batch_size=(4, 2)[rank])
    val = loader(values((7, 2)[rank], seed=9 + rank), batch_size=(2, 3)[rank])
    return train, val


def _bodies(rank: int, folder: Path) -> dict[str, Ended]:
    """Run every fit of this file: starting the processes takes longest."""
    torch.set_num_threads(1)
    # Lightning takes an empty loader on a rank only where it can't know: of a stream.
    stream = DataLoader(Stream(values((7, 0)[rank])), batch_size=2)
    train, val = _unequal(rank)
    ends = {
        module.__name__: _fit(rank, folder, module(), train, val)
        for module in (Net, Returning, Doubles)
    }
    ends["mid-epoch"] = _fit(rank, folder, Net(), train, val, val_check_interval=1, max_epochs=1)
    ends["accumulated"] = _fit(rank, folder, Returning(), train, val, accumulate_grad_batches=3)
    ends["several"] = _fit(rank, folder, Net(), train, [val, loader(3 + rank), loader(1)])
    names = ("train_a_loss", "val_a_loss")
    for name, module in (("no batch", Net()), ("no batch, logged", Parts(*names))):
        ends[name] = _fit(rank, folder, module, train, stream)
    late = DataLoader(Stream(values((0, 7)[rank])), batch_size=2)
    ends["no batch on rank 0"] = _fit(rank, folder, Doubles(), train, late)
    ends["metric"] = _fit(rank, folder, Rooted(), train, val)
    shared = (loader(values(16)), loader(values(7, seed=3), batch_size=3))
    for name, kind in (("padded", Net), ("padded means", Returning)):
        ends[name] = _fit(rank, folder, kind(), *shared, use_distributed_sampler=True)
    ones = loader(torch.ones((4, 3)[rank]), batch_size=4)
    ends["ones"] = _fit(rank, folder, Both(lr=0.0), loader(torch.ones(8)), ones)
    ends["tagged"] = _fit(rank, folder, Tagged(), train, val)
    ends["by time"] = _fit(rank, folder, Net(), train, val, max_epochs=-1, max_time="00:00:00:01")
    ends["rivals"] = _fit(rank, folder, Rivals(rank), train, val, max_epochs=5)
    ends["stopped"] = _fit(rank, folder, Net(lr=0.0), train, val, max_epochs=9)
    return ends


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Ended]]:
    """Give what each fit left, on both ranks."""
    folder = tmp_path_factory.mktemp("ranks")
    result: list[dict[str, Ended]] = run_ranks(
        _bodies, folder, world_size=2, folder=folder, seconds=180
    )
    return result


def _means(ended: list[Ended], side: str) -> list[float]:
    """Give each window's mean over the samples of both ranks, by plain arithmetic."""
    means = []
    for check in range(len(ended[0].marks) - 1):
        spans = [(end, end.marks[check][side], end.marks[check + 1][side]) for end in ended]
        batches = [batch for end, a, b in spans for batch in end.heard[side][a:b]]
        losses = [loss for batch in batches for loss in batch]
        means.append(math.fsum(losses) / len(losses))
    return means


EXACT = [
    "Net",
    "Returning",
    "Doubles",
    "mid-epoch",
    "accumulated",
    "several",
    "no batch",
    "no batch, logged",
    "no batch on rank 0",
]


def test_what_a_metric_computes_is_over_all_ranks(ends: list[dict[str, Ended]]) -> None:
    """The same on both, and with the samples of both behind it."""
    ended = [end["metric"] for end in ends]
    last = [
        x
        for end in ended
        for batch in end.heard["val"][len(end.heard["val"]) // 2 :]
        for x in batch
    ]
    root = math.sqrt(math.fsum(x * x for x in last) / len(last))

    assert ended[0].history["columns"]["val"] == ended[1].history["columns"]["val"]
    assert ended[0].history["columns"]["val"][-1] == pytest.approx(root, rel=1e-6)
    assert ended[0].history["columns"]["val_n"][-1] == len(last)


@pytest.mark.parametrize("name", EXACT)
def test_means_are_over_the_samples_of_all_ranks(name: str, ends: list[dict[str, Ended]]) -> None:
    """Whatever the sizes and numbers of batches on each, one without any included."""
    ended = [end[name] for end in ends]
    history = History.from_plain(ended[0].history)

    assert len(history) > 1
    for side in ("train", "val"):
        found = list(getattr(history, side))

        assert found == pytest.approx(_means(ended, side), rel=1e-13)


def test_a_rank_was_really_empty(ends: list[dict[str, Ended]]) -> None:
    """The case above is what its name says."""
    assert ends[1]["no batch"].heard["val"] == []
    assert ends[0]["no batch"].heard["val"] != []


def test_all_ranks_hold_the_same(ends: list[dict[str, Ended]]) -> None:
    """History, metrics and the step at which they ended, in every one of the fits."""
    for name, first in ends[0].items():
        second = ends[1][name]

        assert repr(first.history) == repr(second.history)
        assert first.step == second.step
        prefix = "gapmon/gapmon/" if name == "tagged" else ""
        ours = {key: value for key, value in first.metrics.items() if f"{prefix}Loss/" in key}
        assert len(ours) == 7
        assert repr(ours) == repr({key: second.metrics[key] for key in ours})


def test_the_plan_by_time_is_that_of_rank_zero(ends: list[dict[str, Ended]]) -> None:
    """Both ranks hold the plan by one clock, at each check."""
    plans = [History.from_plain(end["by time"].history).planned for end in ends]
    history = History.from_plain(ends[0]["by time"].history)

    assert plans[0] == plans[1] is not None
    assert all(seen.planned >= seen.check for seen in history)
    assert len(history) > 4


def test_rivals_that_one_rank_hears_keep_all_from_stopping(ends: list[dict[str, Ended]]) -> None:
    """What moved by nothing for five checks would else have been stopped at the third."""
    assert [len(History.from_plain(end["rivals"].history)) for end in ends] == [5, 5]


def test_a_tag_that_one_rank_logs_is_left_alone_on_all(ends: list[dict[str, Ended]]) -> None:
    """One rank logs `Loss/val`, the other below `gapmon/`: all move to where neither has any."""
    for rank, tag in enumerate(("Loss/val", "gapmon/mine")):
        metrics = ends[rank]["tagged"].metrics
        others = {name for name in metrics if not name.startswith("gapmon/gapmon/Loss/")}

        assert others == {tag}
        assert metrics[tag] == 42.0


def test_several_loaders_have_a_loss_each(ends: list[dict[str, Ended]]) -> None:
    """Each over the samples of both ranks."""
    (history,) = (History.from_plain(ends[0]["several"].history),)
    own = [values(3, seed=3), values(4, seed=4)]  # the second loader of each rank
    weight = ends[0]["several"].heard["val"][-1][0] / float(values(1, seed=1)[0])

    expected = float(torch.cat(own).double().mean()) * weight
    assert history[-1].loaders[1] == pytest.approx(expected, rel=1e-6)
    assert len(history[-1].loaders) == 3


def test_the_spread_over_ranks_is_known(ends: list[dict[str, Ended]]) -> None:
    """How far a single rank would have been off, once the source is settled."""
    ended = [end["Net"] for end in ends]
    history = History.from_plain(ended[0].history)

    own = [_means([end], "val")[-1] for end in ended]
    truth = _means(ended, "val")[-1]
    assert history[-1].rank_distance == pytest.approx(
        max(abs(mean - truth) for mean in own), rel=1e-9
    )


def test_repeats_are_left_out_of_losses_that_come_one_a_sample(
    ends: list[dict[str, Ended]],
) -> None:
    """The sampler repeats one of seven samples; the mean is over seven."""
    ended = [end["padded"] for end in ends]
    history = History.from_plain(ended[0].history)
    last = [[loss for batch in end.heard["val"][-2:] for loss in batch] for end in ended]

    assert [len(losses) for losses in last] == [4, 4]
    expected = math.fsum(last[0] + last[1][:3]) / 7  # the last one of rank 1 is the repeat
    assert history[-1].val == pytest.approx(expected, rel=1e-13)
    assert history[-1].val_n == 7
    assert ended[0].notes == ()


def test_repeats_in_means_are_said(ends: list[dict[str, Ended]]) -> None:
    """Where they can't be left out that is noted."""
    ended = [end["padded means"] for end in ends]
    history = History.from_plain(ended[0].history)

    assert list(history.val) == pytest.approx(_means(ended, "val"), rel=1e-13)
    assert history[-1].val_n == 8
    assert ended[0].notes == (padding(1),)


def test_lightnings_own_mean_is_still_wrong(ends: list[dict[str, Ended]]) -> None:
    """With 4 and 3 samples, every loss 1, `self.log(sync_dist=True)` says 7/6.

    It floors the mean number of samples. Once this fails, Lightning has mended it.
    """
    metrics = ends[0]["ones"].metrics

    assert metrics["lightning"] == pytest.approx(7 / 6)
    assert metrics["Loss/val"] == 1.0
    assert History.from_plain(ends[0]["ones"].history)[-1].val_n == 7


def test_ranks_stop_together(ends: list[dict[str, Ended]]) -> None:
    """A run that does not improve is stopped by the patience, at one step on both."""
    history = History.from_plain(ends[0]["stopped"].history)

    assert len(history) == 3
    assert [end["stopped"].step for end in ends] == [12, 12]


def test_a_logged_window_is_saved_before_the_first_check() -> None:
    """Its name is not settled by then; resumed, it goes on where it was on both ranks."""
    saved, resumed = Recorder({}), Recorder({})
    for recorder, value in ((saved, 1.0), (saved, 2.0), (saved, 6.0), (resumed, 9.0)):
        if recorder is resumed:
            continue_window(resumed, window_state(_two_ranks(), saved), rank=0)
        recorder.begin("train", [torch.zeros(2)])
        recorder.logged("train_loss", value, {})
    (rows,) = resumed.meter("train", "logged").rows(torch.device("cpu")).tolist()

    assert Sums(*rows).n == 2 * (2 * 3 + 1)
    assert Sums(*rows).mean == (2 * (1.0 + 2.0 + 6.0) + 9.0) / (2 * 3 + 1)


def _two_ranks() -> Any:  # noqa: ANN401 - as much of a Trainer as is asked for
    """Stand in for a Trainer whose other rank has recorded the same."""
    both = SimpleNamespace(root_device=torch.device("cpu"), reduce=lambda rows, **_: 2 * rows)
    return SimpleNamespace(world_size=RANKS, global_rank=0, strategy=both)
