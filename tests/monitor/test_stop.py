"""When a run is stopped, why, and what that leaves to others."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from tests.fits import Bare, Scripted, fit, loader, trainer
from torch import Tensor, nn

from lightning_gapmon import Budget, GapMonitor, NonFinite, Patience


def test_the_default_rule_knows_the_plan(tmp_path: Path) -> None:
    """`Budget` waits three tenths of the 40 planned checks and of those that are left."""
    monitor = fit(Scripted([1.0] + [2.0] * 99), tmp_path, max_epochs=40)
    checks = len(monitor.history)

    assert monitor.history.planned == 40
    assert checks - 1 >= 0.3 * (40 + 40 - checks) > checks - 2 - 0.3
    assert monitor.stop == Budget().lr_aware() | NonFinite(3)
    assert "no improvement by 3 % for" in str(monitor.stop_reason)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_the_default_rule_does_not_train_on_what_is_not_finite(bad: float, tmp_path: Path) -> None:
    """Two such losses may pass, three in a row do not."""
    monitor = fit(Scripted([3.0, bad, bad, 2.0] + [bad] * 99), tmp_path, max_epochs=40)

    assert len(monitor.history) == 7
    assert str(monitor.stop_reason).endswith("[NonFinite(3)]")


def test_a_share_of_the_plan_is_read_from_the_trainer(tmp_path: Path) -> None:
    """A fifth of the planned checks, at least five."""
    monitor = GapMonitor(stop=Patience("20%"), summary=False)
    fit(Scripted([1.0] + [2.0] * 99), tmp_path, monitor, max_epochs=40)

    assert monitor.history.planned == 40
    assert len(monitor.history) == 9
    assert str(monitor.stop_reason) == (
        "no improvement for 8 checks since the best validation loss 1.000 at check 1 [Patience()]"
    )


def test_no_rule_never_stops(tmp_path: Path) -> None:
    """`stop=None` only watches."""
    monitor = GapMonitor(stop=None, summary=False)
    fit(Scripted([1.0] + [2.0] * 99), tmp_path, monitor, max_epochs=20)

    assert len(monitor.history) == 20
    assert monitor.stop_reason is None


# Validation losses, and where Lightning's own EarlyStopping(patience=2) ends.
SEQUENCES = [
    [3.0, 2.0, 2.5, 2.6, 1.0, 0.5],
    [3.0, 2.0, 2.5, 1.9, 2.5, 2.4, 0.1],
    [1.0, 1.0, 1.0, 1.0],
    [-1.0, -2.0, -1.5, -1.9, -1.95],
    [5.0, 4.0, 3.0, 2.0, 1.0, 0.5],
    [1e-3, 9.9e-4, 9.9e-4, 9.8e-4, 9.9e-4, 9.9e-4],
]


@pytest.mark.parametrize("min_delta", [0.0, 0.25])
@pytest.mark.parametrize("losses", SEQUENCES)
def test_it_stops_where_early_stopping_does(
    losses: list[float], min_delta: float, tmp_path: Path
) -> None:
    """`Patience(n)` ends a real run at the step where Lightning's own callback does."""
    ends = []
    stock = EarlyStopping("val_loss", patience=2, min_delta=min_delta)
    ours = GapMonitor(stop=Patience(2, min_delta=min_delta), summary=False)
    for callback in (stock, ours):
        runner = trainer(tmp_path, callback, max_epochs=len(losses))
        runner.fit(Scripted(losses), loader(8), loader(4))
        ends.append((runner.global_step, runner.current_epoch, runner.should_stop))

    assert ends[0] == ends[1]
    assert (ours.stop_reason is not None) == ends[0][2]


# A stop is asked for at check 3 and taken back at check 4; what may stop when, and the last step.
FLOORS: dict[str, tuple[dict[str, Any], int]] = {
    "none": ({}, 6),
    "epochs": ({"min_epochs": 4}, 20),
    "epochs met": ({"min_epochs": 3}, 6),
    "steps": ({"min_steps": 7}, 20),
    "steps met": ({"min_steps": 6}, 6),
}


