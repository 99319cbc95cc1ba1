"""A run on one screen of a terminal."""

import shutil
import sys
import textwrap
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, TextIO

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.wording import count, duration
from lightning_gapmon.report import chart, glyphs, links
from lightning_gapmon.report.facts import Fact, facts
from lightning_gapmon.report.styled import Styled, join
from lightning_gapmon.report.table import checks

if TYPE_CHECKING:
    from rich.console import Console

NARROW, WIDE = 40, 120
LABEL = 9  # characters before a sentence


def show(outcome: Outcome, *, stream: TextIO | None = None, port: int = links.PORT) -> None:
    """Print the summary of a run, in colours where `rich` is installed.

    Lines to copy are not cut where they are long.

    Args:
        outcome: The run.
        stream: Where to; the standard output, if nothing is said.
        port: Where TensorBoard is, or will be.
    """
    if find_spec("rich") is None:
        target = stream or sys.stdout
        width = shutil.get_terminal_size().columns
        target.write(summary(outcome, width=width, encoding=target.encoding or "", port=port))
        return
    from rich.console import Console  # noqa: PLC0415 - an extra

    paint(outcome, Console(file=stream), port=port)


def paint(outcome: Outcome, console: "Console", *, port: int = links.PORT) -> None:
    """Print the summary of a run on a console of `rich`, for its width, colours and characters."""
    from rich.text import Text  # noqa: PLC0415 - an extra

    plain = console.options.ascii_only or console.options.legacy_windows
    for line in _lines(outcome, port, width=_bounded(console.width), plain=plain):
        text = Text.assemble(*line.pieces, no_wrap=True, overflow="ignore")
        console.print(text, crop=False)


def summary(
    outcome: Outcome, *, width: int = 80, encoding: str = "utf-8", port: int = links.PORT
) -> str:
    """Write the summary of a run as text without colours.

    Args:
        outcome: The run.
        width: Characters across; lines to copy may be longer.
        encoding: What the text must fit; ASCII only, where it is no Unicode.
        port: Where TensorBoard is, or will be.
    """
    plain = not encoding.lower().startswith("utf")
    return join(_lines(outcome, port, width=_bounded(width), plain=plain))


def _bounded(width: int) -> int:
    return max(NARROW, min(WIDE, width))


def _heading(history: History, *, width: int, plain: bool) -> Styled:
    said = ["gapmon", count(len(history), "check")]
    if history:
        said.append(count(history[-1].step, "step"))
        said += [duration(history[-1].seconds)] if history[-1].seconds >= 0 else []
    title = f"── {' · '.join(said)} "
    return Styled.of((glyphs.safe(title.ljust(width, "─"), plain=plain), glyphs.FAINT))


def _lines(outcome: Outcome, port: int, *, width: int, plain: bool) -> Iterator[Styled]:
    history = outcome.history
    yield _heading(history, width=width, plain=plain)
    yield from chart.draw(history, width=width, plain=plain)
    yield Styled()
    if history:
        yield from checks(history, width=width, plain=plain)
        yield Styled()
    for fact in facts(outcome, port=port):
        yield from _said(fact, width=width, plain=plain)


def _said(fact: Fact, *, width: int, plain: bool) -> Iterator[Styled]:
    """Set a fact beside its label: a sentence broken to the width, a line to copy as it is."""
    label, text = (glyphs.safe(part, plain=plain) for part in (fact.label, fact.text))
    style = f"link {fact.link}" if fact.link else ""
    if fact.copied and LABEL + len(text) > width:
        if label:
            yield Styled.of((label, fact.style))
        yield Styled.of((text, style))
        return
    lines = textwrap.wrap(text, width - LABEL, break_on_hyphens=False)
    for n, line in enumerate([text] if fact.copied else lines):
        yield Styled.of((f"{'' if n else label:<{LABEL}}", fact.style), (line, style))
