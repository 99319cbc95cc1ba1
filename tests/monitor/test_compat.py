"""Both packages: `lightning.pytorch` and its twin `pytorch_lightning`."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import lightning
import pytest
import torch
from packaging.version import Version
from tests.fits import QUIET, loader
from torch import Tensor, nn

from lightning_gapmon import (
    Budget,
    GapCheckpoint,
    GapMonitor,
    GapMonitorMixin,
    NonFinite,
    Patience,
    Rule,
    Target,
)

PACKAGES = ["lightning.pytorch", "pytorch_lightning"]


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest) -> ModuleType:
    """One of the two."""
    return import_module(request.param)


def _module(package: ModuleType, *, mixin: bool) -> Any:  # noqa: ANN401 - of either package
    bases = (GapMonitorMixin, package.LightningModule) if mixin else (package.LightningModule,)

    def step(self: Any, batch: list[Tensor], name: str) -> Any:  # noqa: ANN401
        losses = batch[0] * self.weight
        if mixin:
            self.track_loss(losses)
        else:
            self.log(name, losses.mean())
        return losses.mean()

    class Small(*bases):  # type: ignore[misc]
        def __init__(self, lr: float = 0.01) -> None:
            super().__init__()
            self.lr = lr
            self.weight = nn.Parameter(torch.ones(()))

        def training_step(self, batch: list[Tensor], _: int) -> Any:  # noqa: ANN401
            return step(self, batch, "train_loss")

        def validation_step(self, batch: list[Tensor], _: int) -> None:
            step(self, batch, "val_loss")

        def test_step(self, batch: list[Tensor]) -> None:
            self.log("test_weight", self.weight)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=self.lr)

    return Small()


@pytest.mark.parametrize("mixin", [True, False])
@pytest.mark.parametrize("listed", [True, False])
def test_both_trainers_take_it(
    package: ModuleType,
    mixin: bool,  # noqa: FBT001
    listed: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    """In a list or alone, with the mixin or with logged names, it watches, saves and restores."""
    monitor = GapMonitor(restore_best=True, stop=Patience(2), summary=False)
    runner = package.Trainer(
        **{**QUIET, "enable_checkpointing": True},
        max_epochs=3,
        callbacks=[monitor] if listed else monitor,
        default_root_dir=tmp_path,
    )
    module = _module(package, mixin=mixin)

    runner.fit(module, loader(10), loader(7))
    runner.test(module, loader(7), ckpt_path="best", verbose=False)

    assert len(monitor.history) == 3
    assert [type(one) for one in runner.checkpoint_callbacks] == [GapCheckpoint]
    assert runner.checkpoint_callback.best_model_path
    assert monitor.outcome is not None
    assert monitor.outcome.restored
    assert "Loss/val" not in vars(module)


def test_a_checkpoint_of_the_users_is_respected(package: ModuleType, tmp_path: Path) -> None:
    """Each package's own `ModelCheckpoint` is recognised."""
    theirs = package.callbacks.ModelCheckpoint(tmp_path / "m", monitor="Loss/val")
    runner = package.Trainer(
        **{**QUIET, "enable_checkpointing": True},
        max_epochs=1,
        callbacks=[theirs, GapMonitor(summary=False)],
        default_root_dir=tmp_path,
    )

    runner.fit(_module(package, mixin=True), loader(10), loader(7))

    assert runner.checkpoint_callbacks == [theirs]
    assert theirs.best_model_path


def test_an_own_gap_checkpoint_is_recognised(package: ModuleType, tmp_path: Path) -> None:
    """It is a checkpoint to both Trainers, so that neither adds its own."""
    ours = GapCheckpoint(dirpath=tmp_path / "m")
    runner = package.Trainer(
        **{**QUIET, "enable_checkpointing": True},
        max_epochs=1,
        callbacks=[ours, GapMonitor(summary=False)],
    )

    runner.fit(_module(package, mixin=True), loader(10), loader(7))

    assert runner.checkpoint_callbacks == [ours]
    assert Path(ours.best_model_path).parent == tmp_path / "m"


CONFIG = """
trainer:
  logger: false
  enable_checkpointing: true
  enable_progress_bar: false
  enable_model_summary: false
  accelerator: cpu
  max_epochs: 2
  callbacks:
    - class_path: lightning_gapmon.GapMonitor
      init_args:
        checkpoint:
          class_path: lightning_gapmon.GapCheckpoint
          init_args:
            save_top_k: 3
        val: val_loss
        summary: false"""

AS_CLASS = """
        stop:
          class_path: lightning_gapmon.Patience
          init_args:
            checks: 10%
            min_delta: 0.5
"""


AS_TEXT = """
        stop: Budget.eager().lr_aware() | Target(0.1) & NonFinite(2)
"""


@pytest.mark.skipif(
    Version(lightning.__version__) < Version("2.6"), reason="warns with jsonargparse 4.53"
)
@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        (AS_CLASS, Patience("10%", min_delta=0.5)),
        (AS_TEXT, Budget.eager().lr_aware() | Target(0.1) & NonFinite(2)),
        ("", Budget().lr_aware() | NonFinite(3)),
        ("\n        stop: null\n", None),
    ],
    ids=["class", "text", "default", "none"],
)
def test_a_config_file_builds_it(
    package: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lines: str,
    rule: Rule | None,
) -> None:
    """Each package's LightningCLI instantiates the monitor with its rule and checkpoint."""
    cli_class = import_module(f"{package.__name__}.cli").LightningCLI
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG + lines)
    monkeypatch.setattr(sys, "argv", ["fit"])
    # Lightning 2.6.6 calls jsonargparse 4.53 in a way that is going out of use.
    monkeypatch.setenv("JSONARGPARSE_DEPRECATION_WARNINGS", "off")

    cli = cli_class(
        type(_module(package, mixin=False)),
        run=False,
        save_config_callback=None,
        seed_everything_default=False,
        args=["--config", str(config), "--model.lr=0.5"],
    )

    (monitor,) = [one for one in cli.trainer.callbacks if isinstance(one, GapMonitor)]
    assert monitor.stop == rule
    assert isinstance(monitor.checkpoint, GapCheckpoint)
    assert monitor.checkpoint.save_top_k == 3
    assert (monitor.train, monitor.val) == (None, "val_loss")
