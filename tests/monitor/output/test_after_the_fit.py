"""What TensorBoard shows of a run once it has ended."""

from pathlib import Path

import pytest
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tests.fits import Scripted, fit, loader, trainer

from lightning_gapmon import GapMonitor

LOSSES = [2.0, 1.0, 1.5, 3.0]


def _board(folder: Path) -> EventAccumulator:
    board = EventAccumulator(str(folder), size_guidance={"tensors": 0, "scalars": 0})
    return board.Reload()


@pytest.mark.parametrize("stage", ["test", "validate"])
def test_the_best_loss_stays_in_the_hparams_after_another_stage(
    stage: str, tmp_path: Path
) -> None:
    """Lightning logs the parameters once more, and -1 with them; the best loss comes last."""

    class Tested(Scripted):
        def __init__(self, script: list[float]) -> None:
            super().__init__(script)
            self.save_hyperparameters({"lr": 0.1})

        def test_step(self, *_: object) -> None:
            pass

    logger, module = TensorBoardLogger(tmp_path), Tested(LOSSES)
    fitting = trainer(tmp_path, GapMonitor(summary=False), logger=logger, max_epochs=4)
    fitting.fit(module, loader(8), loader(8))
    getattr(fitting, stage)(module, loader(8), verbose=False)

    assert _board(Path(logger.log_dir)).Scalars("hp_metric")[-1].value == min(LOSSES)


def test_the_last_verdict_is_the_last_text(tmp_path: Path) -> None:
    """It is written at the end too, with what is known then, though it has not changed."""
    logger = TensorBoardLogger(tmp_path)
    monitor = fit(Scripted([3.0, 1.0, *[2.0] * 8]), tmp_path, logger=logger, max_epochs=9)

    texts = _board(Path(logger.log_dir)).Tensors("Loss/verdict/text_summary")
    said = texts[-1].tensor_proto.string_val[0].decode()
    assert texts[-1].step == monitor.history[-1].step
    assert monitor.diagnosis.message in said
