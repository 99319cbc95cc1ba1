"""The Gap tab in a real TensorBoard, seen through a headless browser."""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import urlopen

import pytest
from lightning.pytorch.loggers import TensorBoardLogger
from playwright.sync_api import ConsoleMessage, Dialog, FrameLocator, Locator, Page, expect
from tests import curves
from tests.browser import DEADLINE, beside, browsing, serving
from tests.event_logs import plain_log, write_scalars
from tests.fits import Logging, loader, trainer

from lightning_gapmon import GapMonitor, History, diagnose
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.run_document import Beside, run_document
from lightning_gapmon.board.state import state_summary
from lightning_gapmon.report.theme import theme

HOSTILE = "<img src=x onerror=alert(1)>"
SHAPES = {"bad": curves.u_shape, "fine": curves.good, "stuck": curves.stall, HOSTILE: curves.slow}
RUNS = len(SHAPES) + 3
FIRST = 2000  # milliseconds until the first of a thousand runs is drawn
# TensorBoard's own complaints: at each of its starts, and under a prefix.
NOT_OURS = re.compile("Multiple instances of Three.js|/font-roboto/")

pytestmark = pytest.mark.browser
expect.set_options(timeout=1000 * DEADLINE)


def _monitored(folder: Path) -> None:
    """Write a run that knows itself: a probe, intervals, a stop, checkpoints, a plan."""
    train, val = curves.draw(curves.u_shape, checks=30, noise=0.01, seed=5)
    history = History(
        [
            Observation(
                check=i,
                epoch=i - 1,
                step=10 * i,
                seconds=4.0 * i,
                train=1.1 * t,
                probe=t,
                probe_stderr=0.02,
                val=v,
                val_stderr=0.03,
            )
            for i, (t, v) in enumerate(zip(train, val, strict=True), start=1)
        ],
        planned=50,
    )
    beside = Beside(own=True, stop=30, stopped_by="Patience(10)", kept=[9, 30], start=2.5)
    document = run_document(history, diagnose(history), beside)
    scalars = {"Loss/val": [(10 * i - 1, v) for i, v in enumerate(val, start=1)]}
    write_scalars(folder, scalars, state=state_summary(document), state_at=299)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write runs of several kinds: one with a monitor, the others without."""
    folder = tmp_path_factory.mktemp("logs")
    for seed, (name, shape) in enumerate(SHAPES.items()):
        plain_log(folder / name, shape, checks=40, seed=seed)
    _monitored(folder / "own")
    for name, callbacks in (("by a monitor", [GapMonitor(summary=False)]), ("by Lightning", [])):
        logger = TensorBoardLogger(folder, name=name, version="")
        with_it = trainer(folder, *callbacks, logger=logger, max_epochs=6)
        with_it.fit(Logging(), loader(10), loader(7))
    return folder


def _wait(address: str, runs: int) -> None:
    """Wait until TensorBoard has read the runs: it serves before it has."""
    give_up = time.monotonic() + DEADLINE
    while _listed(address) < runs:
        assert time.monotonic() < give_up, f"{address} has not {runs} runs after {DEADLINE} s"
        time.sleep(0.1)


def _listed(address: str) -> int:
    with urlopen(f"{address}data/plugin/gapmon/runs", timeout=DEADLINE) as answer:  # noqa: S310 - our own server
        return len(json.load(answer)["runs"])


@contextmanager
def _watched(page: Page) -> Iterator[list[str]]:
    """Gather what the page's console complains of."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            said.append(f"{message.text} ({message.location['url']})")

    def refuse(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", hear)
    page.on("dialog", refuse)
    yield said
    assert [text for text in said if not NOT_OURS.search(text)] == []


@pytest.fixture(scope="module")
def page(browser_path: str, logs: Path) -> Iterator[Page]:
    """Open a TensorBoard on them; nothing in all that follows may upset the console."""
    with serving(logs) as address, browsing(browser_path) as page, _watched(page):
        _wait(address, RUNS)
        page.goto(address)  # the address is changed below: a page's own base
        yield page


def _open(page: Page, choice: str = "") -> FrameLocator:
    """Open the tab by its address, as a link does."""
    base = page.url.partition("#")[0]
    page.goto("about:blank")
    page.goto(f"{base}#gapmon{choice}")
    tab = page.frame_locator("iframe")
    expect(tab.locator(".gap-status")).to_contain_text(re.compile(r"^\d+ of \d+ runs?$"))
    return tab


def _names(tab: FrameLocator) -> list[str]:
    cards = tab.locator("article")
    names: list[str] = cards.evaluate_all("cards => cards.map(card => card.dataset.run)")
    return names


def _card(tab: FrameLocator, name: str) -> Locator:
    return tab.locator(f'article[data-run="{name}"]')


def test_each_run_is_a_card_with_its_verdict(page: Page) -> None:
    """The worst verdicts come first; each card says its own in words and draws its chart."""
    tab = _open(page)

    expect(tab.locator("article")).to_have_count(RUNS)
    assert set(_names(tab)[:2]) == {"bad", "own"}
    expect(_card(tab, "bad").locator(".gap-badge")).to_have_text("overfitting")
    expect(_card(tab, "bad").locator(".gap-sentence")).to_contain_text("Validation loss")
    expect(_card(tab, "bad").locator(".gap-advice li").first).to_contain_text("keep the weights")
    expect(_card(tab, "bad").locator("canvas")).to_be_visible()


def test_a_real_log_is_there_with_a_monitor_and_without(page: Page) -> None:
    """What Lightning wrote is shown; where a monitor watched, by its own word and plan."""
    tab = _open(page)

    expect(_card(tab, "by a monitor").locator(".gap-figures")).to_contain_text("6 of 6")
    plain = _card(tab, "by Lightning").locator(".gap-figures")
    expect(plain).to_contain_text("train_loss, val_loss")
    for name in ("by a monitor", "by Lightning"):
        _card(tab, name).scroll_into_view_if_needed()
        expect(_card(tab, name).locator("canvas")).to_be_visible()


def test_a_monitored_run_shows_what_it_knows(page: Page) -> None:
    """Plan, stop and the reason for it come from the run itself."""
    card = _card(_open(page, "&gap.run=own"), "own")

    expect(card.locator(".gap-figures")).to_contain_text("30 of 50, stopped at 30")
    expect(card).to_contain_text("Patience(10)")
    expect(card.locator(".gap-readout")).to_contain_text("train (probe)")


KEYS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "name": lambda run: run["name"].lower(),
    "best": lambda run: run["best"]["val"],
    "gap": lambda run: -run["last"]["gap"],
}