@pytest.mark.parametrize(("floor", "steps"), FLOORS.values(), ids=list(FLOORS))
def test_a_stop_before_the_floor_does_not_latch(
    floor: dict[str, int], steps: int, tmp_path: Path
) -> None:
    """What is asked for before `min_epochs` or `min_steps` is forgotten when losses recover."""
    monitor = GapMonitor(stop=Patience(2), summary=False)
    script = [1.0, 2.0, 2.0, *[0.9 - 0.1 * i for i in range(7)]]
    runner = trainer(tmp_path, monitor, max_epochs=10, **floor)
    runner.fit(Scripted(script), loader(8), loader(4))

    assert runner.global_step == steps
    assert (monitor.stop_reason is None) == (steps == 20)


def test_a_stop_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    """Checks within an epoch stop within it, and floors count whole epochs there too."""
    ends = {}
    for floor in (0, 1, 2):
        monitor = GapMonitor(stop=Patience(2), summary=False)
        runner = trainer(tmp_path, monitor, max_epochs=9, min_epochs=floor, val_check_interval=2)
        runner.fit(Scripted([1.0] + [2.0] * 99), loader(32), loader(4))
        ends[floor] = runner.global_step

    assert ends == {0: 6, 1: 8, 2: 16}


def test_a_stop_of_others_is_respected(tmp_path: Path) -> None:
    """Another callback may end the run; ours gives no reason for it."""

    class Enough(Callback):
        def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
            if trainer.current_epoch == 1:
                trainer.should_stop = True

    for order in (0, 1):
        monitor = GapMonitor(summary=False)
        callbacks: list[Callback] = [Enough(), monitor]
        fit(Scripted([1.0, 0.9, 0.8]), tmp_path, *(callbacks[:: 1 - 2 * order]))

        assert len(monitor.history) == 2
        assert monitor.stop_reason is None


def test_the_reason_is_said_and_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is on the monitor, in its outcome, in the log and in the report beside the logs."""
    with caplog.at_level("INFO"):
        monitor = fit(
            Scripted([1.0] + [2.0] * 9),
            tmp_path,
            GapMonitor(stop=Patience(2), summary=False),
            max_epochs=9,
            logger=CSVLogger(tmp_path),
        )

    reason = "no improvement for 2 checks since the best validation loss 1.000 at check 1"
    assert monitor.stop_reason is not None
    assert monitor.stop_reason.message == reason
    assert monitor.outcome is not None
    assert monitor.outcome.stop_reason == monitor.stop_reason
    assert sum(reason in line for line in caplog.messages) == 1
    (report,) = tmp_path.rglob("gapmon.json")
    assert reason in report.read_text()


def test_nothing_is_stopped_without_a_validation_loss(tmp_path: Path) -> None:
    """A run whose loss was never heard is not ended for want of improvement."""

    class Deaf(Bare):
        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            return self.losses(batch).mean()

        def validation_step(self, batch: list[Tensor], _: int) -> None:
            pass

    with pytest.warns(UserWarning, match="found no validation loss"):
        monitor = fit(Deaf(), tmp_path, GapMonitor(stop=Patience(1), summary=False), max_epochs=8)

    assert len(monitor.history) == 8
    assert all(map(math.isnan, monitor.history.val))


class ValidationOnly(LightningModule):
    """Optimises by hand and says nothing of its train loss; the validation loss rises."""

    automatic_optimization = False

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def training_step(self, *_: object) -> None:
        """Take a step."""
        optimizer = self.optimizers()
        self.manual_backward(self.weight)
        optimizer.step()  # type: ignore[union-attr]

    def validation_step(self, *_: object) -> None:
        """Log how far the weight has come."""
        self.log("val_loss", -self.weight.detach())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Go down."""
        return torch.optim.SGD(self.parameters(), lr=1.0)


@pytest.mark.filterwarnings("ignore:GapMonitor found a validation loss but no train:UserWarning")
@pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`:UserWarning")
def test_a_stop_on_validation_alone_survives_a_kill(tmp_path: Path) -> None:
    """A run without a train loss that was killed after its rule had fired is over once resumed."""
    all_of_them = ModelCheckpoint(tmp_path, filename="{epoch}", save_top_k=-1)
    watching = GapMonitor(stop=None, summary=False)
    fit(ValidationOnly(), tmp_path, watching, all_of_them, enable_checkpointing=True, max_epochs=4)

    stopping = GapMonitor(stop=Patience(2), summary=False)
    path = str(tmp_path / "epoch=2.ckpt")
    fit(ValidationOnly(), tmp_path, stopping, ckpt_path=path, max_epochs=9)

    assert len(stopping.history) == 3
    assert stopping.stop_reason is not None
