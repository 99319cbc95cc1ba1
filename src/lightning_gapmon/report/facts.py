"""What a summary says below its plot: labelled sentences, and lines to copy."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.wording import count, with_error
from lightning_gapmon.report import glyphs, links
from lightning_gapmon.report.curves import VAL, measured


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing said.

    Attributes:
        label: A word in front.
        text: The sentence, or the line to copy.
        style: How the label looks.
        copied: Whether the line is one to copy: it is never broken.
        link: Where a click leads, or "".
    """

    label: str
    text: str
    style: str = "bold"
    copied: bool = False
    link: str = ""


def facts(outcome: Outcome, *, port: int = links.PORT) -> Iterator[Fact]:
    """Say all that is known of a run beside its losses.

    Example:
        >>> from lightning_gapmon import History
        >>> from lightning_gapmon.analysis.verdicts.diagnose import diagnose
        >>> history = History.from_curves(train=[2.0], val=[3.0], planned=5)
        >>> for fact in facts(Outcome(history=history, diagnosis=diagnose(history))):
        ...     print(f"{fact.label}: {fact.text}")
        ended: by the Trainer, after 1 check of 5 planned
        best: check 1, validation loss 3.000
        verdict: undecided: too early to tell after 1 check
    """
    yield _end(outcome)
    if not outcome.outlook.reason:
        yield Fact("outlook", str(outcome.outlook))
    yield from _best(outcome)
    yield from _verdict(outcome)
    if outcome.source:
        yield Fact("losses", outcome.source)
    for note in outcome.notes:
        yield Fact("note", note)
    if outcome.log_dir:
        folder = links.short(outcome.log_dir)
        opened = links.command(folder, port=port, tensorboard=links.program())
        yield Fact("open", opened, copied=True)
        address = links.tab(port=port)
        yield Fact("", address, copied=True, link=address)


def _end(outcome: Outcome) -> Fact:
    if outcome.stop_reason:
        return Fact("stopped", f"at check {outcome.stop_reason.check}: {outcome.stop_reason}")
    history = outcome.history
    planned = f" of {history.planned} planned" if history.planned else ""
    by = outcome.interrupted_by or "the Trainer"
    return Fact("ended", f"by {by}, after {count(len(history), 'check')}{planned}")


def _best(outcome: Outcome) -> Iterator[Fact]:
    best = outcome.history.best
    if best is None:
        found = "only what is not finite" if measured(outcome.history, VAL) else "none"
        yield Fact("best", f"needs a validation loss; found {found}")
    else:
        loss = with_error(best.val, best.val_stderr)
        back = "; its weights are back in the module" if outcome.restored else ""
        other = f"; check {outcome.kept} was selected" if outcome.kept else ""
        yield Fact("best", f"check {best.check}, validation loss {loss}{other}{back}")
    if outcome.best_path:
        yield Fact("saved", links.short(outcome.best_path), copied=True)


def _verdict(outcome: Outcome) -> Iterator[Fact]:
    diagnosis = outcome.diagnosis
    check = f"check {diagnosis.since}"
    told = re.search(rf"{check}\b", diagnosis.message)
    since = f", since {check}" if diagnosis.since and not told else ""
    said = f"{diagnosis.verdict.replace('_', ' ')}{since}: {diagnosis.message}"
    yield Fact("verdict", said, glyphs.SEVERITY[diagnosis.severity])
    for n, remedy in enumerate(diagnosis.remedies):
        yield Fact("" if n else "try", remedy)
