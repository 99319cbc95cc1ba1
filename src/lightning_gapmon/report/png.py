"""Runs as one PNG, drawn by matplotlib where it is installed."""

import io
from collections.abc import Sequence
from importlib.util import find_spec

from lightning_gapmon.analysis.run_document import RunDocument
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.report import figure, safe

WIDTH, HEIGHT = 8.0, 3.6  # inches of a run
MOST = 30  # runs in a picture


def png(documents: Sequence[RunDocument]) -> bytes:
    """Draw runs below each other; of very many only the first.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        msg = (
            "Found no matplotlib, which draws the PNG; expected that it is installed: "
            "pip install lightning-gapmon[plot], or write a page with --html."
        )
        raise ConfigurationError(msg)
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra

    drawn = documents[:MOST]
    picture = Figure(figsize=(WIDTH, HEIGHT * max(1, len(drawn))), layout="constrained")
    for number, document in enumerate(drawn, 1):
        axes = picture.add_subplot(len(drawn), 1, number)
        figure.draw(document, axes)
        verdict = document["verdict"]["verdict"].replace("_", " ")
        title = f"{safe.shown(document['name'])}: {verdict}"
        axes.set_title(title, loc="left", parse_math=False)
    written = io.BytesIO()
    picture.savefig(written, format="png")
    return written.getvalue()
