"""A run as what a notebook shows: its chart, and a picture of it where no script runs."""

import secrets
from html import escape

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.run_document import RunDocument, run_document
from lightning_gapmon.analysis.verdicts.diagnose import diagnose
from lightning_gapmon.analysis.wording import number
from lightning_gapmon.report import bundle
from lightning_gapmon.report.html import embedded
from lightning_gapmon.report.svg import picture

COLUMNS = ("check", "epoch", "step", "train", "val", "gap")


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
    show = f'gapmon.showRun(document.getElementById("{name}"), {embedded(document)});'
    return (
        f"<style>{bundle.styles()}</style>{said(document)}"
        f'<div id="{name}" style="max-width:760px">{picture(document)}{_table(document)}</div>'
        f"<script>(() => {{\n{bundle.script()}\n{show}\n}})();</script>"
    )


def still_html(document: RunDocument) -> str:
    """Show a run that goes on: the picture alone, light enough to be drawn at each check."""
    return f'{said(document)}<div style="max-width:760px">{picture(document)}</div>'


def said(document: RunDocument) -> str:
    """Say the verdict in a line."""
    verdict = document["verdict"]
    name = escape(verdict["verdict"].replace("_", " "))
    return f"<p><b>{name}</b>: {escape(verdict['message'])}</p>"


def run_bundle(document: RunDocument, text: str) -> dict[str, str]:
    """Give what a notebook picks from: the chart, and for a terminal the text."""
    return {"text/html": run_html(document), "text/plain": text}


def history_bundle(history: History) -> dict[str, str]:
    """Give a history as chart and table, and for a terminal as its line.

    Example:
        >>> history = History.from_curves(train=[2, 1, 1], val=[2.0, 1.5, 1.8])
        >>> shown = history_bundle(history)
        >>> shown["text/plain"], "<td>1.500</td>" in shown["text/html"]
        ('<History of 3 checks, best validation loss 1.500 at check 2>', True)
    """
    return run_bundle(run_document(history, diagnose(history)), repr(history))


def _table(document: RunDocument) -> str:
    """Write the checks as a table that is there without a script, too."""
    columns = document["columns"]
    names = [name for name in COLUMNS if name in columns]
    rows = zip(*(columns[name] for name in names), strict=True)
    heads = "".join(f"<th>{name}</th>" for name in names)
    lines = ("".join(f"<td>{_cell(value)}</td>" for value in row) for row in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<details><summary>Numbers</summary><table><tr>{heads}</tr>{body}</table></details>"


def _cell(value: float | str | None) -> str:
    if value is None:
        return ""
    return number(value) if isinstance(value, float) else escape(str(value))
