"""A fit whose numbers stay out of loggers and `callback_metrics`."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tests.fits import Logging, Net, loader, trainer

from lightning_gapmon import GapMonitor


@pytest.mark.parametrize("kind", [Net, Logging])
def test_nothing_of_ours_goes_out_unless_it_may(kind: type[Any], tmp_path: Path) -> None:
    """With `publish=False` the results are the library's own; the best check is kept as ever."""
    board = TensorBoardLogger(tmp_path)
    monitor = GapMonitor(publish=False, summary=False, stop=None)
    runner = trainer(
        tmp_path, monitor, logger=[CSVLogger(tmp_path), board], enable_checkpointing=True
    )
    runner.fit(kind(), loader(10), loader(7))
    events = EventAccumulator(str(board.log_dir)).Reload()
    tables = [path.read_text().splitlines()[0] for path in tmp_path.rglob("metrics.csv")]
    out = {*runner.callback_metrics, *",".join(tables).split(","), *events.Tags()["scalars"]}

    assert out - {"", "epoch", "step"} == (
        {"train_loss", "val_loss"} if kind is Logging else set()
    )
    assert len(monitor.history) == 3
    best = torch.load(runner.checkpoint_callback.best_model_path, weights_only=True)  # type: ignore[union-attr]
    assert best["global_step"] == monitor.best.step  # type: ignore[union-attr]
