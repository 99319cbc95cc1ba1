"""What a real fit is told of its rest, when it may be stopped, and by which plan."""

import json
import logging
import math
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.loggers import CSVLogger
from packaging.version import Version
from tests.fits import Logging, Net, Scripted, fit, loader, trainer
from torch import Tensor, nn

from lightning_gapmon import Budget, GapMonitor, History, Patience, Target, outlook
from lightning_gapmon.logs import gapmon_json

RISE = [1.0, *(1.0 + 0.05 * i for i in range(1, 60))]


def test_the_outlook_is_that_of_the_history_wherever_it_is_shown(tmp_path: Path) -> None:
    """The attribute, the metric, the report and the outcome hold what the history alone says."""
    monitor = GapMonitor(stop=Patience(9), summary=False)
    logger = CSVLogger(tmp_path)
    runner = trainer(tmp_path, monitor, max_epochs=20, logger=logger)
    runner.fit(Scripted(RISE), loader(8), loader(4))
    told = outlook(monitor.history)
    written = json.loads(Path(logger.log_dir, gapmon_json.NAME).read_text())["outlook"]

    assert len(monitor.history) == 10
    assert 0 < told.chance < 0.2
    assert monitor.outlook == told
    assert runner.callback_metrics["Loss/outlook"].item() == told.chance
    assert monitor.outcome is not None
    assert monitor.outcome.outlook == told
    assert written["chance"] == told.chance
    assert gapmon_json.read(Path(logger.log_dir, gapmon_json.NAME)).outlook == told


def test_an_outlook_that_is_not_known_is_logged_as_nan(tmp_path: Path) -> None:
    """After three checks, and after the last one of the plan, nothing is told."""
    monitor = GapMonitor(summary=False)
    runner = trainer(tmp_path, monitor, max_epochs=3)
    runner.fit(Net(), loader(8), loader(4))

    assert math.isnan(runner.callback_metrics["Loss/outlook"].item())
    assert monitor.outlook.reason == "fewer than 4 checks with a finite loss"
    assert GapMonitor().outlook == outlook(History())


@pytest.mark.parametrize(("best_at", "checks"), [(9, 12), (10, 15), (11, 15)])
def test_no_stop_near_the_end(best_at: int, checks: int, tmp_path: Path) -> None:
    """With one or two of 15 planned checks left a run goes on, whatever the wait."""
    script = [*(2.0 - 0.1 * i for i in range(best_at)), *[3.0] * (15 - best_at)]
    monitor = GapMonitor(stop=Budget(0.0, tolerance=0.0), summary=False)
    fit(Scripted(script), tmp_path, monitor, max_epochs=15)

    assert len(monitor.history) == checks


def test_an_annealed_objective_is_judged_after_its_warm_up(tmp_path: Path) -> None:
    """An early best that means little is seen neither by the rule nor by the outlook."""
    annealed = [0.1] * 3 + [1.0 - 0.02 * i for i in range(27)]
    plain = GapMonitor(stop=Budget.eager(), summary=False)
    warmed = GapMonitor(stop=Budget.eager().after(3), summary=False)
    for monitor in (plain, warmed):
        fit(Scripted(annealed), tmp_path, monitor, max_epochs=30)

    assert plain.stop_reason is not None
    assert warmed.stop_reason is None
    assert len(warmed.history) == 30
    assert warmed.outlook == outlook(warmed.history[3:])


def test_the_outlook_of_a_warm_up_sees_the_later_checks_alone(tmp_path: Path) -> None:
    """While the run goes on it has a chance by these, and none by all."""
    annealed = [0.1] * 3 + [1.0 - 0.02 * i for i in range(27)]
    monitor = GapMonitor(stop=Budget.eager().after(3), summary=False)
    fit(Scripted(annealed), tmp_path, monitor, max_epochs=30)
    half = monitor.history[:15]

    assert outlook(half[3:]).chance > 0.8
    assert outlook(half).chance < 0.2


