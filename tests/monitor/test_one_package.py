"""Environments that have one of the two Lightning packages, or neither."""

import subprocess
import sys
from pathlib import Path

import pytest

# What cannot be imported, and is asked for as where it is not installed.
HIDE = """
import sys
for name in {hidden!r}:
    sys.modules[name] = None
"""
FIT = """
import torch
from {package} import LightningModule, Trainer
from lightning_gapmon import GapCheckpoint, GapMonitor, GapMonitorMixin
from lightning_gapmon.monitor import demo  # it trains with what is there, too

class Net(GapMonitorMixin, LightningModule):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def loss_step(self, batch):
        return batch * self.weight

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

monitor = GapMonitor(summary=False, restore_best=True, probe=1)
trainer = Trainer(
    accelerator="cpu", max_epochs=2, callbacks=monitor, logger=False,
    enable_progress_bar=False, enable_model_summary=False,
)
data = torch.utils.data.DataLoader(torch.ones(6), batch_size=2)
trainer.fit(Net(), data, data)
assert type(trainer.checkpoint_callback) is GapCheckpoint
assert issubclass(demo.Classifier, LightningModule)
print(len(monitor.history), monitor.history.val[0] == monitor.history.probe[0], *sys.modules)
"""
NEITHER = """
from lightning_gapmon import Patience
try:
    from lightning_gapmon import GapMonitor
except ModuleNotFoundError as error:
    print(error)
"""


def _run(code: str, folder: Path, *hidden: str) -> str:
    ran = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-W", "ignore", "-c", HIDE.format(hidden=hidden) + code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize(
    ("package", "hidden"),
    [
        ("pytorch_lightning", ["lightning"]),
        ("lightning.pytorch", ["pytorch_lightning"]),
        ("pytorch_lightning", []),
    ],
    ids=["one", "the other", "both"],
)
def test_one_package_is_enough(package: str, hidden: list[str], tmp_path: Path) -> None:
    """Where the other cannot be imported, the single callback watches, saves and restores.

    Where both can be, it is the user's that the package itself trains and speaks with.
    """
    checks, fair, *loaded = _run(FIT.format(package=package), tmp_path, *hidden).split()

    assert (checks, fair) == ("2", "True")
    assert package in loaded
    assert not [name for name in loaded for other in hidden if name.startswith(f"{other}.")]


def test_without_either_it_says_what_to_install(tmp_path: Path) -> None:
    """What needs no Trainer still works; the callback says what it looked for."""
    said = _run(NEITHER, tmp_path, "lightning", "pytorch_lightning")

    assert said.startswith("Found neither lightning nor pytorch_lightning in this environment; ")
    assert "pip install lightning" in said
