"""What a fit has found stays until the next one, whatever is tested, validated or predicted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import LightningModule, Trainer
from tests.fits import Scripted, loader, trainer
from torch import Tensor

from lightning_gapmon import GapCheckpoint, GapMonitor, Patience

pytestmark = [  # what Lightning says of another run's files, and is meant here
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not:UserWarning"),
    pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`:UserWarning"),
]
SCRIPT = [3.0, 1.0, 2.0, 1.5, 1.25, 4.0]
Stage = Callable[[Trainer, LightningModule, str], object]


class Staged(Scripted):
    """Can be tested and asked too."""

    def test_step(self, batch: list[Tensor], *_: int) -> None:
        """Log something."""
        self.log("test_loss", batch[0].mean())

    def predict_step(self, batch: list[Tensor], *_: int) -> Tensor:
        """Give something."""
        return batch[0]


def _validate(runner: Trainer, module: LightningModule, path: str) -> object:
    return runner.validate(module, loader(4), ckpt_path=path, verbose=False)


def _test(runner: Trainer, module: LightningModule, path: str) -> object:
    return runner.test(module, loader(4), ckpt_path=path, verbose=False)


def _predict(runner: Trainer, module: LightningModule, path: str) -> object:
    return runner.predict(module, loader(4), ckpt_path=path)


STAGES = pytest.mark.parametrize("stage", [_validate, _test, _predict])


def _fitted(folder: Path, script: list[float], **settings: Any) -> tuple[Trainer, GapMonitor]:  # noqa: ANN401 - for the Trainer
    monitor = GapMonitor(stop=Patience(3), summary=False)
    settings = {"max_epochs": 9, "enable_checkpointing": True, **settings}
    runner = trainer(folder, monitor, **settings)
    runner.fit(Staged(script), loader(8), loader(4))
    return runner, monitor


def _found(monitor: GapMonitor) -> tuple[object, ...]:
    history = [repr(seen) for seen in monitor.history]
    return history, monitor.stop_reason, monitor.diagnosis, monitor.best, monitor.outcome


@STAGES
def test_what_a_fit_has_found_stays(stage: Stage, tmp_path: Path) -> None:
    """The best checkpoint's history ends at check 2, and the fit's at the stop at check 5."""
    runner, monitor = _fitted(tmp_path, SCRIPT)
    before = _found(monitor)
    (keeper,) = runner.checkpoint_callbacks
    assert isinstance(keeper, GapCheckpoint)
    kept = keeper.best_model_path, keeper.last_model_path, keeper.kept_checks

    stage(runner, Staged(SCRIPT), "best")
    stage(runner, Staged(SCRIPT), "last")

    assert list(monitor.history.val) == SCRIPT[:5]
    assert monitor.stop_reason is not None
    assert monitor.stop_reason.check == 5
    assert _found(monitor) == before
    assert (keeper.best_model_path, keeper.last_model_path, keeper.kept_checks) == kept


@STAGES
def test_another_runs_file_brings_nothing_of_that_run(stage: Stage, tmp_path: Path) -> None:
    """Neither its history nor its best file."""
    other, _ = _fitted(tmp_path / "other", [9.0, 8.0, 7.0], max_epochs=3)
    runner, monitor = _fitted(tmp_path / "own", SCRIPT)
    (keeper,) = runner.checkpoint_callbacks
    assert isinstance(keeper, GapCheckpoint)
    before, best = _found(monitor), keeper.best_model_path
    path = tmp_path / "other.ckpt"
    other.save_checkpoint(path)

    stage(runner, Staged(SCRIPT), str(path))

    assert _found(monitor) == before
    assert keeper.best_model_path == best


@STAGES
def test_a_stage_alone_finds_no_history(stage: Stage, tmp_path: Path) -> None:
    """Where there has been no fit there is none, whatever the file holds."""
    before, _ = _fitted(tmp_path, SCRIPT)
    before.save_checkpoint(tmp_path / "run.ckpt")
    monitor = GapMonitor(summary=False)

    stage(
        trainer(tmp_path, monitor, enable_checkpointing=True),
        Staged(SCRIPT),
        str(tmp_path / "run.ckpt"),
    )

    assert len(monitor.history) == 0
    assert monitor.outcome is None


def test_the_next_fit_begins_anew(tmp_path: Path) -> None:
    """It has the history of the file that it is resumed from, or none."""
    runner, monitor = _fitted(tmp_path, SCRIPT)
    runner.save_checkpoint(tmp_path / "run.ckpt")
    assert runner.fit_loop.max_epochs is not None
    other, resumed = _fitted(tmp_path / "other", [9.0, 8.0, 7.0], max_epochs=3)
    other.fit_loop.max_epochs = 9
    module = Staged(SCRIPT)
    module.at = 5
    other.fit(module, loader(8), loader(4), ckpt_path=tmp_path / "run.ckpt")

    assert list(resumed.history.val) == SCRIPT[:5]
    assert repr(resumed.stop_reason) == repr(monitor.stop_reason)
