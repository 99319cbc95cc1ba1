"""What a run says of itself to the Gap tab."""

from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tests.fits import Logging, Net, fit

from lightning_gapmon import GapCheckpoint, GapMonitor, Target
from lightning_gapmon.board.state import read_state
from lightning_gapmon.board.tags import PLUGIN, STATE


def _documents(folder: Path) -> list[dict[str, Any]]:
    """Read all documents that a run wrote, with TensorBoard's own reader."""
    (log,) = {path.parent for path in folder.rglob("events*")}
    events = EventAccumulator(str(log), {"tensors": 0}).Reload()
    assert STATE in events.PluginTagToContent(PLUGIN)
    found = [read_state(event.tensor_proto.string_val[0]) for event in events.Tensors(STATE)]
    return [document for document in found if document is not None]


def _fit(folder: Path, **settings: Any) -> tuple[GapMonitor, list[dict[str, Any]]]:  # noqa: ANN401 - for the Trainer
    stop = settings.pop("stop", None)
    monitor = GapMonitor(summary=False, stop=stop)
    fit(Net(), folder, monitor, logger=TensorBoardLogger(folder), **settings)
    return monitor, _documents(folder)


def test_the_last_word_is_what_the_summary_says(tmp_path: Path) -> None:
    """Losses, verdict, plan and end are the monitor's own."""
    monitor, documents = _fit(tmp_path, max_epochs=4)
    last = documents[-1]

    assert last["own"]
    assert last["ended"]
    assert last["columns"]["val"] == pytest.approx(monitor.history.val.tolist())
    assert last["columns"]["gap_high"] == monitor.history.gap_high.tolist()
    assert last["verdict"]["message"] == monitor.diagnosis.message
    assert last["planned"] == monitor.history.planned == 4


def test_a_young_run_speaks_at_each_check(tmp_path: Path) -> None:
    """Whoever looks while it trains sees every check, and that it has not ended."""
    _, documents = _fit(tmp_path, max_epochs=3)

    assert [document["checks"] for document in documents] == [1, 2, 3, 3]
    assert [document["ended"] for document in documents] == [False, False, False, True]


def test_a_stop_is_told_with_its_reason(tmp_path: Path) -> None:
    """The check and the rule's own words."""
    monitor, documents = _fit(tmp_path, max_epochs=9, stop=Target(10.0))
    reason = monitor.stop_reason

    assert reason is not None
    assert documents[-1]["stop"] == reason.check
    assert documents[-1]["stopped_by"] == str(reason)


def test_the_checks_that_were_kept_are_told(tmp_path: Path) -> None:
    """Those whose checkpoints are still there, and no others."""
    checkpoint = GapCheckpoint(save_top_k=2)
    monitor = GapMonitor(summary=False, stop=None, checkpoint=checkpoint)
    logger = TensorBoardLogger(tmp_path)
    fit(Net(), tmp_path, monitor, logger=logger, max_epochs=4, enable_checkpointing=True)
    kept = _documents(tmp_path)[-1]["kept"]
    best = sorted(monitor.history, key=lambda seen: seen.val)[:2]

    assert kept == sorted(seen.check for seen in best)


def test_names_lead_to_the_scalars_of_later_checks(tmp_path: Path) -> None:
    """Each name in the document is a scalar of the log, but for the probe that was not asked."""
    monitor = GapMonitor(summary=False, stop=None)
    fit(Logging(), tmp_path, monitor, logger=TensorBoardLogger(tmp_path))
    (log,) = {path.parent for path in tmp_path.rglob("events*")}
    scalars = EventAccumulator(str(log)).Reload().Tags()["scalars"]
    names = _documents(tmp_path)[-1]["names"]

    assert set(names.values()) - set(scalars) == {"Loss/train_probe"}
