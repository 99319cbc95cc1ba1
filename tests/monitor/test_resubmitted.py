"""A run that has ended and is started again, as a queue does with its jobs."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Trainer
from tests.fits import Scripted, loader, trainer

from lightning_gapmon import Custom, GapMonitor, History, Patience

pytestmark = [  # what Lightning says of it, and is meant here
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not:UserWarning"),
    pytest.mark.filterwarnings("ignore:`Trainer.fit` stopped.*:UserWarning"),
]
SCRIPT = [3.0, 1.0, 2.0, 1.5, 1.25, 4.0]  # two steps a check: the best at a weight of 4


def _run(folder: Path, **options: Any) -> tuple[Trainer, GapMonitor, Scripted]:  # noqa: ANN401 - for the monitor and the Trainer
    path, epochs = options.pop("ckpt_path", None), options.pop("max_epochs", 6)
    intervals = options.pop("trainer", {})
    monitor = GapMonitor(**{"stop": None, "summary": False, **options})
    settings = {"max_epochs": epochs, "enable_checkpointing": True, **intervals}
    runner = trainer(folder, monitor, **settings)
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


@pytest.mark.parametrize(
    ("epochs", "intervals", "planned"),
    [
        (12, {}, 12),
        (6, {"val_check_interval": 1}, 6 + 0),
        (12, {"val_check_interval": 1}, 6 + 12),
        (12, {"check_val_every_n_epoch": 3}, 6 + 2),
        (12, {"check_val_every_n_epoch": None, "val_check_interval": 4}, 6 + 3),
    ],
)
def test_the_plan_is_that_of_the_trainer_it_goes_on_in(
    epochs: int, intervals: dict[str, Any], planned: int, tmp_path: Path
) -> None:
    """Of two batches an epoch: what is done, and what this Trainer makes of the rest."""
    _run(tmp_path)
    _, monitor, _ = _run(tmp_path, ckpt_path="last", max_epochs=epochs, trainer=intervals)

    assert len(monitor.history) == planned
    assert monitor.history.planned == planned
    assert [seen.planned for seen in monitor.history][:5] == [6] * 5
    assert {seen.planned for seen in monitor.history[6:]} <= {planned}


def test_a_longer_run_is_not_stopped_by_the_old_plan(tmp_path: Path) -> None:
    """A rule that ends a run at its plan's end asks with the new one, before the first step."""

    def at_the_end(history: History) -> bool:
        return len(history) == history.planned

    asked: list[int | None] = []

    def plan(history: History) -> bool:
        asked.append(history.planned)
        return False

    _, ended, _ = _run(tmp_path, stop=Custom(at_the_end))
    _, monitor, _ = _run(tmp_path, stop=Custom(plan), ckpt_path="last", max_epochs=8)

    assert ended.stop_reason is not None
    assert asked == [8, 8, 8]
    assert len(monitor.history) == 8


def test_a_fit_with_nothing_to_train_on_has_an_empty_outcome(tmp_path: Path) -> None:
    """And says nothing."""
    monitor = GapMonitor()
    trainer(tmp_path, monitor, limit_train_batches=0).fit(Scripted(SCRIPT), loader(8), loader(4))

    assert monitor.outcome is not None
    assert len(monitor.outcome.history) == 0
