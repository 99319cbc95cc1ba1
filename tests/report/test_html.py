"""Runs as one page that needs nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests import curves
from tests.browser import browsing

from lightning_gapmon import History, diagnose
from lightning_gapmon.analysis.run_document import Beside, RunDocument, run_document
from lightning_gapmon.report.html import page as write_page

HOSTILE = "</script><img src=x onerror=alert(1)>"
SHAPES = {HOSTILE: curves.u_shape, "fine": curves.good, "stuck": curves.stall}


def _documents() -> list[RunDocument]:
    found = []
    for seed, (name, shape) in enumerate(SHAPES.items()):
        train, val = curves.draw(shape, checks=40, noise=0.01, seed=seed)
        history = History.from_curves(train=train, val=val)
        found.append(run_document(history, diagnose(history), Beside(name=name)))
    return found


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a page with three runs."""
    path = tmp_path_factory.mktemp("page") / "runs.html"
    path.write_text(write_page(_documents()), "utf-8")
    return path


def test_runs_of_one_name_are_all_there() -> None:
    """The page finds runs by name, so that a second of that name gets a number."""
    documents = [{**document, "name": "run"} for document in _documents()]
    text = write_page(documents)

    for name in ("run:", "run (2):", "run (3):"):
        assert f"<h2>{name}" in text


@pytest.fixture(scope="module")
def page(browser_path: str, path: Path) -> Iterator[Page]:
    """Open the page from disk, and hear what it complains of and asks for."""
    with browsing(browser_path) as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url))
        page.goto(path.as_uri())
        yield page
        assert said == [path.as_uri()]


@pytest.mark.browser
def test_charts_take_the_place_of_the_pictures(page: Page) -> None:
    """Every run is a card that can be sorted and asked, by a script that is in the page."""
    expect(page.locator("article canvas")).to_have_count(3)
    expect(page.locator(".gap-static")).to_have_count(0)
    expect(page.locator("article h2").first).to_have_text(HOSTILE)
    page.locator("select[name=sort]").select_option("name")
    assert page.locator("article").last.get_attribute("data-run") == "stuck"


@pytest.mark.browser
def test_a_page_without_scripts_has_pictures(page: Page, path: Path) -> None:
    """In a mail, where no script runs, each run is there as picture, verdict and advice."""
    browser = page.context.browser
    assert browser is not None
    still = browser.new_page(java_script_enabled=False)
    still.goto(path.as_uri())

    assert still.locator(".gap-static svg.gap-svg").count() == 3
    expect(still.locator(".gap-static").first).to_contain_text("overfitting")
    expect(still.locator("img")).to_have_count(0)
    still.context.close()
