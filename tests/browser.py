"""A real TensorBoard on a folder, and a headless browser to look at it."""

import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Locator, Page, sync_playwright

DEADLINE = 20.0  # seconds for each wait; nothing here needs a quarter of it
LAYOUT = "custom_scalars/layout"
# Without these the browser calls home at each start.
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


@contextmanager
def serving(log_dir: Path, *more: str) -> Iterator[str]:
    """Run TensorBoard on a folder, at a port that it picks itself; give its address.

    Args:
        log_dir: The folder.
        more: Further options of TensorBoard's.
    """
    options = ["--logdir", str(log_dir), "--host", "127.0.0.1", "--port", "0", *more]
    with subprocess.Popen(  # noqa: S603 - this interpreter, and a folder of the test's
        [sys.executable, "-m", "tensorboard.main", *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as server:
        found: queue.Queue[str] = queue.Queue()
        # What it prints goes on being read, so that a full pipe does not stop it.
        reader = threading.Thread(target=_read, args=(server.stderr, found))
        reader.start()
        try:
            yield _address(found)
        finally:
            server.terminate()
            reader.join(DEADLINE)


def _read(printed: TextIO, found: "queue.Queue[str]") -> None:
    """Pass on the address that TensorBoard prints, and at its end all that it said."""
    said = ""
    for line in printed:
        said += line
        address = re.search(r"TensorBoard \S+ at (http\S+)", line)
        if address:
            found.put(address[1])
    found.put(said)


def _address(found: "queue.Queue[str]") -> str:
    address = found.get(timeout=DEADLINE)
    if not address.startswith("http"):
        msg = f"TensorBoard ended before it served anything:\n{address}"
        raise RuntimeError(msg)
    return address


def wait_for_run(address: str, *, tag: str = "Loss/val", points: int = 1) -> None:
    """Wait until TensorBoard has read a run: it serves before it has, and a page does not reload.

    Args:
        address: Where it is served.
        tag: A scalar of the run.
        points: How many points of it must be there.
    """
    give_up = time.monotonic() + DEADLINE
    while _points(address, tag) < points or not _get(f"{address}data/plugin/{LAYOUT}"):
        if time.monotonic() > give_up:
            msg = f"{address} has not {points} points of {tag} and a layout after {DEADLINE} s"
            raise TimeoutError(msg)
        time.sleep(0.05)


def _points(address: str, tag: str) -> int:
    """Count the points that the first run with a scalar has of it."""
    runs = _get(f"{address}data/plugin/scalars/tags")
    run = next((run for run, tags in runs.items() if tag in tags), None)
    if run is None:
        return 0
    query = urlencode({"run": run, "tag": tag})
    return len(_get(f"{address}data/plugin/scalars/scalars?{query}"))


def _get(url: str) -> Any:  # noqa: ANN401 - any JSON
    with urllib.request.urlopen(url, timeout=DEADLINE) as answer:  # noqa: S310 - our own server
        return json.load(answer)


@contextmanager
def browsing(executable: str, *, scale: float = 1, dark: bool = False) -> Iterator[Page]:
    """Open an empty page of a headless browser that forgets everything afterwards."""
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=[*FLAGS, *as_root], env={**os.environ, "HOME": home}
        )
        page = browser.new_page(
            viewport={"width": 1280, "height": 800},
            device_scale_factor=scale,
            color_scheme="dark" if dark else "light",
        )
        page.set_default_timeout(1000 * DEADLINE)
        yield page
        browser.close()


@contextmanager
def beside(page: Page) -> Iterator[Page]:
    """Open one more empty page in the same browser: of these there is one at a time."""
    browser = page.context.browser
    assert browser is not None
    other = browser.new_page(viewport=page.viewport_size)
    other.set_default_timeout(1000 * DEADLINE)
    yield other
    other.context.close()


def port_of(address: str) -> int:
    """Give the port that TensorBoard picked."""
    port = urlsplit(address).port
    assert port is not None, address
    return port


def overlay_charts(page: Page) -> tuple[Locator, Locator]:
    """Find the two charts of the Custom Scalars tab, drawn with every point in sight.

    By default TensorBoard scales a chart without its outliers and cuts a line at the edge.
    """
    outliers = page.locator("tf-custom-scalar-dashboard paper-checkbox", has_text="outliers")
    if outliers.get_attribute("aria-checked") == "true":
        outliers.click()
    overlay = page.locator("tf-custom-scalar-multi-line-chart-card")
    band = page.locator("tf-custom-scalar-margin-chart-card")
    overlay.locator("path.line").first.wait_for()
    band.locator("path.area").first.wait_for()
    return overlay, band