@pytest.mark.parametrize("sort", KEYS)
def test_sorts_by_what_is_asked(page: Page, sort: str) -> None:
    """The cards stand in the order of what the runs themselves hold."""
    tab = _open(page)
    tab.locator("select[name=sort]").select_option(sort)
    base = page.url.partition("#")[0]
    query = "&".join(f"run={name.replace('<', '%3C').replace(' ', '%20')}" for name in _names(tab))
    with urlopen(f"{base}data/plugin/gapmon/briefs?{query}", timeout=DEADLINE) as answer:  # noqa: S310 - our own server
        runs = json.load(answer).values()

    assert _names(tab) == [run["name"] for run in sorted(runs, key=KEYS[sort])]
    assert f"gap.sort={sort}" in page.url


def test_filters_by_verdict_and_name(page: Page) -> None:
    """What is asked for stays, the rest goes, and the address can be sent to somebody."""
    tab = _open(page)
    tab.locator("button[data-verdict=overfitting]").click()

    assert {"bad", "own"} <= set(_names(tab))
    assert "fine" not in _names(tab)
    tab.locator("input[type=search]").fill("OW")
    expect(tab.locator("article")).to_have_count(1)
    again = _open(page, page.url.partition("#gapmon")[2])
    assert _names(again) == ["own"]
    expect(again.locator("input[type=search]")).to_have_value("OW")


def test_overlay_draws_the_runs_that_were_picked(page: Page) -> None:
    """Colour is the run; the table beside the lines has a row for each, aligned as asked."""
    tab = _open(page)
    for name in ("bad", "fine"):
        _card(tab, name).locator(".gap-pick input").check()
    tab.locator(".gap-together").click()
    overlay = tab.locator(".gap-overlay")

    expect(overlay.locator("canvas")).to_be_visible()
    expect(overlay.locator("tbody tr")).to_have_count(2)
    swatches = overlay.locator(".gap-swatch").evaluate_all(
        "marks => marks.map(mark => getComputedStyle(mark).backgroundColor)"
    )
    assert len(set(swatches)) == 2
    for axis in ("step", "time"):
        tab.locator("select[name=x]").select_option(axis)
        expect(overlay.locator("canvas")).to_be_visible()
    tab.locator(".gap-together").click()
    expect(_card(tab, "bad")).to_be_visible()


def test_the_keyboard_reads_a_chart(page: Page) -> None:
    """Arrow keys go through the checks, and each is said aloud; the table has them all."""
    card = _card(_open(page), "bad")
    plot = card.locator(".gap-plot")
    live = card.locator("[aria-live]")
    plot.focus()
    page.keyboard.press("Home")

    expect(live).to_contain_text("check 1, epoch 1")
    page.keyboard.press("ArrowRight")
    expect(live).to_contain_text("check 2, epoch 2")
    page.keyboard.press("b")
    expect(live).to_contain_text(re.compile("validation 0.5"))
    assert "Verdict: overfitting since check" in (plot.get_attribute("aria-label") or "")
    card.locator("summary", has_text="Numbers").click()
    expect(card.locator("tbody tr")).to_have_count(40)


def test_the_crosshair_tells_all_numbers(page: Page) -> None:
    """Pointing at the chart names the check and what was measured there."""
    card = _card(_open(page), "bad")
    box = card.locator(".u-over")
    box.scroll_into_view_if_needed()
    box.hover(position={"x": 3, "y": 40})

    for word in ("check 1", "step 9", "train ", "validation ", "gap ", "acc "):
        expect(card.locator(".gap-readout")).to_contain_text(word)


