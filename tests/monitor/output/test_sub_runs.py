"""Both losses as two runs with one tag."""

import pickle
from pathlib import Path

import pytest
from lightning.pytorch import Callback
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tests.fits import Scripted, fit

from lightning_gapmon import GapMonitor

LOSSES = [3.0, 1.0, 2.0]


def _scalars(folder: str, *below: str) -> list[tuple[int, float]]:
    board = EventAccumulator(str(Path(folder, *below))).Reload()
    return [(one.step, one.value) for one in board.Scalars("Loss/loss")]


def test_each_side_is_a_run_of_its_own(tmp_path: Path) -> None:
    """Below the run there are two, as Keras writes them, with the losses of each check."""
    logger = TensorBoardLogger(tmp_path)
    monitor = fit(Scripted(LOSSES), tmp_path, GapMonitor(overlay="runs"), logger=logger)

    steps = [seen.step - 1 for seen in monitor.history]
    assert _scalars(logger.log_dir, "validation") == [*zip(steps, LOSSES, strict=True)]
    assert _scalars(logger.log_dir, "train") == [*zip(steps, [1.0] * 3, strict=True)]


def test_without_the_option_there_is_one_run(tmp_path: Path) -> None:
    """Two more runs are a price that nobody pays unasked."""
    logger = TensorBoardLogger(tmp_path)
    fit(Scripted(LOSSES), tmp_path, logger=logger)

    assert not [path for path in Path(logger.log_dir).iterdir() if path.is_dir()]


class Failing(Callback):
    """Ends a fit in its third epoch."""

    def on_train_epoch_start(self, trainer: object, *_: object) -> None:
        """Fail there."""
        if trainer.current_epoch == 2:  # type: ignore[attr-defined]
            msg = "out of memory"
            raise RuntimeError(msg)


def test_what_was_written_before_an_error_is_there(tmp_path: Path) -> None:
    """The files are closed when a fit ends by an exception, and opened anew by the next one."""
    logger, monitor = TensorBoardLogger(tmp_path), GapMonitor(overlay="runs", summary=False)
    with pytest.raises(RuntimeError, match="out of memory"):
        fit(Scripted(LOSSES), tmp_path, monitor, Failing(), logger=logger)
    found = _scalars(logger.log_dir, "validation")

    assert [value for _, value in found] == LOSSES[:2]
    assert pickle.loads(pickle.dumps(monitor)).overlay == "runs"  # noqa: S301


def test_another_logger_is_left_alone(tmp_path: Path) -> None:
    """It has no runs below runs."""
    logger = CSVLogger(tmp_path)
    fit(Scripted(LOSSES), tmp_path, GapMonitor(overlay="runs", summary=False), logger=logger)

    assert not [path for path in Path(logger.log_dir).iterdir() if path.is_dir()]
