"""A run that was killed and resumed ends as one that ran through."""

import math
import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from packaging.version import Version
from tests.fits import Counting, loader, trainer
from torch import Tensor, nn

from lightning_gapmon import GapCheckpoint, GapMonitor, GapMonitorMixin, Observation, Patience
from lightning_gapmon.errors import StateError

pytestmark = [  # what Lightning says of a resume, and is meant here
    pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`:UserWarning"),
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not:UserWarning"),
    pytest.mark.filterwarnings("ignore:You're resuming from a checkpoint that ended:UserWarning"),
]


class Curve(GapMonitorMixin, LightningModule):
    """Its losses depend on the step alone, which its weight counts, so that any resume is exact.

    The validation loss is lowest at step 9.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def loss_step(self, batch: list[Tensor]) -> Tensor:
        """Give one loss a sample."""
        if self.training:
            return batch[0] + (1.3 * self.weight).sin() ** 2
        return batch[0] + (self.weight - 9).abs() / 10

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Count the steps."""
        return Counting(self.parameters())


class Logged(Curve):
    """The same, heard at `self.log`."""

    def training_step(self, batch: list[Tensor], *_: Any) -> Tensor:  # noqa: ANN401
        """Log the loss, and another one that the validation name tells apart."""
        loss = self.loss_step(batch).mean()
        self.log_dict({"train_a_loss": loss, "train_b_loss": 9.0})
        return loss

    def validation_step(self, batch: list[Tensor], *_: Any) -> None:  # type: ignore[override]  # noqa: ANN401
        """Log the loss."""
        self.log("val_a_loss", self.loss_step(batch).mean())


class Returned(Curve):
    """The same, taken from what the steps return."""

    def training_step(self, batch: list[Tensor], *_: Any) -> Tensor:  # noqa: ANN401
        """Return the loss."""
        return self.loss_step(batch).mean()

    def validation_step(self, batch: list[Tensor], *_: Any) -> Tensor:  # noqa: ANN401
        """Return the loss."""
        return self.loss_step(batch).mean()


MID_EPOCH = pytest.mark.skipif(
    Version(lightning.__version__) < Version("2.6"),
    reason="resumed in the middle of an epoch, Lightning repeats a batch before 2.6",
)
SAMPLES = torch.tensor([0.1, 0.2, 0.3, 0.5] * 8)  # 8 equal batches an epoch


class Run:
    """What there is of a finished run to be compared."""

    def __init__(
        self,
        folder: Path,
        *callbacks: Callback,
        ckpt_path: Path | str | None = None,
        monitor: GapMonitor | None = None,
        kind: type[Curve] = Curve,
        **settings: Any,  # noqa: ANN401 - for the Trainer
    ) -> None:
        self.monitor = monitor or GapMonitor(stop=Patience(3), restore_best=True, summary=False)
        self.module = kind()
        self.trainer = trainer(
            folder,
            self.monitor,
            *callbacks,
            **{"max_epochs": 4, "val_check_interval": 3, "enable_checkpointing": True, **settings},
        )
        path = None if ckpt_path is None else str(ckpt_path)
        self.trainer.fit(self.module, loader(SAMPLES), loader(SAMPLES[:8]), ckpt_path=path)

    @property
    def checks(self) -> list[Observation]:
        """The checks, but for the time that they took."""
        return [replace(seen, seconds=0.0) for seen in self.monitor.history]

    def same(self, other: "Run") -> bool:
        """Tell whether all that a user sees is the same, to the last bit; NaN equals NaN."""
        mine, theirs = (
            (run.checks, run.monitor.stop_reason, run.module.weight.item())
            for run in (self, other)
        )
        return repr(mine) == repr(theirs)


def _every_step(folder: Path) -> ModelCheckpoint:
    return ModelCheckpoint(folder, filename="{step:02d}", every_n_train_steps=1, save_top_k=-1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[Path]]:
    """A run that was never interrupted, and a checkpoint of each of its steps."""
    folder = tmp_path_factory.mktemp("whole")
    monitor = GapMonitor(stop=Patience(3), restore_best=True, checkpoint=False, summary=False)
    run = Run(folder, _every_step(folder / "steps"), monitor=monitor)
    return run, sorted((folder / "steps").iterdir())


def test_the_run_is_what_the_tests_need(whole: tuple[Run, list[Path]]) -> None:
    """It stops before its end, its best check is not its last, and its losses differ."""
    run, paths = whole

    assert run.monitor.history.step == [3, 6, 11, 14, 19, 22]
    assert run.monitor.history.planned == 8
    assert run.monitor.stop_reason is not None
    assert run.monitor.best is not None
    assert run.monitor.best.check == 3
    assert run.module.weight.item() == 11
    assert len(paths) == 22
    assert len({round(loss, 6) for loss in run.monitor.history.train}) == 6


# Saved after these steps Lightning resumes behind the validation that was due, and skips it.
SKIPPED = {3, 6, 11, 14, 19, 22}


@MID_EPOCH
@pytest.mark.parametrize("step", sorted(set(range(1, 22)) - SKIPPED))
def test_a_run_resumed_from_any_step_is_the_same(
    step: int, whole: tuple[Run, list[Path]], tmp_path: Path
) -> None:
    """History, stop and reason are those of a run that was never interrupted, bit for bit."""
    run, paths = whole
    before = run.monitor.best is not None and run.monitor.best.step <= step
    monitor = GapMonitor(stop=Patience(3), restore_best=not before, summary=False)

    resumed = Run(tmp_path, ckpt_path=paths[step - 1], monitor=monitor)

    assert repr(resumed.checks) == repr(run.checks)
    assert resumed.monitor.stop_reason == run.monitor.stop_reason
    assert resumed.trainer.global_step == run.trainer.global_step
    assert resumed.module.weight.item() == (22 if before else 11)


# One of them logs two losses of training, so that it is said that it is not stopped on.
@pytest.mark.filterwarnings("ignore:GapMonitor watches.*oppose each other:UserWarning")
@MID_EPOCH
@pytest.mark.parametrize("step", [2, 8, 13])
@pytest.mark.parametrize("kind", [Logged, Returned])
def test_any_source_is_resumed(kind: type[Curve], step: int, tmp_path: Path) -> None:
    """Also before the first check has shown where the losses come from."""
    run = Run(tmp_path, _every_step(tmp_path / "steps"), monitor=_watching(), kind=kind)
    path = sorted((tmp_path / "steps").iterdir())[step - 1]

    resumed = Run(tmp_path, ckpt_path=path, monitor=_watching(), kind=kind)

    assert repr(resumed.checks) == repr(run.checks)
    assert resumed.monitor.outcome is not None
    assert run.monitor.outcome is not None
    assert resumed.monitor.outcome.source == run.monitor.outcome.source


@MID_EPOCH
@pytest.mark.parametrize("step", [3, 6, 11])
def test_a_skipped_validation_leaves_a_hole(
    step: int, whole: tuple[Run, list[Path]], tmp_path: Path
) -> None:
    """The next check's window then reaches back to the last check that there was."""
    run, paths = whole

    resumed = Run(tmp_path, ckpt_path=paths[step - 1], monitor=_watching())

    steps = [s for s in run.monitor.history.step if s != step]
    assert resumed.monitor.history.step[: len(steps)] == steps
    after = next(seen for seen in resumed.monitor.history if seen.step > step)
    windows = [seen for seen in run.checks if seen.step <= after.step][-2:]
    samples = sum(seen.train_n for seen in windows)
    total = math.fsum(seen.train * seen.train_n for seen in windows)
    assert after.train_n == samples
    assert after.train == pytest.approx(total / samples, rel=1e-12)


def _watching() -> GapMonitor:
    return GapMonitor(stop=None, checkpoint=False, summary=False)


class Killing(Callback):
    """Kills its own process, as a scheduler does: no exception, no farewell."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        """Do it."""
        if trainer.global_step == self.step:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def _run_until_killed(folder: Path, step: int) -> None:
    torch.set_num_threads(1)
    saving = ModelCheckpoint(folder / "steps", every_n_train_steps=4, save_top_k=-1)
    monitor = GapMonitor(
        stop=Patience(3), checkpoint=_kept(folder), restore_best=True, summary=False
    )
    Run(folder, saving, Killing(step), monitor=monitor)


def _step(path: Path) -> int:
    step: int = torch.load(path, weights_only=True)["global_step"]
    return step


def _kept(folder: Path) -> GapCheckpoint:
    return GapCheckpoint(dirpath=folder / "best")


@MID_EPOCH
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    """After SIGKILL the last checkpoint leads to the same history, stop and best weights."""
    killed = multiprocessing.get_context("spawn").Process(
        target=_run_until_killed, args=(tmp_path, 17)
    )
    killed.start()
    killed.join(60)
    assert killed.exitcode not in (0, 1, None)
    last = max((tmp_path / "steps").iterdir(), key=_step)
    assert _step(last) == 16

    monitor = GapMonitor(
        stop=Patience(3), restore_best=True, checkpoint=_kept(tmp_path), summary=False
    )
    saving = ModelCheckpoint(tmp_path / "steps", every_n_train_steps=4, save_top_k=-1)
    resumed = Run(tmp_path, saving, ckpt_path=last, monitor=monitor)

    through = Run(tmp_path / "through")
    assert resumed.same(through)
    assert resumed.module.weight.item() == 11  # the best check came before the kill
    assert resumed.monitor.outcome is not None
    assert resumed.monitor.outcome.restored


@MID_EPOCH
def test_best_weights_that_are_gone_are_said(
    whole: tuple[Run, list[Path]], tmp_path: Path
) -> None:
    """Without a checkpoint of the best check the last weights stay, and that is said."""
    monitor = GapMonitor(stop=Patience(3), restore_best=True, checkpoint=False, summary=False)

    with pytest.warns(UserWarning, match="are from before this run was resumed") as said:
        resumed = Run(tmp_path, ckpt_path=whole[1][16], monitor=monitor)

    assert [str(one.message) for one in said if "restore_best" in str(one.message)] == [
        (
            "The weights of the best check, 3, are from before this run was resumed and no "
            "checkpoint of it was found: restore_best left the last weights in the module. Keep "
            "GapMonitor(checkpoint=True) to have them after a resume too."
        )
    ]
    assert resumed.module.weight.item() == 22
    assert resumed.monitor.outcome is not None
    assert not resumed.monitor.outcome.restored


@MID_EPOCH
@pytest.mark.parametrize(("patience", "steps"), [(2, 19), (4, 27)])
def test_a_changed_patience_takes_effect(
    patience: int, steps: int, whole: tuple[Run, list[Path]], tmp_path: Path
) -> None:
    """What decides is the history and the rule of now, not one from the file."""
    monitor = GapMonitor(stop=Patience(patience), checkpoint=False, summary=False)

    resumed = Run(tmp_path, ckpt_path=whole[1][11], monitor=monitor)

    assert resumed.trainer.global_step == steps


def test_another_folder_keeps_the_best(tmp_path: Path) -> None:
    """A resumed run with new logs still knows the best check's file and ranks against it."""
    first = Run(tmp_path / "a", max_epochs=2, monitor=GapMonitor(stop=None, summary=False))
    best = first.trainer.checkpoint_callback.best_model_path  # type: ignore[union-attr]
    first.trainer.save_checkpoint(tmp_path / "now.ckpt")

    resumed = Run(
        tmp_path / "b",
        ckpt_path=tmp_path / "now.ckpt",
        monitor=GapMonitor(stop=None, restore_best=True, summary=False),
    )

    assert resumed.trainer.checkpoint_callback.best_model_path == best  # type: ignore[union-attr]
    assert resumed.module.weight.item() == 11


def test_the_state_is_plain_types(whole: tuple[Run, list[Path]]) -> None:
    """It loads where nothing but tensors and plain types may be unpickled."""
    for path in whole[1]:
        state = torch.load(path, weights_only=True)["callbacks"]["GapMonitor"]

        assert state["version"] == 1


def test_time_is_added_up(whole: tuple[Run, list[Path]], tmp_path: Path) -> None:
    """The clock of a resumed run goes on from that of the runs before."""
    content = torch.load(whole[1][3], weights_only=True)
    content["callbacks"]["GapMonitor"]["seconds"] = 1000.0
    torch.save(content, tmp_path / "old.ckpt")

    resumed = Run(tmp_path, ckpt_path=tmp_path / "old.ckpt", monitor=_watching())

    assert resumed.monitor.history.seconds[0] < 100
    assert 1000 < resumed.monitor.history.seconds[1] < 1100


def test_a_state_of_another_version_is_refused(
    whole: tuple[Run, list[Path]], tmp_path: Path
) -> None:
    """In plain words, before anything is trained."""
    content = torch.load(whole[1][3], weights_only=True)
    content["callbacks"]["GapMonitor"]["version"] = 99
    torch.save(content, tmp_path / "future.ckpt")

    with pytest.raises(StateError) as raised:
        Run(tmp_path, ckpt_path=tmp_path / "future.ckpt", monitor=_watching())

    assert str(raised.value) == (
        "Found a GapMonitor state of version 99, expected 1. Resume with the version of "
        "lightning_gapmon that wrote it."
    )


def test_a_checkpoint_from_before_the_monitor(tmp_path: Path) -> None:
    """A run that began without the monitor may be resumed with it; its history begins there."""
    runner = trainer(tmp_path, max_epochs=1)
    runner.fit(Curve(), loader(SAMPLES), loader(SAMPLES[:8]))
    runner.save_checkpoint(tmp_path / "bare.ckpt")

    resumed = Run(tmp_path, ckpt_path=tmp_path / "bare.ckpt", monitor=_watching(), max_epochs=2)

    assert resumed.monitor.history.step == [11, 14]
    assert resumed.monitor.history.check == [1, 2]


def test_a_checkpoint_saved_after_another_stage(tmp_path: Path) -> None:
    """A file that is saved after `validate` continues the fit as one saved in it."""
    first = Run(tmp_path, max_epochs=2, monitor=_watching())
    first.trainer.validate(first.module, loader(SAMPLES[:8]), verbose=False)
    first.trainer.save_checkpoint(tmp_path / "now.ckpt")

    resumed = Run(tmp_path, ckpt_path=tmp_path / "now.ckpt", monitor=_watching())

    assert resumed.monitor.history.step == [3, 6, 11, 14, 19, 22, 27, 30]


def test_resumed_with_a_longer_plan(tmp_path: Path) -> None:
    """More epochs on resume make a longer plan."""
    first = Run(tmp_path, max_epochs=1, monitor=_watching())
    first.trainer.save_checkpoint(tmp_path / "now.ckpt")

    resumed = Run(tmp_path, ckpt_path=tmp_path / "now.ckpt", monitor=_watching(), max_epochs=4)

    assert first.monitor.history.planned == 2
    assert resumed.monitor.history.planned == 8
    assert len(resumed.monitor.history) == 8
