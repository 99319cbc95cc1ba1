"""The probe and the lag: the fair train loss, without a trace in the run."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from scipy import stats
from sklearn.datasets import load_digits
from tests.fits import QUIET
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset
from torchmetrics import MeanMetric

from lightning_gapmon import GapMonitor, GapMonitorMixin
from lightning_gapmon.analysis.history.interval import Estimate, difference
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.monitor.checks.rank_zero import RankZero
from lightning_gapmon.monitor.fit import Fit
from lightning_gapmon.monitor.probe.batches import Amount, ProbeBatches


def _digits(start: int, stop: int) -> TensorDataset:
    x, y = (torch.tensor(part) for part in load_digits(return_X_y=True))
    return TensorDataset(x[start:stop].float() / 16, y[start:stop])


TRAIN, VAL = _digits(0, 200), _digits(200, 300)


class _Net(LightningModule):
    """Dropout and batch norm, a metric, and a log: what a careless second pass would disturb."""

    def __init__(self, dropout: float = 0.5) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(64, 32),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(32, 10),
        )
        self.metric = MeanMetric()
        self.seen: list[float] = []

    def losses(self, batch: list[Tensor]) -> Tensor:
        return functional.cross_entropy(self.net(batch[0]), batch[1], reduction="none")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class _Mixed(GapMonitorMixin, _Net):
    def loss_step(self, batch: list[Tensor]) -> Tensor:
        return self.losses(batch)


class _Logging(_Net):
    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        loss = self.losses(batch).mean()
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: list[Tensor], *_: int) -> None:
        loss = self.losses(batch).mean()
        self.metric.update(loss, len(batch[0]))
        self.log("val_loss", loss)
        self.log("val_metric", self.metric)


class _Returning(_Net):
    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        return self.losses(batch).mean()

    def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
        return self.losses(batch).mean()


class _Watch(GapMonitor):
    """Keeps what the module says of the whole training data in eval mode, at each check."""

    def __init__(self, **asked: Any) -> None:  # noqa: ANN401 - the monitor's options
        super().__init__(stop=None, summary=False, **asked)
        self.truth: list[float] = []

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_validation_end(trainer, pl_module)
        if not trainer.sanity_checking and isinstance(pl_module, _Net):
            with torch.no_grad():
                losses = pl_module.losses(list(TRAIN.tensors))
            self.truth.append(losses.double().mean().item())


def _fit(
    module: LightningModule, monitor: Callback, train: DataLoader[Any] | None = None
) -> Trainer:
    trainer = Trainer(**QUIET, max_epochs=3, callbacks=[monitor])
    loader = DataLoader(TRAIN, 16, shuffle=True) if train is None else train
    trainer.fit(module, loader, DataLoader(VAL, 50))
    return trainer


@pytest.mark.parametrize("kind", [_Mixed, _Logging, _Returning])
@pytest.mark.parametrize(
    "asked", [{"probe": 13}, {"probe": TRAIN}, {"probe": DataLoader(TRAIN, 50)}]
)
def test_probe_of_all_training_data_is_its_mean_in_eval_mode(
    kind: type[_Net], asked: dict[str, Any]
) -> None:
    """Whatever the source, the probe is the plain mean at the weights of the check."""
    monitor = _Watch(**asked)
    _fit(kind(), monitor)

    assert list(monitor.history.probe) == pytest.approx(monitor.truth, rel=1e-6)
    assert {seen.measured_gap.basis for seen in monitor.history} == {"probe"}


def test_interval_of_the_gap_is_that_of_both_sides_losses() -> None:
    """From single losses as scipy measures them; batch means would leave less to tell."""
    module = _Mixed()
    monitor = GapMonitor(stop=None, summary=False, probe=13)
    _fit(module, monitor)
    module.eval()
    with torch.no_grad():
        train, val = (module.losses(list(side.tensors)).double() for side in (TRAIN, VAL))
    expected = difference(_as_scipy_sees(val), _as_scipy_sees(train))
    last = monitor.history[-1].measured_gap

    assert (last.low, last.high) == pytest.approx(expected, rel=1e-4)
    assert (monitor.history.gap_low[-1], monitor.history.gap_high[-1]) == (last.low, last.high)
    assert last.high - last.absolute > 1.02 * (last.absolute - last.low)


def _as_scipy_sees(losses: Tensor) -> Estimate:
    count = len(losses)
    skew = float(stats.skew(losses)) / math.sqrt(count)
    return Estimate(float(losses.mean()), float(stats.sem(losses)), skew, count)


@pytest.mark.parametrize("kind", [_Mixed, _Logging, _Returning])
@pytest.mark.parametrize("probe", [3, "20%"])
def test_probe_leaves_no_trace(kind: type[_Net], probe: int | str) -> None:
    """Weights, buffers, metrics, logs and random state are those of a run without a probe."""
    bare, watched = (
        _trace(kind(), callback)
        for callback in (Callback(), GapMonitor(stop=None, summary=False, probe=probe))
    )

    assert bare.keys() == watched.keys()
    assert [name for name in bare if not torch.equal(bare[name], watched[name])] == []


def _trace(module: _Net, callback: Callback) -> dict[str, Tensor]:
    seed_everything(1)
    module.load_state_dict(type(module)().state_dict())
    trainer = _fit(module, callback)
    metrics = trainer.callback_metrics.items()
    logged = {name: value for name, value in metrics if not name.startswith("Loss/")}
    state = {"rng": torch.get_rng_state(), "metric": torch.as_tensor(module.metric.mean_value)}
    return {**module.state_dict(), **logged, **state}


class _Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        return (TRAIN[i] for i in range(len(TRAIN)))


def test_probe_of_a_stream_reads_the_first_batches_again() -> None:
    """What cannot be asked for again is kept: here the first two batches of the stream."""
    monitor = GapMonitor(stop=None, summary=False, probe=2)
    module = _Mixed()
    _fit(module, monitor, DataLoader(_Stream(), 16))
    x, y = TRAIN.tensors
    module.eval()
    truth = module.losses([x[:32], y[:32]]).mean().item()

    assert monitor.history.probe[-1] == pytest.approx(truth, rel=1e-6)


def test_a_share_of_the_time_is_kept_from_what_a_batch_has_cost() -> None:
    """Four checks of 10 s and probes of 0.1 s a batch allow a fifth of 10 s: 20 batches."""
    batches = ProbeBatches(Amount(share=0.2))
    for check in range(1, 5):
        batches.fit_amount(RankZero(validating=10.0, probing=0.1 * check, probed=check))

    assert batches.used == 20


def test_a_share_of_the_time_is_kept_in_a_fit() -> None:
    """A share of validation's time starts with one batch, and a check never goes without."""
    monitor = GapMonitor(stop=None, summary=False, probe="100%")
    _fit(_Mixed(), monitor, DataLoader(TRAIN, 4, shuffle=True))

    assert all(map(math.isfinite, monitor.history.probe))