class Adversaries(LightningModule):
    """A GAN's two losses, of which one rises as the other falls."""

    def __init__(self, names: tuple[str, str] = ("d_loss", "g_loss")) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.names = names
        self.nets = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])

    def training_step(self, batch: list[Tensor], _: int) -> None:
        """Step both."""
        self._log("train")
        for optimizer, net in zip(self._optimizers(), self.nets, strict=True):
            optimizer.zero_grad()
            net(batch[0][:, None]).mean().backward()
            optimizer.step()

    def validation_step(self, _: list[Tensor], __: int) -> None:
        """Log both."""
        self._log("val")

    def _log(self, side: str) -> None:
        for sign, name in zip((-1, 1), self.names, strict=True):
            self.log(f"{side}_{name}", 1 + 0.02 * sign * self.current_epoch, batch_size=1)

    def _optimizers(self) -> list[Any]:
        return list(self.optimizers())

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Give each its own."""
        return [torch.optim.SGD(net.parameters(), lr=0.001) for net in self.nets]


class Rivals(Logging):
    """Logs two losses of training of which none is the total, and one of validation."""

    def __init__(self) -> None:
        super().__init__("train_g_loss", "val_g_loss")

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Log another loss too."""
        self.log("train_d_loss", -self.losses(batch).mean())
        return super().training_step(batch, _)


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (Adversaries(("d_loss", "loss")), "'train_loss' and 'val_loss', which it guessed among"),
        (Adversaries(("d_loss", "g_loss")), r"found no validation loss: .*'val_d_loss'"),
        (Rivals(), "'train_g_loss' and 'val_g_loss', which it guessed among several losses"),
    ],
    ids=["manual", "several on both sides", "several on one side"],
)
def test_an_adversarial_loss_is_watched_and_not_stopped_on(
    module: LightningModule, said: str, tmp_path: Path
) -> None:
    """It says what it saw, and does not stop until it is told which loss should fall."""
    monitor = GapMonitor(stop=Target(1e9) | Patience(3), summary=False)
    with pytest.warns(UserWarning, match=said):
        fit(module, tmp_path, monitor, max_epochs=5)

    assert monitor.stop_reason is None
    assert len(monitor.history) == 5


@pytest.mark.parametrize("module", [Adversaries(), Rivals()])
def test_a_loss_that_was_named_is_stopped_on(module: LightningModule, tmp_path: Path) -> None:
    """A name is enough, whatever else there is."""
    monitor = GapMonitor(stop=Target(1e9), train="train_g_loss", val="val_g_loss", summary=False)
    fit(module, tmp_path, monitor, max_epochs=5)

    assert monitor.stop_reason is not None
    assert len(monitor.history) == 1


def test_the_plan_by_time_is_followed(tmp_path: Path) -> None:
    """Under `max_time` alone each check holds a plan by the pace so far, and the last one fits."""
    monitor = GapMonitor(stop=None, summary=False)
    fit(Net(), tmp_path, monitor, max_epochs=-1, max_time=timedelta(seconds=1))
    plans = [seen.planned for seen in monitor.history]

    assert len(plans) > 5
    assert all(plan >= seen.check for plan, seen in zip(plans, monitor.history, strict=True))
    assert plans[-1] <= len(plans) + 1
    assert monitor.history.planned == plans[-1]
    assert monitor.history[:3].planned == plans[2]


def test_the_shorter_of_two_plans_counts(tmp_path: Path) -> None:
    """With time for far more, the epochs decide."""
    monitor = GapMonitor(summary=False)
    fit(Net(), tmp_path, monitor, max_epochs=4, max_time=timedelta(hours=9))

    assert [seen.planned for seen in monitor.history] == [4.0] * 4


