"""Runs as one page that needs nothing else: opened from disk, sent by mail, printed."""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from html import escape

from lightning_gapmon.analysis.run_document import RunDocument
from lightning_gapmon.report import bundle
from lightning_gapmon.report.svg import picture

START = "gapmon.showReport();"


def page(documents: Sequence[RunDocument], *, title: str = "Train and validation loss") -> str:
    """Write a page with every run: a picture each, and the interactive charts in their place.

    It loads nothing, from nowhere; its own policy forbids that to whatever a log may smuggle in.

    Args:
        documents: The runs.
        title: What stands above them.

    Example:
        >>> from lightning_gapmon import History, diagnose
        >>> from lightning_gapmon.analysis.run_document import Beside, run_document
        >>> history = History.from_curves(train=[2, 1, 1], val=[2.0, 1.5, 1.8])
        >>> odd = run_document(history, diagnose(history), Beside(name="<script>"))
        >>> text = page([odd])
        >>> "&lt;script&gt;" in text, "https://" in text.replace(bundle.script(), "")
        (True, False)
    """
    code = f"{bundle.script()}\n{START}"
    named = _distinct(documents)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(code)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{bundle.styles()}\n{_without_script()}</style></head>",
            f'<body class="gap-page"><h1>{escape(title)}</h1>',
            f'<main id="gap-runs">{"".join(map(_section, named))}</main>',
            f'<script type="application/json" id="gap-data">{embedded(named)}</script>',
            f"<script>{code}</script>",
            "</body></html>",
            "",
        ]
    )


def embedded(value: object) -> str:
    r"""Write JSON that can stand inside a page's script element: nothing in it ends that.

    Example:
        >>> embedded({"name": "</script>"})
        '{"name": "\\u003c/script>"}'
    """
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")


def _section(document: RunDocument) -> str:
    verdict = document["verdict"]
    said = verdict["verdict"].replace("_", " ")
    remedies = "".join(f"<li>{escape(remedy)}</li>" for remedy in verdict["remedies"])
    advice = f"<ul>{remedies}</ul>" if remedies else ""
    return (
        f'<section class="gap-static"><h2>{escape(document["name"])}: {escape(said)}</h2>'
        f"<p>{escape(verdict['message'])}</p>{picture(document)}{advice}</section>"
    )


def _distinct(documents: Iterable[RunDocument]) -> list[RunDocument]:
    """Give runs of the same name a number behind it: the page finds them by name."""
    seen: dict[str, int] = {}
    named = []
    for document in documents:
        name = document["name"] or "run"
        seen[name] = seen.get(name, 0) + 1
        number = seen[name]
        named.append({**document, "name": name if number == 1 else f"{name} ({number})"})
    return named


def _policy(code: str) -> str:
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    return f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'"


def _without_script() -> str:
    """Give colours to a page whose script does not run."""
    return (
        ":root{--gap-paper:#fff;--gap-ink:#1f2328;--gap-faint:#5f6875;--gap-grid:#e7e9ee}"
        ".gap-static{margin:16px;max-width:760px}.gap-static h2{font-size:16px;margin:24px 0 4px}"
    )