@pytest.mark.parametrize(
    ("kind", "probe", "told"),
    [(_Logging, 1, True), (_Logging, 2, False), (_Mixed, 1, False), (_Logging, None, False)],
)
def test_a_gap_without_an_error_says_why(
    kind: type[_Net],
    probe: int | None,
    told: bool,  # noqa: FBT001
) -> None:
    """One batch's mean has no standard error; the report says what would have given one."""
    monitor = GapMonitor(stop=None, summary=False, probe=probe)
    _fit(kind(), monitor)

    assert monitor.outcome is not None
    assert math.isnan(monitor.history[-1].gap_stderr) is told
    assert any("ask for more batches" in note for note in monitor.outcome.notes) is told


def test_several_validation_loaders_have_one_probe() -> None:
    """A validation step that wants the loader's number gets it."""

    class Two(_Returning):
        def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
            assert len(_) == 2
            return super().validation_step(batch)

    monitor = _Watch(probe=13)
    trainer = Trainer(**QUIET, max_epochs=1, callbacks=[monitor])
    trainer.fit(Two(), DataLoader(TRAIN, 16), [DataLoader(VAL, 50), DataLoader(VAL, 20)])

    assert list(monitor.history.probe) == pytest.approx(monitor.truth, rel=1e-6)
    assert len(monitor.history[0].loaders) == 2


