"""When a check happens, and what of a fit is there afterwards."""

import copy
import math
import pickle
import warnings
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import LearningRateFinder
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.tuner.tuning import Tuner
from packaging.version import Version
from tests.fits import Logging, Marks, Net, Scripted, Stream, fit, loader, trainer, values
from torch.utils.data import DataLoader

from lightning_gapmon import GapMonitor, Patience

# Settings of a Trainer with 5 training batches an epoch, and the steps at which it checks.
RHYTHMS: dict[str, tuple[dict[str, Any], list[int]]] = {
    "each epoch": ({"max_epochs": 3}, [5, 10, 15]),
    "a share": ({"max_epochs": 2, "val_check_interval": 0.5}, [2, 4, 7, 9]),
    "every batch": ({"max_epochs": 1, "val_check_interval": 1}, [1, 2, 3, 4, 5]),
    "every third batch": ({"max_epochs": 2, "val_check_interval": 3}, [3, 8]),
    "every second epoch": ({"max_epochs": 5, "check_val_every_n_epoch": 2}, [10, 20]),
    "across epochs": (
        {"max_epochs": 3, "check_val_every_n_epoch": None, "val_check_interval": 4},
        [4, 8, 12],
    ),
    "cut by max_steps": ({"max_epochs": -1, "max_steps": 7, "val_check_interval": 2}, [2, 4, 7]),
    "cut before any": ({"max_steps": 3}, []),
    "overfit": ({"max_epochs": 2, "overfit_batches": 1}, [1, 2]),
    "limited": ({"max_epochs": 2, "limit_train_batches": 2, "limit_val_batches": 1}, [2, 4]),
    "accumulated": ({"max_epochs": 2, "accumulate_grad_batches": 2}, [3, 6]),
}


# What is said of a fit that is cut before any has tests of its own.
@pytest.mark.filterwarnings("ignore:GapMonitor saw no validation:UserWarning")
@pytest.mark.parametrize(("settings", "steps"), RHYTHMS.values(), ids=list(RHYTHMS))
def test_one_check_follows_each_validation(
    settings: dict[str, Any], steps: list[int], tmp_path: Path
) -> None:
    """At every rhythm that a Trainer has, and never at the sanity check."""
    marks = Marks()

    monitor = fit(Net(), tmp_path, marks, train=18, val=9, **settings)

    assert monitor.history.step == steps
    assert monitor.history.check == list(range(1, len(steps) + 1))
    assert len(marks.at) - 1 == len(steps)


@pytest.mark.skipif(Version(lightning.__version__) < Version("2.6"), reason="came with 2.6")
def test_validation_by_the_clock(tmp_path: Path) -> None:
    """A time as `val_check_interval` is followed too, and so is its plan, by the batches."""
    monitor = fit(
        Net(), tmp_path, train=18, max_epochs=2, val_check_interval="00:00:00:00", max_steps=4
    )

    assert monitor.history.step == [1, 2, 3, 4]
    assert [seen.planned for seen in monitor.history] == [4.0] * 4


def test_other_stages_neither_check_nor_wipe(tmp_path: Path) -> None:
    """`validate`, `test` and `predict` leave the results of the fit alone."""
    monitor = GapMonitor(stop=Patience(2), summary=False)
    module = Steps([3.0, 1.0, 2.0, 2.0, 2.0])
    runner = trainer(tmp_path, monitor, max_epochs=9)
    runner.fit(module, loader(8), loader(8))
    before = copy.deepcopy((monitor.history, monitor.stop_reason, monitor.outcome, monitor.best))
    assert len(monitor.history) == 4

    runner.validate(module, loader(8), verbose=False)
    runner.test(module, loader(8), verbose=False)
    runner.predict(module, loader(8))

    assert (monitor.history, monitor.stop_reason, monitor.outcome, monitor.best) == before


class Steps(Scripted):
    """Has every step that a Trainer may call."""

    def test_step(self, batch: list[torch.Tensor]) -> None:
        """Log something."""
        self.log("test_loss", batch[0].mean())

    def predict_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        """Give the batch back."""
        return batch[0]


def test_validate_alone_is_no_check(tmp_path: Path) -> None:
    """A Trainer that never fits has no history, and the module is left as it was."""
    monitor, module = GapMonitor(), Steps([1.0])
    trainer(tmp_path, monitor).validate(module, loader(8), verbose=False)

    assert len(monitor.history) == 0
    assert "log" not in vars(module)