def _shown(card: Locator) -> list[str]:
    """Give the pixels of a chart."""
    return [card.locator("canvas").evaluate("canvas => canvas.toDataURL()")]


def test_zoom_and_log_scale_change_the_picture_and_come_back(page: Page) -> None:
    """Plus shows a part, 0 all of it again; the scale is chosen for all cards."""
    tab = _open(page)
    card = _card(tab, "bad")
    before = _shown(card)
    card.locator(".gap-plot").focus()
    page.keyboard.press("+")
    expect(card).to_be_visible()
    page.wait_for_timeout(100)

    assert _shown(card) != before
    page.keyboard.press("0")
    page.keyboard.press("Escape")
    page.wait_for_timeout(100)
    assert _shown(card) == before
    tab.locator("select[name=y]").select_option("log")
    page.wait_for_timeout(100)
    assert _shown(card) != before


def test_another_metric_is_shown_in_the_place_of_the_loss(page: Page) -> None:
    """The pair of an accuracy is found beside the loss, and drawn when it is asked for."""
    tab = _open(page)
    before = _shown(_card(tab, "bad"))
    tab.locator("select[name=show]").select_option("acc")
    page.wait_for_timeout(100)

    assert _shown(_card(tab, "bad")) != before


def test_a_hostile_name_is_text(page: Page) -> None:
    """A run named like markup is shown as it is called, and nothing of it runs."""
    tab = _open(page)

    expect(tab.locator("article h2", has_text=HOSTILE)).to_have_count(1)
    expect(tab.locator("img")).to_have_count(0)


def test_follows_the_dark_mode_of_tensorboard(page: Page) -> None:
    """The tab turns dark with TensorBoard, and light again."""
    tab = _open(page)
    papers = []
    for _ in range(2):
        page.evaluate("document.body.classList.toggle('dark-mode')")
        page.wait_for_timeout(100)
        paper = tab.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        papers.append("#" + "".join(f"{int(n):02x}" for n in re.findall(r"\d+", paper)))

    assert sorted(papers) == sorted([theme()["dark"]["paper"], theme()["light"]["paper"]])


def test_a_run_that_goes_on_is_followed(page: Page, logs: Path) -> None:
    """A check that is logged while one looks appears by itself."""
    tab = _open(page)
    figures = _card(tab, "fine").locator(".gap-figures")
    expect(figures).to_contain_text("checks 40")
    more = {"val_loss": [(500, 0.4)], "train_loss_epoch": [(500, 0.35)]}
    write_scalars(logs / "fine", more)

    expect(figures).to_contain_text("checks 41")


@pytest.mark.parametrize("options", [("--load_fast=false", "--path_prefix=/board/x")], ids=repr)
def test_works_with_the_python_loader_under_a_prefix(
    page: Page, logs: Path, options: Sequence[str]
) -> None:
    """Where the fast loader does not run, and behind a proxy, the tab is the same."""
    with serving(logs, *options) as address, beside(page) as other, _watched(other):
        _wait(address, RUNS)
        other.goto(f"{address}#gapmon")

        expect(_card(other.frame_locator("iframe"), "bad").locator("canvas")).to_be_visible()


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Serve a page at an origin of its own; give its address."""
    (tmp_path / "favicon.ico").touch()  # browsers ask for it
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=tmp_path)) as server:

        def serve(text: str) -> str:
            (tmp_path / "notebook.html").write_text(text, "utf-8")
            return f"http://127.0.0.1:{server.server_port}/notebook.html"

        thread = Thread(target=server.serve_forever)
        thread.start()
        yield serve
        server.shutdown()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_works_in_the_frame_of_another_page(
    page: Page, logs: Path, notebook: Callable[[str], str]
) -> None:
    """A notebook shows TensorBoard in a frame of another origin; the tab works inside it."""
    with serving(logs) as address, beside(page) as other, _watched(other):
        _wait(address, RUNS)
        frame = f'<iframe src="{address}#gapmon" width="1200" height="780"></iframe>'
        other.goto(notebook(frame))
        tab = other.frame_locator("iframe").frame_locator("iframe")

        expect(tab.locator('article[data-run="bad"] canvas')).to_be_visible()


def test_a_thousand_runs_are_there_at_once(page: Page, logs: Path, tmp_path: Path) -> None:
    """The first card is drawn in time, only those in sight are, and all of them get judged."""
    for number in range(1000):
        shutil.copytree(logs / "bad", tmp_path / f"run {number}")
    with serving(tmp_path) as address, beside(page) as other, _watched(other):
        _wait(address, 1000)
        other.goto(f"{address}#gapmon")
        tab = other.frame_locator("iframe")
        expect(tab.locator("article canvas").first).to_be_visible()
        frame = other.frame(url=re.compile("plugin_entry"))
        assert frame is not None
        took = frame.evaluate("performance.getEntriesByName('gap-first-chart')[0].startTime")

        assert took < FIRST
        expect(tab.locator("article")).to_have_count(1000)
        assert tab.locator("article canvas").count() < 30
