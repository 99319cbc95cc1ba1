"""Take the picture of a run that README shows: its card in TensorBoard's Gap tab.

python scripts/screenshot.py LOGDIR OUT.png [--dark]
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDTH = 700  # CSS pixels: one card across


def main() -> None:
    """Open TensorBoard on the run, at the address that its summary gives, and save the card."""
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
    """Save the card of a run, at twice the resolution of the page."""
    from tests import browser as eyes  # noqa: PLC0415 - needs main's path

    from lightning_gapmon.report import links  # noqa: PLC0415 - needs main's path

    with eyes.serving(log_dir) as address, eyes.browsing(browser, scale=2, dark=dark) as page:
        eyes.wait_for_run(address)
        page.set_viewport_size({"width": WIDTH, "height": 900})
        page.goto(links.tab(host="127.0.0.1", port=eyes.port_of(address)))
        card = page.frame_locator("iframe").locator(".gap-card")
        card.locator("canvas:visible").first.wait_for()
        page.wait_for_timeout(1500)  # until it is drawn in full
        card.screenshot(path=picture)


if __name__ == "__main__":
    main()
