"""The plan, against the number of validations that a real Trainer makes."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from tests.fits import Marks, Net, Stream, fit, loader, trainer, values
from torch.utils.data import DataLoader

from lightning_gapmon import GapMonitor, Target
from lightning_gapmon.monitor.checks.plan import planned_checks

# 7 training batches an epoch.
Settings = dict[str, Any]
EPOCHS: list[Settings] = [{"max_epochs": 1}, {"max_epochs": 3}, {"max_epochs": 4}]
INTERVALS: list[Settings] = [
    {},
    {"val_check_interval": 0.5},
    {"val_check_interval": 0.3},
    {"val_check_interval": 1},
    {"val_check_interval": 3},
    {"check_val_every_n_epoch": 2},
    {"check_val_every_n_epoch": 2, "val_check_interval": 2},
    {"check_val_every_n_epoch": None, "val_check_interval": 5},
    {"check_val_every_n_epoch": None, "val_check_interval": 9},
]
STEPS: list[Settings] = [{}, {"max_steps": 5}, {"max_steps": 16}]
ACCUMULATED: list[Settings] = [{}, {"accumulate_grad_batches": 3}]
GRID: list[Settings] = [
    {**epochs, **intervals, **steps, **accumulated}
    for epochs, intervals, steps, accumulated in itertools.product(
        EPOCHS, INTERVALS, STEPS, ACCUMULATED
    )
]


def _name(settings: dict[str, Any]) -> str:
    return "-".join(f"{key.replace('_', '')}={value}" for key, value in settings.items())


@pytest.mark.parametrize("settings", GRID, ids=_name)
def test_the_plan_is_what_the_trainer_does(settings: dict[str, Any], tmp_path: Path) -> None:
    """Over epochs, intervals, steps and accumulation."""
    marks = Marks()

    runner = trainer(tmp_path, marks, **settings)
    runner.fit(Net(), loader(7, batch_size=1), loader(2, batch_size=1))

    assert planned_checks(runner) == len(marks.at) - 1


@pytest.mark.parametrize("settings", INTERVALS, ids=_name)
def test_checks_that_were_never_seen_are_not_in_the_plan(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    """A run that began without a monitor has as many checks as are left, also resumed again."""
    data = loader(7, batch_size=1), loader(2, batch_size=1)
    before = trainer(tmp_path, max_epochs=2, **settings)
    before.fit(Net(), *data)
    before.save_checkpoint(tmp_path / "before.ckpt")
    seen, resumed = GapMonitor(stop=None, summary=False), GapMonitor(stop=None, summary=False)
    runner = trainer(tmp_path, seen, max_epochs=6, **settings)
    runner.fit(Net(), *data, ckpt_path=tmp_path / "before.ckpt")
    runner.save_checkpoint(tmp_path / "between.ckpt")
    again = trainer(tmp_path, resumed, max_epochs=8, **settings)
    again.fit(Net(), *data, ckpt_path=tmp_path / "between.ckpt")

    assert seen.history.planned == len(seen.history) > 0
    assert resumed.history.planned == len(resumed.history) > len(seen.history)


def test_without_an_end_there_is_no_plan(tmp_path: Path) -> None:
    """A run that others end has none."""
    monitor = GapMonitor(stop=Target(100.0), summary=False)
    fit(Net(), tmp_path, monitor, max_epochs=-1)

    assert monitor.history.planned is None
    assert len(monitor.history) == 1


def test_a_stream_is_checked_at_its_end(tmp_path: Path) -> None:
    """Of a stream only the number of epochs is known."""
    stream = DataLoader(Stream(values(9)), batch_size=2)

    assert fit(Net(), tmp_path, train=stream, max_epochs=2).history.planned == 2
    assert fit(Net(), tmp_path, train=stream, max_epochs=9, max_steps=7).history.planned is None
    assert (
        fit(
            Net(),
            tmp_path,
            train=stream,
            max_epochs=2,
            val_check_interval=2,
            check_val_every_n_epoch=None,
        ).history.planned
        is None
    )
