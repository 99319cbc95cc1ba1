"""Take the picture of a run's charts that README shows.

python scripts/screenshot.py LOGDIR OUT.png [--dark]
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MARGIN = 12  # CSS pixels around the charts


def main() -> None:
    """Open TensorBoard on the run, at both losses in one chart, and save what is drawn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log_dir", type=Path, help="folder of a run that was monitored")
    parser.add_argument("picture", type=Path, help="PNG file to write")
    parser.add_argument("--dark", action="store_true", help="as on a dark desktop")
    given = parser.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]  # the browser is driven as the tests drive it
    from tests.conftest import find_browser  # noqa: PLC0415 - needs the path above

    browser = find_browser()
    if browser is None:
        sys.exit("Found no Chromium or Chrome on PATH; install one, or set GAPMON_BROWSER.")
    shoot(given.log_dir, given.picture, browser=browser, dark=given.dark)
    print(f"wrote {given.picture}")


def shoot(log_dir: Path, picture: Path, *, browser: str, dark: bool = False) -> None:
    """Save the charts of a run, cropped, at twice the resolution of the page."""
    from tests import browser as eyes  # noqa: PLC0415 - needs main's path

    from lightning_gapmon.report import links  # noqa: PLC0415 - needs main's path

    with eyes.serving(log_dir) as address, eyes.browsing(browser, scale=2, dark=dark) as page:
        eyes.wait_for_run(address)
        page.goto(links.overlay(host="127.0.0.1", port=eyes.port_of(address)))
        charts = eyes.overlay_charts(page)
        left, right = (chart.bounding_box() for chart in charts)
        below = charts[0].locator("#buttons").bounding_box()
        clip = {
            "x": left["x"] - MARGIN,
            "y": left["y"] - MARGIN,
            "width": right["x"] + right["width"] - left["x"] + 2 * MARGIN,
            "height": below["y"] - left["y"] + MARGIN,
        }
        page.screenshot(path=picture, clip=clip)


if __name__ == "__main__":
    main()
