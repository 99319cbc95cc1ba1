"""The loss before the first step: kept from the sanity check, and no check."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from scipy import stats
from tests.fits import Bare, Logging, Net, Stream, fit, loader, trainer, values
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchmetrics import MeanMetric

from lightning_gapmon import GapMonitor, GapMonitorMixin
from lightning_gapmon.analysis.history.start_loss import StartLoss
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.monitor.checks.start import Start

VAL = values(10, seed=3)  # three batches of four, four and two; the weight begins at one


class Returning(Bare):
    """Returns its mean losses."""

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Return the mean."""
        return self.losses(batch).mean()

    def validation_step(self, batch: list[Tensor], *_: int) -> Tensor | None:
        """Return the mean."""
        return self.losses(batch).mean()


class Late(Returning):
    """Logs its validation loss when its own validation epoch ends."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Tensor] = []

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        """Log the mean."""
        loss = super().training_step(batch, index)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: list[Tensor], *_: int) -> None:
        """Gather the losses."""
        self.batches.append(self.losses(batch))

    def on_validation_epoch_end(self) -> None:
        """Log their mean."""
        self.log("val_loss", torch.cat(self.batches).mean())
        self.batches.clear()


class Both(Returning):
    """Logs another validation loss than the one it returns, and only returns the train loss."""

    def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
        """Do both."""
        loss = super().validation_step(batch)
        assert loss is not None
        self.log("val_loss", 100 * loss)
        return loss


def _start(module: LightningModule, folder: Path, monitor: GapMonitor, **asked: Any) -> StartLoss:  # noqa: ANN401
    start = fit(module, folder, monitor, val=asked.pop("val", VAL), max_epochs=1, **asked)
    assert start.history.start is not None
    return start.history.start


KINDS = [Net, Logging, Returning, Late, Both]


@pytest.mark.parametrize("kind", KINDS)
def test_the_sanity_checks_loss_is_kept(kind: type[Bare], tmp_path: Path) -> None:
    """It is the plain mean over its two batches, wherever the module says its loss."""
    start = _start(kind(), tmp_path, GapMonitor(summary=False))

    assert start.loss == pytest.approx(float(VAL[:8].double().mean()), rel=1e-6)
    assert (start.batches, start.whole) == (2, False)


@pytest.mark.parametrize("steps", [0, 2, -1])
@pytest.mark.parametrize("kind", KINDS)
def test_all_of_validation_is_read_where_that_is_asked(
    kind: type[Bare], steps: int, tmp_path: Path
) -> None:
    """Whatever the Trainer was told, and it has its own number again."""
    monitor, module = GapMonitor(start=True, summary=False), kind()
    start = _start(module, tmp_path, monitor, num_sanity_val_steps=steps)

    assert start.loss == pytest.approx(float(VAL.double().mean()), rel=1e-6)
    assert (start.batches, start.whole) == (3, True)
    assert module.trainer.num_sanity_val_steps == (steps if steps >= 0 else float("inf"))


def test_its_error_is_that_of_its_samples(tmp_path: Path) -> None:
    """As scipy measures it, where each sample has a loss of its own."""
    start = _start(Net(), tmp_path, GapMonitor(summary=False))

    assert start.stderr == pytest.approx(float(stats.sem(VAL[:8].double())), rel=1e-6)
    assert start.samples == 8


def test_a_stream_has_no_known_end(tmp_path: Path) -> None:
    """A part of it is a part; all of it is all."""
    part = _start(Net(), tmp_path, GapMonitor(summary=False), val=DataLoader(Stream(VAL), 4))
    whole = GapMonitor(start=True, summary=False)
    start = _start(Net(), tmp_path, whole, val=DataLoader(Stream(VAL), 4))

    assert (part.samples, part.whole) == (8, False)
    assert (start.samples, start.whole) == (10, True)


def test_of_several_loaders_it_is_the_one_that_is_watched(tmp_path: Path) -> None:
    """As at a check."""
    loaders = [loader(VAL), loader(values(3, seed=5))]
    start = _start(Net(), tmp_path, GapMonitor(loader=1, summary=False), val=loaders)

    assert start.loss == pytest.approx(float(values(3, seed=5).double().mean()), rel=1e-6)


def test_without_a_sanity_check_there_is_none(tmp_path: Path) -> None:
    """Nothing is made up."""
    monitor = fit(Net(), tmp_path, num_sanity_val_steps=0)

    assert monitor.history.start is None


def test_a_loss_that_is_not_watched_is_none(tmp_path: Path) -> None:
    """Rather no start than another loss's: of two that are logged, training tells which."""

    class Two(Logging):
        def validation_step(self, batch: list[Tensor], *_: int) -> None:
            super().validation_step(batch)
            if self.trainer.sanity_checking:
                self.log("val_loss", 9.0)

    monitor = fit(Two("train_a_loss", "val_a_loss"), tmp_path, max_epochs=1)

    assert monitor.history.val[0] < 1
    assert monitor.history.start is None


