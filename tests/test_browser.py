"""What TensorBoard draws of a run, seen through a headless browser."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser import browsing, find_browser, overlay_charts, port_of, serving, wait_for_layout
from torch.utils.tensorboard import SummaryWriter

from lightning_gapmon.board.layout import custom_scalars
from lightning_gapmon.board.tags import Tags
from lightning_gapmon.report import links

CHECKS = 30
SMOOTHING = "tf-smoothing-input input"

pytestmark = pytest.mark.browser


def _write_run(log_dir: Path) -> None:
    """Write what a monitored run writes: two losses a check, at the same steps, and the charts."""
    tags = Tags()
    with SummaryWriter(log_dir, purge_step=0) as writer:
        writer.add_custom_scalars(custom_scalars(tags))
        for check in range(1, CHECKS + 1):
            writer.add_scalar(tags.train, 2.3 * math.exp(-check / 6), 20 * check)
            writer.add_scalar(tags.val, 1.8 * math.exp(-check / 4) + 0.02 * check, 20 * check)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Open a run through the link that the summary prints."""
    executable = find_browser()
    if executable is None:
        verdict = pytest.fail if os.environ.get("GAPMON_REQUIRE_BROWSER") else pytest.skip
        verdict("needs Chromium or Chrome, found none on PATH")
    log_dir = tmp_path_factory.mktemp("run")
    _write_run(log_dir)
    with serving(log_dir) as address, browsing(executable) as page:
        wait_for_layout(address)
        page.goto(links.overlay(host="127.0.0.1", port=port_of(address)))
        yield page


def _points(lines: Locator) -> list[int]:
    """Count the points of each drawn line."""
    drawn: list[str] = lines.evaluate_all("paths => paths.map(path => path.getAttribute('d'))")
    return [path.count("L") + 1 for path in drawn]


def test_link_arrives_with_smoothing_off(page: Page) -> None:
    """TensorBoard's default smoothing draws a gap where there is none; the link turns it off."""
    expect(page.locator(SMOOTHING).first).to_have_value("0")


def test_overlay_draws_both_losses_whole(page: Page) -> None:
    """One chart holds two lines, with a point for each check that was logged."""
    overlay, _ = overlay_charts(page)

    expect(overlay.locator("path.line")).to_have_count(2)
    assert _points(overlay.locator("path.line")) == [CHECKS, CHECKS]


def test_band_is_shaded_between_the_losses(page: Page) -> None:
    """The gap is an area with an upper and a lower edge, a point a check on each."""
    _, band = overlay_charts(page)

    expect(band.locator("path.area")).to_have_count(1)
    assert _points(band.locator("path.area")) == [2 * CHECKS]


def test_no_chart_complains(page: Page) -> None:
    """TensorBoard shows a red box where the series of a chart do not fit together."""
    for chart in overlay_charts(page):
        expect(chart.locator(".error-content")).to_have_count(0)