@pytest.mark.parametrize("case", ["no loader", "no batches"])
def test_a_fit_without_validation_is_said_once(case: str, tmp_path: Path) -> None:
    """One clear warning, then nothing: no check, no stop, no file."""
    settings: dict[str, Any] = {"val": None} if case == "no loader" else {"limit_val_batches": 0}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        monitor = fit(Net(), tmp_path, **settings)

    said = [str(one.message) for one in caught if "GapMonitor" in str(one.message)]
    assert said == [
        (
            "GapMonitor has nothing to compare: this fit runs no validation (no validation "
            "loader, no validation_step, or limit_val_batches=0). Pass val_dataloaders to "
            "trainer.fit(...); until then it does nothing."
        )
    ]
    assert len(monitor.history) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_does_and_writes_nothing(tmp_path: Path) -> None:
    """`fast_dev_run` is for the module's own faults."""
    monitor = fit(Net(), tmp_path, fast_dev_run=True, enable_checkpointing=True, logger=True)

    assert len(monitor.history) == 0
    assert monitor.outcome is None
    assert list(tmp_path.iterdir()) == []


def test_an_instance_may_be_fitted_again(tmp_path: Path) -> None:
    """A second fit begins with an empty history and stops on its own losses."""
    monitor = GapMonitor(stop=Patience(2), summary=False)

    for _ in range(2):
        fit(Scripted([3.0, 1.0, 2.0, 2.0, 2.0]), tmp_path, monitor, max_epochs=9)

        assert monitor.history.check == [1, 2, 3, 4]
        assert monitor.stop_reason is not None
        assert monitor.stop_reason.check == 4


def test_a_second_fit_of_the_same_trainer(tmp_path: Path) -> None:
    """A Trainer that goes on with more epochs starts a new history, steps counted on."""
    monitor = GapMonitor(summary=False)
    runner = trainer(tmp_path, monitor, max_epochs=2)
    module = Net()
    runner.fit(module, loader(8), loader(8))
    runner.fit_loop.max_epochs = 4

    runner.fit(module, loader(8), loader(8))

    assert monitor.history.check == [1, 2]
    assert monitor.history.step == [6, 8]


def test_the_learning_rate_finder_disturbs_nothing(tmp_path: Path) -> None:
    """What the tuner runs is no part of the fit that follows."""
    module, plain = Net(), Net()
    monitor = GapMonitor(summary=False)
    runner = trainer(tmp_path, monitor, max_epochs=2)
    Tuner(runner).lr_find(module, loader(40), loader(8), num_training=5)
    assert len(monitor.history) == 0
    module.load_state_dict(plain.state_dict())
    module.lr = plain.lr

    runner.fit(module, loader(40), loader(8))

    expected = fit(plain, tmp_path, train=40, val=8, max_epochs=2)
    assert monitor.history.train == expected.history.train
    assert monitor.history.val == expected.history.val


@pytest.mark.skipif(Version(lightning.__version__) < Version("2.6"), reason="steps on before 2.6")
def test_a_learning_rate_finder_callback_disturbs_nothing(tmp_path: Path) -> None:
    """Neither does the callback that runs within the fit."""
    module = Net()
    finder = LearningRateFinder(num_training_steps=5)

    monitor = fit(module, tmp_path, finder, train=40, max_epochs=2)

    assert monitor.history.step == [10, 20]
    assert monitor.history[0].train_n == 40


def test_memory_is_flat(tmp_path: Path) -> None:
    """Between two checks nothing grows, in steps as in checks."""
    monitor = fit(Net(), tmp_path, train=1200, val=4, max_epochs=3, val_check_interval=100)

    meters = monitor._fit.recorder._meters.values()  # type: ignore[union-attr]
    assert all(meter.batches == 0 for meter in meters)
    assert len(meters) <= 6


def test_the_callback_can_be_pickled_during_and_after_a_fit(tmp_path: Path) -> None:
    """A copy has the results and knows nothing of the module or the Trainer."""

    class Pickling(Callback):
        copies: list[GapMonitor] = []  # noqa: RUF012

        def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
            monitor = next(c for c in trainer.callbacks if isinstance(c, GapMonitor))  # type: ignore[attr-defined]
            self.copies.append(pickle.loads(pickle.dumps(monitor)))  # noqa: S301
            self.copies.append(copy.deepcopy(monitor))

    monitor = fit(Net(), tmp_path, Pickling(), max_epochs=2)

    assert len(Pickling.copies[-1].history) == 1
    assert pickle.loads(pickle.dumps(monitor)).history == monitor.history  # noqa: S301
    assert copy.deepcopy(monitor).best == monitor.best


