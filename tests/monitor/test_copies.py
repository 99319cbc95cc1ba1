"""Copies and pickles of a monitor, as libraries make them of the callbacks that they are given."""

import copy
import gc
import multiprocessing
import pickle
import pickletools
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.fits import Net, fit, loader, trainer

from lightning_gapmon import (
    Custom,
    GapCheckpoint,
    GapMonitor,
    History,
    Patience,
    Target,
)
from lightning_gapmon.monitor.copies import Copies

RULE = Patience(3).smoothed(2) | Target(0.1)


def _reread(monitor: GapMonitor) -> GapMonitor:
    read: GapMonitor = pickle.loads(pickle.dumps(monitor))  # noqa: S301 - our own
    return read


@pytest.mark.parametrize("copied", [copy.deepcopy, _reread])
def test_the_fit_of_a_copy_is_found_from_the_original(copied: Any, tmp_path: Path) -> None:  # noqa: ANN401
    """Until it has a fit of its own, whatever becomes of the copy."""
    given = GapMonitor(summary=False)
    used = copied(given)
    fit(Net(), tmp_path, used, max_epochs=2)
    found = copy.deepcopy(used.history)
    del used
    gc.collect()

    assert given.history == found
    assert len(found) == 2
    assert given.best == given.history.best
    assert given.outcome is not None
    assert "2 checks" in repr(given)

    fit(Net(), tmp_path, given, max_epochs=1)

    assert len(given.history) == 1


def test_each_copy_has_its_own_fit(tmp_path: Path) -> None:
    """Two copies do not come into each other's way; the original shows what went last."""
    given = GapMonitor(summary=False)
    first, second = copy.deepcopy(given), copy.deepcopy(given)
    fit(Net(), tmp_path, first, max_epochs=1)
    fit(Net(), tmp_path, second, max_epochs=3)

    assert [len(one.history) for one in (first, second, given)] == [1, 3, 3]
    assert len(GapMonitor().history) == 0


def test_copies_are_forgotten_with_the_last_of_them() -> None:
    """Nothing is kept of monitors that nobody has any more."""
    given = GapMonitor()
    key = given._copies.key
    twin = copy.deepcopy(given)
    del given
    gc.collect()

    assert Copies._living.get(key) is twin._copies
    del twin
    gc.collect()
    assert key not in Copies._living


def test_a_pickle_needs_one_name(tmp_path: Path) -> None:
    """Where nothing but plain types may be loaded, the monitor's own name is enough."""
    monitor = GapMonitor(
        stop=RULE,
        checkpoint=GapCheckpoint(select="trend", save_top_k=2, dirpath=tmp_path / "kept"),
        probe="5%",
        summary=False,
    )
    fit(Net(), tmp_path, monitor, enable_checkpointing=True)
    torch.save(monitor, tmp_path / "monitor.pt")
    with torch.serialization.safe_globals([GapMonitor]):
        read = torch.load(tmp_path / "monitor.pt", weights_only=True)

    assert (read.stop, read.probe, read.summary) == (RULE, "5%", False)
    assert vars(read.checkpoint.selection) == vars(monitor.checkpoint.selection)  # type: ignore[union-attr]
    assert (read.checkpoint.save_top_k, read.checkpoint.dirpath) == (2, str(tmp_path / "kept"))
    assert read.history == monitor.history
    assert repr(read.best) == repr(monitor.best)  # what was not measured is NaN
    assert repr(read.outcome) == repr(monitor.outcome)
    assert read.diagnosis == monitor.diagnosis


def test_a_whole_checkpoint_loads_with_plain_types_alone(tmp_path: Path) -> None:
    """Also where a library keeps what it gave its Trainer among the hyperparameters."""
    monitor, module = GapMonitor(summary=False), Net()
    module.save_hyperparameters({"trainer": {"callbacks": [monitor]}})
    runner = trainer(tmp_path, monitor, max_epochs=2)
    runner.fit(module, loader(10), loader(7))
    runner.save_checkpoint(tmp_path / "whole.ckpt")

    with torch.serialization.safe_globals([GapMonitor]):
        read = torch.load(tmp_path / "whole.ckpt", weights_only=True)

    (kept,) = read["hyper_parameters"]["trainer"]["callbacks"]
    assert kept.history == monitor.history
    assert len(read["callbacks"]["GapMonitor"]["history"]["columns"]["val"]) == 2


def _never(_: History) -> bool:
    return False


def test_what_is_code_is_left_out_and_named() -> None:
    """Functions, loaders and rules of one's own: the pickle has none, and says which."""
    monitor = GapMonitor(stop=Custom(_never), batch_size=len, on_verdict=print, probe=loader(4))
    pickled = pickle.dumps(monitor)

    with pytest.warns(UserWarning, match="without 'batch_size', 'on_verdict', 'probe', 'stop'"):
        read = pickle.loads(pickled)  # noqa: S301 - our own

    assert (read.stop, read.batch_size, read.on_verdict, read.probe) == (None, None, None, None)
    words = [str(arg) for _, arg, _ in pickletools.genops(pickled) if arg]
    assert not [word for word in words if "_never" in word or "DataLoader" in word]


def test_a_deep_copy_has_all_options() -> None:
    """A copy in memory fits as the original would."""
    monitor = GapMonitor(stop=RULE, batch_size=len, on_verdict=[print])
    twin = copy.deepcopy(monitor)

    assert (twin.stop, twin.batch_size, twin.on_verdict) == (RULE, len, [print])


class Own(GapMonitor):
    """A monitor with a setting of its own."""

    def __init__(self, mark: str) -> None:
        super().__init__(stop=None)
        self.mark = mark


def test_a_subclass_keeps_its_own_attributes() -> None:
    """What a user's subclass holds travels beside the options."""
    read = _reread(Own("seven"))

    assert isinstance(read, Own)
    assert (read.mark, read.stop) == ("seven", None)


def _options(monitor: GapMonitor, answers: Any) -> None:  # noqa: ANN401 - a queue
    answers.put((monitor.batch_size is len, monitor.on_verdict is print))


def test_a_process_that_is_started_gets_all() -> None:
    """`ddp_spawn` pickles its callbacks for processes that train with them."""
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.SimpleQueue()
    child = spawn.Process(
        target=_options, args=(GapMonitor(batch_size=len, on_verdict=print), answers)
    )
    child.start()
    child.join(100)

    assert child.exitcode == 0
    assert answers.get() == (True, True)
