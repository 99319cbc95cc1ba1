"""What every test gets: a clean process, and markers that skip only where nothing was promised."""

import os
import shutil
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

# The models here are tiny: threads cost them more than they gain. Read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No test is timed: a busy machine makes nothing wrong.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)


def find_browser() -> str | None:
    """Return the path of Chromium or Chrome: what `GAPMON_BROWSER` names, else the first found."""
    named = os.environ.get("GAPMON_BROWSER")
    return next(filter(None, map(shutil.which, [named] if named else BROWSERS)), None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine has no device or browser for, unless this run promised them."""
    if marker := item.get_closest_marker("gpu"):
        _need_gpus(marker.args[0])
    if item.get_closest_marker("browser"):
        _need_browser()
    if item.get_closest_marker("node"):
        _need_node()


def _need_gpus(needed: int) -> None:
    import torch  # noqa: PLC0415  # tests without a device stay quick to start

    found = torch.cuda.device_count()
    if found < needed:
        promised = needed <= int(os.environ.get("GAPMON_REQUIRE_GPUS") or 0)
        _skip_or_fail(f"needs {needed} GPUs, found {found}", promised=promised)


def _need_browser() -> None:
    if find_browser() is None:
        promised = bool(os.environ.get("GAPMON_REQUIRE_BROWSER"))
        _skip_or_fail("needs Chromium or Chrome, found neither", promised=promised)


def _need_node() -> None:
    if shutil.which("node") is None:
        promised = bool(os.environ.get("GAPMON_REQUIRE_NODE"))
        _skip_or_fail("needs node, found none", promised=promised)


def _skip_or_fail(reason: str, *, promised: bool) -> None:
    if promised:
        pytest.fail(f"{reason}, and this run promised it")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Where the browser of a test marked `browser` is."""
    path = find_browser()
    assert path is not None, "a test that asks for browser_path is marked with pytest.mark.browser"
    return path


@pytest.fixture(autouse=True)
def _clean_process() -> Iterator[None]:
    """Give back the environment (Lightning leaves MASTER_PORT) and the process group."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)
    if "torch.distributed" in sys.modules:
        _leave_process_group()


def _leave_process_group() -> None:
    import torch.distributed as dist  # noqa: PLC0415  # only where a test loaded it

    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
