"""A run on one screen of a terminal."""

import io
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.wording import count, duration
from lightning_gapmon.report import chart, glyphs, links
from lightning_gapmon.report.facts import Fact, facts
from lightning_gapmon.report.table import checks

NARROW, WIDE = 40, 120
LABEL = 9  # characters before a sentence


@dataclass(frozen=True)
class Summary:
    """A run for `rich` to print: the losses drawn, the checks that matter, and what to do next.

    Attributes:
        outcome: The run.
        port: Where TensorBoard is, or will be.
    """

    outcome: Outcome
    port: int = links.PORT

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Lay it out for the width and the characters of a console."""
        plain = options.ascii_only or options.legacy_windows
        width = max(NARROW, min(WIDE, options.max_width))
        for line in _lines(self.outcome, self.port, width=width, plain=plain):
            line.no_wrap, line.overflow = True, "ignore"
            yield line


def render(outcome: Outcome, *, port: int = links.PORT) -> Summary:
    """Give the summary of a run as something that `rich` prints."""
    return Summary(outcome, port)


def show(outcome: Outcome, *, console: Console | None = None, port: int = links.PORT) -> None:
    """Print the summary of a run; lines to copy are not cut where they are long."""
    (console or Console()).print(render(outcome, port=port), crop=False)


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
    written = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    console = Console(
        file=written, width=width, color_system=None, force_terminal=False, legacy_windows=False
    )
    show(outcome, console=console, port=port)
    written.seek(0)
    lines = written.read().splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _heading(history: History, *, width: int, plain: bool) -> Text:
    said = ["gapmon", count(len(history), "check")]
    if history:
        said.append(count(history[-1].step, "step"))
        said += [duration(history[-1].seconds)] if history[-1].seconds >= 0 else []
    title = f"── {' · '.join(said)} "
    return Text(glyphs.safe(title.ljust(width, "─"), plain=plain), glyphs.FAINT)


def _lines(outcome: Outcome, port: int, *, width: int, plain: bool) -> Iterator[Text]:
    history = outcome.history
    yield _heading(history, width=width, plain=plain)
    yield from chart.draw(history, width=width, plain=plain)
    yield Text()
    if history:
        yield from checks(history, width=width, plain=plain)
        yield Text()
    for fact in facts(outcome, port=port):
        yield from _said(fact, width=width, plain=plain)


def _said(fact: Fact, *, width: int, plain: bool) -> Iterator[Text]:
    """Set a fact beside its label: a sentence broken to the width, a line to copy as it is."""
    label, text = (glyphs.safe(part, plain=plain) for part in (fact.label, fact.text))
    style = f"link {fact.link}" if fact.link else ""
    if fact.copied and LABEL + len(text) > width:
        yield from filter(None, [Text(label, fact.style)])
        yield Text(text, style)
        return
    lines = textwrap.wrap(text, width - LABEL, break_on_hyphens=False)
    for n, line in enumerate([text] if fact.copied else lines):
        yield Text.assemble((f"{'' if n else label:<{LABEL}}", fact.style), (line, style))