def test_the_history_knows_when_and_with_what(tmp_path: Path) -> None:
    """Epoch, step, time, learning rate and plan are those of the Trainer."""
    monitor = fit(Net(lr=0.25), tmp_path, train=18, max_epochs=4)

    assert monitor.history.epoch == [0, 1, 2, 3]
    assert monitor.history.lr == [0.25] * 4
    assert monitor.history.planned == 4
    assert list(monitor.history.seconds) == sorted(monitor.history.seconds)
    assert monitor.history.seconds[0] > 0


def test_a_fit_that_raises_leaves_what_was_seen(tmp_path: Path) -> None:
    """The history so far is there, told and written, and the module is as before."""

    class Failing(Net):
        def on_train_epoch_start(self) -> None:
            if self.current_epoch == 2:
                msg = "the disk is full"
                raise OSError(msg)

    module, monitor = Failing(), GapMonitor(summary=False)
    with pytest.raises(OSError, match="the disk is full"):
        fit(module, tmp_path, monitor, logger=CSVLogger(tmp_path))

    assert monitor.outcome is not None
    assert len(monitor.outcome.history) == 2
    assert monitor.outcome.interrupted_by == "OSError"
    assert "log" not in vars(module)
    assert len(list(tmp_path.rglob("gapmon.json"))) == 1


def test_final_weights_are_those_of_a_run_without_it(tmp_path: Path) -> None:
    """Nothing that the monitor does reaches the weights or the random state."""
    ends = []
    for callbacks in ([], [GapMonitor(summary=False)]):
        torch.manual_seed(1)
        module = Net()
        shuffled = DataLoader(loader(30).dataset, batch_size=4, shuffle=True)
        trainer(tmp_path, *callbacks).fit(module, shuffled, loader(8))
        ends.append((module.weight.item(), torch.rand(()).item()))

    assert ends[0] == ends[1]


def test_a_nan_loss_is_seen_and_said(tmp_path: Path) -> None:
    """It stays in the history as what it is; nothing is hidden, nothing crashes."""
    monitor = fit(Scripted([1.0, math.nan, 0.5]), tmp_path)

    assert list(monitor.history.val) == pytest.approx([1.0, math.nan, 0.5], nan_ok=True)
    assert monitor.best is not None
    assert monitor.best.check == 3


def test_manual_loops_over_streams_have_no_plan(tmp_path: Path) -> None:
    """With steps that nobody can count in advance the plan is unknown, and the run goes on."""
    stream = DataLoader(Stream(values(19)), batch_size=4)

    monitor = fit(Logging(), tmp_path, train=stream, val_check_interval=2)

    assert monitor.history.planned is None
    assert len(monitor.history) == 6


def test_module_hooks_still_log(tmp_path: Path) -> None:
    """The user's own metrics are what they are without the monitor."""
    metrics = []
    for callbacks in ([], [GapMonitor(summary=False)]):
        runner = trainer(tmp_path, *callbacks)
        runner.fit(Logging(), loader(10), loader(7))
        found = runner.callback_metrics.items()
        metrics.append({k: float(v) for k, v in found if not k.startswith("Loss/")})

    assert metrics[0] == metrics[1]
    assert set(metrics[0]) == {"train_loss", "val_loss"}


def test_a_log_on_the_instance_is_heard_and_stays_there(tmp_path: Path) -> None:
    """What somebody put in the place of a module's `log` gets every call, and is there again."""
    module, calls = Logging(), []

    def log(name: str, _: object, **__: object) -> None:
        calls.append(name)

    module.log = log  # type: ignore[method-assign,assignment]
    monitor = fit(module, tmp_path)

    assert module.log is log  # type: ignore[comparison-overlap]
    assert calls.count("train_loss") == 3 * 3
    assert len(monitor.history) == 3


class Renaming(Logging):
    """Logs everything below a name of its own, by a `log` that takes no more than it needs."""

    def log(self, name: str, value: Any) -> None:  # type: ignore[override]  # noqa: ANN401
        """Log it there."""
        super().log(f"mine/{name}", value)


def test_a_log_of_the_modules_own_does_not_rename_ours(tmp_path: Path) -> None:
    """Published names do not go through a `log` that a module has written for its own."""
    monitors: list[Trainer] = []

    class Keep(Callback):
        def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
            monitors.append(trainer)

    fit(Renaming(), tmp_path, Keep())
    (runner,) = monitors

    assert {"Loss/val", "Loss/gap", "mine/val_loss"} <= runner.callback_metrics.keys()
