"""What TensorBoard draws of a run, seen through a headless browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from playwright.sync_api import Page, expect
from tests.browser import (
    DEADLINE,
    beside,
    browsing,
    overlay_charts,
    port_of,
    serving,
    wait_for_run,
)
from torch.utils.data import DataLoader, TensorDataset

from lightning_gapmon import GapMonitor, GapMonitorMixin
from lightning_gapmon.report import links

CHECKS = 12
SMOOTHING = "tf-smoothing-input input"

pytestmark = pytest.mark.browser
expect.set_options(timeout=1000 * DEADLINE)


class _Model(GapMonitorMixin, pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def loss_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        inputs, targets = batch
        losses: torch.Tensor = (self.layer(inputs) - targets).square().mean(dim=1)
        return losses

    def training_step(self, batch: list[torch.Tensor], *_: int) -> torch.Tensor:
        for name in ("Accuracy/train", "acc", "a/b", "batch/loss"):
            self.log(name, 0.5)
        return super().training_step(batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.05)


def _loader(samples: int, seed: int) -> DataLoader[tuple[torch.Tensor, ...]]:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(samples, 4, generator=generator)
    targets = inputs.sum(dim=1, keepdim=True) + torch.randn(samples, 1, generator=generator)
    return DataLoader(TensorDataset(inputs, targets), batch_size=4)


def _fit(folder: Path) -> None:
    trainer = pl.Trainer(
        accelerator="cpu",
        callbacks=[GapMonitor(stop=None, checkpoint=False, summary=False)],
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        log_every_n_steps=1,
        logger=TensorBoardLogger(folder, purge_step=0),
        max_epochs=CHECKS,
    )
    trainer.fit(_Model(), _loader(12, seed=1), _loader(8, seed=2))


@pytest.fixture(scope="module")
def page(browser_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Open a run through the link that the summary prints."""
    folder = tmp_path_factory.mktemp("run")
    _fit(folder)
    with serving(folder) as address, browsing(browser_path) as page:
        wait_for_run(address, points=CHECKS)
        page.goto(links.overlay(host="127.0.0.1", port=port_of(address)))
        yield page


def _path(points: int) -> re.Pattern[str]:
    """Match the path of a line through so many points."""
    return re.compile(rf"^M[^L]+(L[^L]+){{{points - 1}}}$")


def test_link_arrives_with_smoothing_off(page: Page) -> None:
    """TensorBoard's default smoothing draws a gap where there is none; the link turns it off."""
    expect(page.locator(SMOOTHING).first).to_have_value("0")


def test_overlay_draws_both_losses_whole(page: Page) -> None:
    """One chart holds two lines, with a point for each check that was logged."""
    overlay, _ = overlay_charts(page)

    expect(overlay.locator("path.line")).to_have_count(2)
    for line in overlay.locator("path.line").all():
        expect(line).to_have_attribute("d", _path(CHECKS))


def test_band_is_shaded_between_the_losses(page: Page) -> None:
    """The gap is an area with an upper and a lower edge, a point a check on each."""
    _, band = overlay_charts(page)

    expect(band.locator("path.area")).to_have_count(1)
    expect(band.locator("path.area")).to_have_attribute("d", _path(2 * CHECKS))


def test_no_chart_complains(page: Page) -> None:
    """TensorBoard shows a red box where the series of a chart do not fit together."""
    for chart in overlay_charts(page):
        expect(chart.locator(".error-content")).to_have_count(0)


def test_the_losses_are_open_at_the_first_look(page: Page) -> None:
    """The first tab opens two groups by name; ours is one of them beside a module's own."""
    with beside(page) as first:
        first.goto(page.url.partition("#")[0])
        card = first.get_by_text("Loss/gap", exact=True).first

        expect(card).to_be_visible()
        expect(first.get_by_text("a/b", exact=True)).to_have_count(0)
