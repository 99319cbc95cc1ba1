"""A run as what a notebook shows: its chart, and a picture of it where no script runs."""

import secrets
from html import escape

from lightning_gapmon.analysis.run_document import RunDocument
from lightning_gapmon.report import bundle
from lightning_gapmon.report.html import embedded
from lightning_gapmon.report.svg import picture


def run_html(document: RunDocument) -> str:
    """Show a run in a notebook's output: a picture, which the chart takes the place of.

    All of it is in the output, so that a notebook that was exported shows it without a kernel.

    Example:
        >>> from lightning_gapmon import History, diagnose
        >>> from lightning_gapmon.analysis.run_document import run_document
        >>> history = History.from_curves(train=[2, 1, 1], val=[2.0, 1.5, 1.8])
        >>> html = run_html(run_document(history, diagnose(history)))
        >>> "<svg" in html, "gap-chart" in html
        (True, True)
    """
    name = f"gapmon-{secrets.token_hex(8)}"
    verdict = document["verdict"]
    said = f"<b>{escape(verdict['verdict'].replace('_', ' '))}</b>: {escape(verdict['message'])}"
    show = f'gapmon.showRun(document.getElementById("{name}"), {embedded(document)});'
    return (
        f"<style>{bundle.styles()}</style>"
        f'<p>{said}</p><div id="{name}" style="max-width:760px">{picture(document)}</div>'
        f"<script>(() => {{\n{bundle.script()}\n{show}\n}})();</script>"
    )


def run_bundle(document: RunDocument, text: str) -> dict[str, str]:
    """Give what a notebook picks from: the chart, and for a terminal the text."""
    return {"text/html": run_html(document), "text/plain": text}
