"""A run that has ended and is started again, as a queue does with its jobs."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Trainer
from tests.fits import Scripted, loader, trainer

from lightning_gapmon import GapMonitor, Patience

pytestmark = [  # what Lightning says of it, and is meant here
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not:UserWarning"),
    pytest.mark.filterwarnings("ignore:`Trainer.fit` stopped.*:UserWarning"),
]
SCRIPT = [3.0, 1.0, 2.0, 1.5, 1.25, 4.0]  # two steps a check: the best at a weight of 4


def _run(folder: Path, **options: Any) -> tuple[Trainer, GapMonitor, Scripted]:  # noqa: ANN401 - for the monitor and the Trainer
    path, epochs = options.pop("ckpt_path", None), options.pop("max_epochs", 6)
    monitor = GapMonitor(**{"stop": None, "summary": False, **options})
    runner = trainer(folder, monitor, max_epochs=epochs, enable_checkpointing=True)
    module = Scripted(SCRIPT)
    runner.fit(module, loader(8), loader(4), ckpt_path=path)
    return runner, monitor, module


@pytest.mark.parametrize("restore_best", [True, "disk"])
def test_the_best_weights_are_put_back_again(restore_best: Any, tmp_path: Path) -> None:  # noqa: ANN401
    """Though Lightning trains not a step: weights, outcome and history are the ended run's."""
    _, ended, before = _run(tmp_path, restore_best=restore_best)
    _, monitor, module = _run(tmp_path, restore_best=restore_best, ckpt_path="last")

    assert before.weight.item() == module.weight.item() == 4
    assert list(monitor.history.val) == SCRIPT
    assert monitor.diagnosis == ended.diagnosis
    assert monitor.outcome is not None
    assert monitor.outcome.restored
    assert monitor.outcome.best_path == ended.outcome.best_path  # type: ignore[union-attr]


def test_the_summary_is_there_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is that of the whole run."""
    _run(tmp_path)
    capsys.readouterr()
    _run(tmp_path, ckpt_path="last", summary=True)

    assert "1.000" in capsys.readouterr().out


def test_the_folder_may_have_moved(tmp_path: Path) -> None:
    """The best weights come from where they are now."""
    _run(tmp_path / "before")
    shutil.move(tmp_path / "before", tmp_path / "after")
    _, monitor, module = _run(tmp_path / "after", restore_best=True, ckpt_path="last")

    assert module.weight.item() == 4
    assert monitor.outcome is not None
    assert monitor.outcome.best_path.startswith(str(tmp_path / "after"))


def test_a_stopped_run_is_stopped_again(tmp_path: Path) -> None:
    """By its rule, before the first step."""
    _, ended, _ = _run(tmp_path, stop=Patience(3), restore_best=True)
    runner, monitor, module = _run(tmp_path, stop=Patience(3), restore_best=True, ckpt_path="last")

    assert ended.stop_reason == monitor.stop_reason is not None
    assert runner.global_step == 10
    assert module.weight.item() == 4


def test_a_fit_with_nothing_to_train_on_has_an_empty_outcome(tmp_path: Path) -> None:
    """And says nothing."""
    monitor = GapMonitor()
    trainer(tmp_path, monitor, limit_train_batches=0).fit(Scripted(SCRIPT), loader(8), loader(4))

    assert monitor.outcome is not None
    assert len(monitor.outcome.history) == 0
