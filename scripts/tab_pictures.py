"""Draw the pictures of docs/tensorboard.md: the Gap tab on four small trainings.

    python scripts/tab_pictures.py

A network learns noisy samples: as it is, with dropout, in small steps and with more data. A
browser then looks at TensorBoard; needs Chromium or Chrome.
"""

import sys
import tempfile
import time
from pathlib import Path

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lightning_gapmon import GapCheckpoint, GapMonitor, GapMonitorMixin

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
EPOCHS = 40


class Net(GapMonitorMixin, LightningModule):
    """Tells two noisy classes apart."""

    def __init__(self, *, decay: float = 0.0, dropout: float = 0.0, rate: float = 5e-3) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(20, 128), nn.ReLU(), nn.Dropout(dropout), nn.Linear(128, 2)
        )
        self.decay, self.rate = decay, rate

    def loss_step(self, batch: list[Tensor]) -> Tensor:
        inputs, targets = batch
        return nn.functional.cross_entropy(self.net(inputs), targets, reduction="none")

    def configure_optimizers(self) -> tuple[list[object], list[object]]:
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.rate, weight_decay=self.decay)
        return [optimizer], [torch.optim.lr_scheduler.MultiStepLR(optimizer, [30], gamma=0.1)]


def samples(count: int, seed: int) -> DataLoader[tuple[Tensor, ...]]:
    """Draw samples of which a sixth has the wrong class."""
    dice = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 20, generator=dice)
    right = (inputs[:, :4].sum(dim=1) + inputs[:, 4] * inputs[:, 5] > 0).long()
    wrong = torch.rand(count, generator=dice) < 1 / 6
    return DataLoader(TensorDataset(inputs, right ^ wrong.long()), batch_size=100)


def train(folder: Path, name: str, count: int, **settings: float) -> None:
    """Train one network, watched."""
    torch.manual_seed(1)
    monitor = GapMonitor(stop=None, probe=4, summary=False, checkpoint=GapCheckpoint(save_top_k=2))
    trainer = Trainer(
        accelerator="cpu",
        callbacks=[monitor, LearningRateMonitor("epoch")],
        enable_model_summary=False,
        enable_progress_bar=False,
        log_every_n_steps=1,
        logger=TensorBoardLogger(folder, name=name, version=""),
        max_epochs=EPOCHS,
    )
    trainer.fit(Net(**settings), samples(count, seed=2), samples(500, seed=3))


def look(log_dir: Path, browser: str) -> None:
    """Save what a browser shows."""
    from tests import browser as eyes  # noqa: PLC0415 - needs main's path

    pick = '["baseline", "dropout", "more data"]'
    pictures = {
        "gap-tab": ("", 1000, False),
        "gap-overlay": (f"&gap.view=overlay&gap.pick={pick}", 800, False),
        "gap-dark": ("&gap.run=baseline", 900, True),
    }
    with eyes.serving(log_dir) as address:
        time.sleep(5)  # until it has read the runs
        for name, (choice, height, dark) in pictures.items():
            with eyes.browsing(browser, scale=2, dark=dark) as page:
                page.set_viewport_size({"width": 1280, "height": height})
                page.goto(f"{address}#gapmon{choice}")
                tab = page.frame_locator("iframe")
                tab.locator("canvas:visible").first.wait_for()
                tab.locator(".gap-status", has_text="4 runs").wait_for()
                page.wait_for_timeout(1500)
                page.screenshot(path=IMAGES / f"{name}.png")
                print(f"wrote {name}.png")


def main() -> None:
    """Train, then look."""
    torch.set_num_threads(1)  # small layers: more cost time
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]  # the browser is driven as the tests drive it
    from tests.conftest import find_browser  # noqa: PLC0415 - needs the path above

    browser = find_browser()
    if browser is None:
        sys.exit("Found no Chromium or Chrome on PATH; install one, or set GAPMON_BROWSER.")
    with tempfile.TemporaryDirectory() as folder:
        train(Path(folder), "baseline", 300)
        train(Path(folder), "dropout", 300, dropout=0.5)
        train(Path(folder), "small steps", 300, rate=2e-4)
        train(Path(folder), "more data", 4000, rate=1e-3)
        look(Path(folder), browser)


if __name__ == "__main__":
    main()
