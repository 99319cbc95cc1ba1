"""A run as what a notebook shows, in a notebook that is really executed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbconvert.preprocessors import ExecutePreprocessor
from playwright.sync_api import Page, expect
from tests.browser import browsing

from lightning_gapmon import GapMonitor, History

FIT = """
import warnings; warnings.simplefilter("ignore")
import logging; logging.disable()
from tests.fits import Logging, fit
from lightning_gapmon import GapMonitor
from pathlib import Path
monitor = GapMonitor(summary=False)
fit(Logging(), Path("."), monitor, max_epochs=5)
None
"""
CELLS = [FIT, "monitor", "monitor.history", "monitor.plot()"]


@pytest.fixture(scope="module")
def executed() -> nbformat.NotebookNode:
    """Run the cells in a kernel, as a notebook does."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    ExecutePreprocessor(timeout=100).preprocess(
        book, {"metadata": {"path": str(Path(__file__).parents[2])}}
    )
    return book


def _outputs(book: nbformat.NotebookNode, cell: int) -> list[dict[str, str]]:
    return [output["data"] for output in book.cells[cell].outputs if "data" in output]


def test_a_fit_shows_one_picture_and_no_line_a_check(executed: nbformat.NotebookNode) -> None:
    """While it trains the picture is redrawn in its place; at the end all checks are in it."""
    (shown,) = _outputs(executed, 0)

    assert shown["text/plain"].startswith("5 checks.")
    assert "gap-chart" in shown["text/html"]


@pytest.mark.parametrize("cell", [1, 2])
def test_a_monitor_and_its_history_show_themselves(
    executed: nbformat.NotebookNode, cell: int
) -> None:
    """As a chart where there is a page, and as a line where there is not."""
    (shown,) = _outputs(executed, cell)

    assert "<svg" in shown["text/html"]
    assert "5 checks" in shown["text/plain"] or "5 of 5 checks" in shown["text/plain"]


def test_a_figure_is_drawn(executed: nbformat.NotebookNode) -> None:
    """Matplotlib's figure is the picture of its cell."""
    assert any("image/png" in shown for shown in _outputs(executed, 3))


@pytest.fixture(scope="module")
def page(
    browser_path: str, executed: nbformat.NotebookNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """Export the notebook and open it from disk, where no kernel is."""
    text, _ = HTMLExporter(template_name="basic").from_notebook_node(executed)
    path = tmp_path_factory.mktemp("book") / "book.html"
    path.write_text(f"<!doctype html><meta charset=utf-8>{text}", "utf-8")
    with browsing(browser_path) as page:
        page.goto(path.as_uri())
        yield page


@pytest.mark.browser
def test_an_exported_notebook_shows_the_charts(page: Page) -> None:
    """Each output draws its chart in the place of its picture, without a kernel."""
    expect(page.locator("gap-chart canvas")).to_have_count(3)


def test_a_run_without_checks_is_shown() -> None:
    """Nothing has been trained yet: that is said, and nothing fails."""
    for shown in (GapMonitor()._repr_mimebundle_(), History()._repr_mimebundle_()):
        assert "too early" in shown["text/html"]


def test_what_a_log_says_cannot_leave_its_place() -> None:
    """A message with markup in it stays text, in the page and in the script's data."""
    history = History.from_curves(train=[1.0], val=[2.0])
    html = history._repr_mimebundle_()["text/html"]
    data = re.findall(r"getElementById\(\"gapmon-\w+\"\), (\{.*\})\);", html)

    assert json.loads(data[0])["checks"] == 1