@pytest.mark.parametrize(
    "wanted", [0, True, "5", "0%", "120%", 1.5, _Stream(), DataLoader(_Stream())]
)
def test_odd_probe_is_refused(wanted: Any) -> None:  # noqa: ANN401 - anything wrong
    """What is no amount and cannot be read by index is refused before training."""
    with pytest.raises(
        ConfigurationError, match=r"Found GapMonitor\(probe=.*expected a number of"
    ):
        GapMonitor(probe=wanted)


def test_the_gap_between_the_same_data_is_nothing_but_lag() -> None:
    """Validated on the training data without dropout, the corrected gap is 0, the naive is not."""
    seed_everything(0)
    train: Dataset[Any] = _digits(0, 1000)
    monitor = GapMonitor(stop=None, summary=False)
    module = _Plain()
    Trainer(**QUIET, max_epochs=8, callbacks=[monitor]).fit(
        module, DataLoader(train, 32, shuffle=True), DataLoader(train, 500)
    )
    history = monitor.history
    naive = [val - loss for val, loss in zip(history.val, history.train, strict=True)]
    inside = [abs(g) <= 2.6 * s for g, s in zip(history.gap, history.end_stderr, strict=True)]

    assert {seen.measured_gap.basis for seen in history} == {"end"}
    assert all(inside[1:])
    assert all(gap < -0.02 for gap in naive[:6])
    assert max(map(abs, history.gap)) < 0.5 * max(map(abs, naive))
    assert history[3].measured_gap.observed == pytest.approx(naive[3])


class _Plain(_Mixed):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def test_a_step_on_the_instance_stays_there() -> None:
    """A step that somebody put on the module itself, as `torch.compile` does, is there again."""
    module = _Mixed()
    calls: list[int] = []

    def step(batch: list[Tensor], batch_idx: int) -> Tensor:
        calls.append(batch_idx)
        return module.tracked_mean(batch)

    module.validation_step = step  # type: ignore[method-assign]
    _fit(module, GapMonitor(stop=None, summary=False, probe=1))

    assert module.validation_step is step
    assert len(calls) == 2 + 3 * 2  # the sanity check's, and each validation's


class _Gathering(_Logging):
    """Gathers what its validation steps have seen until the epoch ends, in several ways."""

    def __init__(self) -> None:
        super().__init__()
        self.outputs: list[Tensor] = []
        self.by_kind: dict[str, list[Tensor]] = {"loss": []}
        self.steps = 0
        self.ends: list[tuple[int, int, int]] = []

    def validation_step(self, batch: list[Tensor], *_: int) -> None:
        super().validation_step(batch)
        self.steps += 1
        self.outputs.append(batch[1])
        self.by_kind["loss"].append(batch[1])

    def on_validation_epoch_end(self) -> None:
        self.ends.append((len(self.outputs), len(self.by_kind["loss"]), self.steps))
        self.outputs.clear()
        self.by_kind["loss"] = []


def test_probe_leaves_nothing_in_what_a_module_gathers() -> None:
    """Lists, dicts and counters that a validation step fills hold the validation alone."""
    bare, probed = _Gathering(), _Gathering()
    _fit(bare, Callback())
    _fit(probed, GapMonitor(stop=None, summary=False, probe=3))

    assert bare.ends == probed.ends
    assert bare.ends[-1][0] > 0


def test_the_share_survives_a_resume() -> None:
    """What a share of validation's time has come to is read from the first check after it on."""
    before, after = (Fit(GapMonitor(probe="20%")._settings, rank=0) for _ in range(2))
    assert before.probe is not None
    assert after.probe is not None
    before.probe.fit_amount(RankZero(validating=10.0, probing=0.1, probed=1))
    after.load_state_dict(before.state_dict())

    assert after.probe.batches.used == 20


def test_a_number_of_batches_may_change_at_a_resume() -> None:
    """A budget that is given holds, whatever was read before."""
    resumed = Fit(GapMonitor(probe=3)._settings, rank=0)
    resumed.load_state_dict({**resumed.state_dict(), "probe_batches": 8})

    assert resumed.state_dict()["probe_batches"] == 3