@pytest.mark.skipif(Version(lightning.__version__) < Version("2.6"), reason="came with 2.6")
def test_validation_by_the_clock_has_a_plan(tmp_path: Path) -> None:
    """By the share of the batches that is behind."""
    monitor = GapMonitor(summary=False, stop=None)
    fit(Net(), tmp_path, monitor, train=18, max_epochs=2, val_check_interval="00:00:00:00")

    assert [seen.planned for seen in monitor.history] == [float(len(monitor.history))] * len(
        monitor.history
    )


class Scheduled(Scripted):
    """Has a schedule of its rate."""

    def __init__(self, kind: type[Any], settings: Mapping[str, Any], interval: str) -> None:
        super().__init__([2.0 - 0.1 * i for i in range(12)])
        self.kind, self.schedule, self.interval = kind, settings, interval

    def configure_optimizers(self) -> Any:  # noqa: ANN401 - what Lightning takes
        """Schedule it."""
        optimizer = super().configure_optimizers()
        scheduler = self.kind(optimizer, **self.schedule)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": self.interval},
        }


@pytest.mark.parametrize(
    ("kind", "settings", "interval", "changes"),
    [
        ("StepLR", {"step_size": 4}, "epoch", [3, 2, 1, 4, 3, 2]),
        ("StepLR", {"step_size": 4, "gamma": 0.9}, "epoch", [math.nan] * 6),
        (
            "MultiStepLR",
            {"milestones": [3]},
            "epoch",
            [2, 1, math.nan, math.nan, math.nan, math.nan],
        ),
        (
            "MultiStepLR",
            {"milestones": [6]},
            "step",
            [1, *[math.nan] * 5],
        ),
        ("CosineAnnealingWarmRestarts", {"T_0": 3}, "epoch", [2, 1, 3, 2, 1, 3]),
        ("CosineAnnealingLR", {"T_max": 9}, "epoch", [math.nan] * 6),
    ],
)
def test_a_planned_change_of_the_rate_is_foreseen(
    kind: str,
    settings: dict[str, Any],
    interval: str,
    changes: list[float],
    tmp_path: Path,
) -> None:
    """In checks at the pace so far, three steps to a check here; without one it is NaN."""
    module = Scheduled(getattr(torch.optim.lr_scheduler, kind), settings, interval)
    monitor = fit(module, tmp_path, train=12, max_epochs=6)

    assert list(monitor.history.lr_change_in) == pytest.approx(changes, nan_ok=True)


def test_the_start_and_the_stop_say_how_to_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Before the first step the rule and how to switch it off; at the stop what is left of it."""
    monitor = GapMonitor(stop=Patience(5), summary=False)
    with caplog.at_level(logging.INFO):
        fit(Scripted(RISE), tmp_path, monitor, max_epochs=20, enable_checkpointing=True)
    start, stop = (
        next(text for text in caplog.messages if part in text)
        for part in ("may stop the run", "stops the run")
    )

    assert (
        start == "GapMonitor: may stop the run by Patience(5); GapMonitor(stop=None) only watches"
    )
    assert caplog.messages.index(start) < caplog.messages.index(stop)
    assert "best: check 1, loss 1.000, in " in stop
    assert "chance of a loss that is 0.5 % better" in stop
    assert stop.endswith('to go on, fit with GapMonitor(stop=None) and ckpt_path="last"')


def test_without_a_checkpoint_none_is_promised(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And a monitor that only watches says nothing of a stop."""
    with caplog.at_level(logging.INFO):
        fit(Scripted(RISE), tmp_path, GapMonitor(stop=Patience(5), summary=False), max_epochs=20)
        stopped = next(text for text in caplog.messages if "stops the run" in text)
        caplog.clear()
        fit(Scripted(RISE), tmp_path, GapMonitor(stop=None, summary=False), max_epochs=9)

    assert "best: check 1, loss 1.000;" in stopped
    assert stopped.endswith("to go on, fit with GapMonitor(stop=None)")
    assert not [text for text in caplog.messages if "stop the run" in text]
