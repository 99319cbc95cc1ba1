"""The latest check is kept beside the best: a run that was killed goes on from there."""

import math
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import LightningCLI
from packaging.version import Version
from tests.fits import Scripted, loader, trainer
from torch import Tensor

from lightning_gapmon import GapCheckpoint, GapMonitor, GapMonitorMixin
from lightning_gapmon.errors import ConfigurationError

SCRIPT = [3.0, 1.0, 2.0, 1.5, 1.25, 4.0]


class Kill(Callback):
    """Ends a run before its last check, with what nothing catches."""

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Raise at the fourth."""
        if trainer.current_epoch == 3:
            raise MemoryError


def _runner(folder: Path, checkpoint: Any, *others: Callback, **settings: Any) -> Trainer:  # noqa: ANN401 - what a monitor and a Trainer take
    monitor = GapMonitor(stop=None, summary=False, checkpoint=checkpoint)
    settings = {"enable_checkpointing": True, "max_epochs": 6, **settings}
    return trainer(folder, monitor, *others, **settings)


def _monitor(runner: Trainer) -> GapMonitor:
    callbacks: list[Any] = runner.callbacks  # type: ignore[attr-defined]
    return next(one for one in callbacks if isinstance(one, GapMonitor))


def _saved(path: str | Path) -> tuple[int, float]:
    content = torch.load(path, weights_only=True)
    return content["global_step"], content["state_dict"]["weight"].item()


def _killed(folder: Path, checkpoint: Any) -> None:  # noqa: ANN401 - what a monitor takes
    with pytest.raises(MemoryError):
        _runner(folder, checkpoint, Kill()).fit(Scripted(SCRIPT), loader(8), loader(4))


def test_the_latest_check_is_kept_beside_the_best(tmp_path: Path) -> None:
    """By default, and not as a copy of the best."""
    runner = _runner(tmp_path, True)  # noqa: FBT003 - the option's value
    runner.fit(Scripted(SCRIPT), loader(8), loader(4))
    (keeper,) = runner.checkpoint_callbacks
    assert isinstance(keeper, GapCheckpoint)

    assert _saved(keeper.best_model_path) == (4, 4.0)
    assert _saved(keeper.last_model_path) == (12, 12.0)
    assert sorted(path.name for path in tmp_path.rglob("*.ckpt")) == [
        "epoch=1-step=4.ckpt",
        "last.ckpt",
    ]


def test_the_latest_may_be_left_out(tmp_path: Path) -> None:
    """Then the best is alone."""
    _runner(tmp_path, GapCheckpoint(save_last=False)).fit(Scripted(SCRIPT), loader(8), loader(4))

    assert [path.name for path in tmp_path.rglob("*.ckpt")] == ["epoch=1-step=4.ckpt"]


def test_a_link_is_refused() -> None:
    """The latest is no other file."""
    with pytest.raises(ConfigurationError, match="Found save_last='link'; expected True or False"):
        GapCheckpoint(save_last="link")  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not:UserWarning")
@pytest.mark.parametrize("own", [False, True], ids=["default", "given to the monitor"])
def test_a_killed_run_goes_on_from_its_latest_check(own: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """`ckpt_path="last"` finds it, and the run ends as one that was not killed."""

    def wanted() -> bool | GapCheckpoint:
        return GapCheckpoint(dirpath=tmp_path / "own") if own else True

    _killed(tmp_path, wanted())
    runner, module = _runner(tmp_path, wanted()), Scripted(SCRIPT)
    module.at = 3
    runner.fit(module, loader(8), loader(4), ckpt_path="last")
    files = {path.name: _saved(path) for path in tmp_path.rglob("*.ckpt")}

    assert list(_monitor(runner).history.val) == SCRIPT
    assert files == {"epoch=1-step=4.ckpt": (4, 4.0), "last.ckpt": (12, 12.0)}


@pytest.mark.skipif(
    Version(lightning.__version__) < Version("2.6"), reason="warns with jsonargparse 4.53"
)
@pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not:UserWarning")
def test_a_killed_run_of_a_configuration_file_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint that a file gives to the monitor is found all the same."""
    monkeypatch.setattr(sys, "argv", ["fit.py"])
    # Lightning 2.6.6 calls jsonargparse 4.53 in a way that is going out of use.
    monkeypatch.setenv("JSONARGPARSE_DEPRECATION_WARNINGS", "off")
    path = "lightning_gapmon."
    config = {
        "default_root_dir": str(tmp_path),
        "max_epochs": 6,
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "accelerator": "cpu",
        "callbacks": [
            {
                "class_path": f"{path}GapMonitor",
                "init_args": {
                    "stop": None,
                    "summary": False,
                    "checkpoint": {
                        "class_path": f"{path}GapCheckpoint",
                        "init_args": {"dirpath": str(tmp_path / "own")},
                    },
                },
            }
        ],
    }
    _killed(tmp_path, GapCheckpoint(dirpath=tmp_path / "own"))
    cli = LightningCLI(
        Told,
        args={"trainer": config, "model": {"at": 3}},
        run=False,
        save_config_callback=None,
        seed_everything_default=False,
    )
    cli.trainer.fit(cli.model, loader(8), loader(4), ckpt_path="last")

    assert list(_monitor(cli.trainer).history.val) == SCRIPT


