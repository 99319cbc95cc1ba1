"""A checkpoint that is continued by another run: another rule, ranks, version, or logger."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from tests.strategies import alone, fit_script
from tests.strategies.launch import outputs, results, run_ranks_of
from tests.strategies.test_killed import start

STATE = "GapMonitor"


class Broken(pl.loggers.CSVLogger):
    """A logger whose disk, server or login is gone after a while."""

    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
        """Work for a while."""
        if step is not None and step >= 20:
            msg = "the logger is gone"
            raise ConnectionError(msg)
        super().log_metrics(metrics, step)


def test_a_logger_that_raises(tmp_path: Path) -> None:
    """Its error ends the run as without us; history, report and summary are there."""
    logger = Broken(tmp_path, name="logs", version="")
    code = start(tmp_path, logger=logger)
    printed = outputs(tmp_path)
    resumed = start(tmp_path, resume="last")

    assert code == 1
    assert "ConnectionError: the logger is gone" in printed
    assert "validation loss" in printed  # the summary
    assert resumed == 0, outputs(tmp_path)
    assert alone.columns(tmp_path)["check"] == [1, 2, 3, 4, 5]


def test_another_rule(tmp_path: Path) -> None:
    """The new rule looks at the whole history, and decides as if it had been there all along."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    start(whole, rule=1)
    patient = start(cut, rule=6, hook="on_train_epoch_start", epoch=3)
    resumed = start(cut, rule=1, resume="last")

    assert (patient, resumed) == (-9, 0), outputs(cut)
    assert alone.read(cut) == alone.read(whole)


def test_a_rule_that_would_have_stopped_before(tmp_path: Path) -> None:
    """Resumed with less patience than it has used up already, a run stops at once."""
    patient = start(tmp_path, rule=6, hook="on_train_epoch_start", epoch=6)
    resumed = start(tmp_path, rule=1, resume="last")
    found = alone.read(tmp_path)

    assert (patient, resumed) == (-9, 0), outputs(tmp_path)
    assert found["checks"] == 6
    assert "for 3 checks" in found["stop_reason"]
    assert found["restored"] is True


def test_more_patience(tmp_path: Path) -> None:
    """A run that was stopped goes on when it is resumed with more patience."""
    stopped = start(tmp_path, rule=1)
    resumed = start(tmp_path, rule=6, resume="last")

    assert (stopped, resumed) == (0, 0), outputs(tmp_path)
    assert alone.read(tmp_path)["checks"] == 8


def _part(folder: Path, ranks: int, name: str, epochs: int, resume: str | None) -> None:
    words = ["--out", str(folder), "--devices", str(ranks)]
    options = fit_script.read_options([*words, *(["--strategy", "ddp"] if ranks > 1 else [])])
    path = None if resume is None else folder / "checkpoints" / resume / "end.ckpt"
    fit_script.fit(options, name, epochs=epochs, resume=path)


def test_another_world_size(tmp_path: Path) -> None:
    """The history goes on where another number of ranks left it, up and down."""
    for ranks, name, epochs, resume in ((2, "a", 2, None), (1, "b", 3, "a"), (2, "c", 4, "b")):
        codes = run_ranks_of(
            _part, tmp_path, ranks, name, epochs, resume, ranks=ranks, folder=tmp_path
        )
        assert not any(codes), outputs(tmp_path)
    first, second, third = (results(tmp_path, name)[0]["history"]["columns"] for name in "abc")

    assert third["check"] == [1, 2, 3, 4]
    assert second["val"][:2] == first["val"]
    assert third["val"][:3] == second["val"]
    assert third["train_n"] == [fit_script.TRAIN] * 4
    assert third["val_n"] == [fit_script.VAL] * 4


def _changed(folder: Path, change: dict[str, Any]) -> None:
    path = folder / "last" / "last.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["callbacks"][STATE] |= change
    torch.save(checkpoint, path)


@pytest.mark.parametrize("version", [0, 99])
def test_a_state_of_another_version(version: int, tmp_path: Path) -> None:
    """It is refused in plain words."""
    start(tmp_path, hook="on_train_epoch_start")
    _changed(tmp_path, {"version": version})
    refused = start(tmp_path, resume="last")

    assert refused == 1
    assert f"Found a GapMonitor state of version {version}" in outputs(tmp_path)
    assert "Resume with the version of lightning_gapmon that wrote it" in outputs(tmp_path)