class _Net(GapMonitorMixin, LightningModule):
    """Dropout, batch norm, metrics and counters: what validating once more would disturb."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 1))
        self.logged, self.own = MeanMetric(), MeanMetric()
        self.steps, self.lowest = 0, float("inf")

    def loss_step(self, batch: list[Tensor]) -> Tensor:
        losses: Tensor = self.net(batch[0][:, None]).square().mean(1)
        return losses

    def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
        loss = super().validation_step(batch)
        self.steps += 1
        self.own.update(loss + torch.rand(()))
        self.logged.update(loss)
        self.log("val_metric", self.logged)
        self.lowest = min(self.lowest, float(loss))
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def _trace(folder: Path, *, start: bool) -> tuple[dict[str, Tensor], GapMonitor]:
    seed_everything(1)
    module, monitor = _Net(), GapMonitor(start=start, stop=None, summary=False)
    runner = trainer(folder, monitor, num_sanity_val_steps=0)
    runner.fit(module, DataLoader(loader(40).dataset, 8, shuffle=True), loader(VAL))
    own = {"own": module.own.mean_value, "weight": module.own.weight}
    counts = {"steps": torch.tensor(module.steps), "lowest": torch.tensor(module.lowest)}
    metrics = runner.callback_metrics.items()
    logged = {name: value for name, value in metrics if not name.startswith("Loss/")}
    state = {**module.state_dict(), **logged, **own, **counts}
    return {**state, "rng": torch.get_rng_state()}, monitor


def test_validating_before_the_first_step_leaves_no_trace(tmp_path: Path) -> None:
    """Weights, metrics, attributes, logs, checks and random state are bit by bit the same."""
    (bare, without), (watched, started) = (_trace(tmp_path, start=on) for on in (False, True))

    assert started.history.start is not None
    assert without.history.start is None
    assert bare.keys() == watched.keys()
    assert [name for name in bare if not torch.equal(bare[name], watched[name])] == []
    for column in ("check", "val", "train", "gap", "step", "planned"):
        old, new = ([getattr(seen, column) for seen in m.history] for m in (without, started))

        assert old == new


def test_a_resumed_run_keeps_its_start(tmp_path: Path) -> None:
    """Nothing is validated before the first step of a resumed run, which has trained already."""
    first = GapMonitor(summary=False)
    runner = trainer(tmp_path, first, max_epochs=1)
    runner.fit(Net(), loader(10), loader(VAL))
    runner.save_checkpoint(tmp_path / "one.ckpt")
    resumed = fit(
        Net(),
        tmp_path,
        GapMonitor(start=True, summary=False),
        val=VAL,
        max_epochs=2,
        ckpt_path=str(tmp_path / "one.ckpt"),
    )

    assert len(resumed.history) == 2
    assert resumed.history.start == first.history.start
    assert first.history.start is not None


def test_it_is_known_before_the_first_check(tmp_path: Path) -> None:
    """A checkpoint that is saved in the first epoch has it."""
    found: list[Any] = []

    class Look(Callback):
        def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:  # noqa: ANN401
            found.append(monitor.state_dict()["history"]["start"])

    monitor = GapMonitor(summary=False)
    fit(Net(), tmp_path, monitor, Look(), val=VAL, max_epochs=1)

    assert monitor.history.start is not None
    assert found[0] == monitor.history.start.to_plain()


class _Failing(_Net):
    def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
        super().validation_step(batch)
        raise ValueError


def test_what_fails_gives_all_back(tmp_path: Path) -> None:
    """The Trainer's number of batches, the module's metrics and counters."""
    module, monitor = _Failing(), GapMonitor(start=True, summary=False)
    runner = trainer(tmp_path, monitor, num_sanity_val_steps=1)
    with pytest.raises(ValueError):  # noqa: PT011 - the module's own, without words
        runner.fit(module, loader(10), loader(VAL))

    assert runner.num_sanity_val_steps == 1
    assert (module.steps, float(module.own.weight)) == (0, 0)


def test_a_copy_takes_neither_trainer_nor_module_along() -> None:
    """A copy that is made before the first step changes nothing when it ends."""
    runner, before = trainer(Path(), max_epochs=1), Start(whole=True)
    before.ask(runner)
    copy = pickle.loads(pickle.dumps(before))  # noqa: S301 - our own bytes

    copy.detach()
    assert runner.num_sanity_val_steps == float("inf")
    before.detach()
    assert runner.num_sanity_val_steps == 2


def test_odd_start_is_refused() -> None:
    """It is a question of yes or no."""
    with pytest.raises(ConfigurationError, match=r"Found GapMonitor\(start=3\); expected True"):
        GapMonitor(start=3)  # type: ignore[arg-type]