class Told(Scripted):
    """Has the script, from one of its pages on."""

    def __init__(self, at: int = 0) -> None:
        super().__init__(SCRIPT)
        self.at = at


def test_a_trainer_without_a_monitor_finds_what_it_found(tmp_path: Path) -> None:
    """Lightning's own way to the latest file is its own where there is no monitor."""
    stock = ModelCheckpoint(tmp_path / "stock", save_last=True)
    runner = trainer(tmp_path, stock, enable_checkpointing=True)
    (tmp_path / "stock").mkdir()
    (tmp_path / "stock" / "last.ckpt").touch()

    assert stock._find_last_checkpoints(runner) == {str(tmp_path / "stock" / "last.ckpt")}


class Manual(GapMonitorMixin, LightningModule):
    """Steps by itself, so that Lightning counts no step."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.weight, self.at = torch.nn.Parameter(torch.zeros(())), 0

    def training_step(self, batch: list[Tensor], *_: int) -> Tensor:
        """Move the weight by one."""
        with torch.no_grad():
            self.weight.add_(1)
        return self.track_loss(batch[0]).mean()

    def validation_step(self, batch: list[Tensor], *_: int) -> Tensor:
        """Tell the script's loss."""
        return self.track_loss(torch.full_like(batch[0], SCRIPT[self.at])).mean()

    def on_validation_end(self) -> None:
        """Turn the page."""
        self.at += not self.trainer.sanity_checking

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Give one that is not used."""
        return torch.optim.SGD(self.parameters(), lr=1.0)


def test_a_module_that_steps_by_itself_is_saved(tmp_path: Path) -> None:
    """Its steps stay at 0; its checks count."""
    runner = _runner(tmp_path, True)  # noqa: FBT003 - the option's value
    runner.fit(Manual(), loader(8), loader(4))
    (keeper,) = runner.checkpoint_callbacks
    assert isinstance(keeper, GapCheckpoint)

    assert _saved(keeper.best_model_path) == (0, 4.0)
    assert _saved(keeper.last_model_path) == (0, 12.0)


def test_the_last_weights_of_a_run_without_a_check_are_kept(tmp_path: Path) -> None:
    """As the Trainer's own default does; `best` is then that file."""
    runner = _runner(tmp_path, True, max_epochs=2, check_val_every_n_epoch=5)  # noqa: FBT003
    with pytest.warns(UserWarning, match="GapMonitor saw no validation in this fit"):
        runner.fit(Scripted(SCRIPT), loader(8), loader(4))
    (keeper,) = runner.checkpoint_callbacks
    assert isinstance(keeper, GapCheckpoint)

    assert _saved(keeper.best_model_path) == _saved(keeper.last_model_path) == (4, 4.0)


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not:UserWarning")
def test_a_folder_may_move(tmp_path: Path) -> None:
    """The best and the latest are found where they are now, and ranked with the rest."""
    _killed(tmp_path / "before", GapCheckpoint(dirpath=tmp_path / "before" / "own", save_top_k=2))
    shutil.move(tmp_path / "before", tmp_path / "after")
    keeper = GapCheckpoint(dirpath=tmp_path / "after" / "own", save_top_k=2)
    runner, module = _runner(tmp_path / "after", keeper), Scripted(SCRIPT)
    module.at = 3
    runner.fit(module, loader(8), loader(4), ckpt_path="last")

    assert keeper.best_model_path == str(tmp_path / "after" / "own" / "epoch=1-step=4.ckpt")
    assert sorted(path.name for path in (tmp_path / "after" / "own").iterdir()) == [
        "epoch=1-step=4.ckpt",
        "epoch=4-step=10.ckpt",
        "last.ckpt",
    ]


def test_a_loss_that_is_not_finite_leaves_the_latest(tmp_path: Path) -> None:
    """Weights that are lost are nothing to go on from."""
    keeper = GapCheckpoint(dirpath=tmp_path / "g")
    _runner(tmp_path, keeper, max_epochs=3).fit(
        Scripted([2.0, 3.0, math.nan]), loader(8), loader(4)
    )

    assert _saved(keeper.last_model_path) == (4, 4.0)
    assert os.path.basename(keeper.last_model_path) == "last.ckpt"  # noqa: PTH119 - a text
