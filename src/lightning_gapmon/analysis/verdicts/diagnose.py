"""What the two curves say: a verdict with its evidence, or that there is too little of it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.run_given import run_given
from lightning_gapmon.analysis.overlap import Overlap
from lightning_gapmon.analysis.verdicts.alarm import alarm
from lightning_gapmon.analysis.verdicts.broken import non_finite
from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis, Verdict
from lightning_gapmon.analysis.verdicts.judgement import judge
from lightning_gapmon.analysis.verdicts.leak import explained, leakage, qualified
from lightning_gapmon.analysis.verdicts.reading import Reading

__all__ = ["Diagnosis", "Verdict", "diagnose"]


def diagnose(
    history: History | None = None,
    *,
    train: Sequence[float] | None = None,
    val: Sequence[float] | None = None,
    baseline: float = math.nan,
    overlap: Overlap | None = None,
    live: bool = False,
) -> Diagnosis:
    """Judge a run that has ended, or watch over one that goes on.

    Asked once, it answers as one who looks at the two curves would. Asked at every check, the
    best of many looks shows something by chance; `live=True` allows for that, speaks up later
    and keeps to what it said. Both depend on nothing but the checks so far and what is given
    here, and asking at each check costs the same however long the run is.

    Args:
        history: The run; or give its curves.
        train: Train loss at each check.
        val: Validation loss at each check.
        baseline: Loss of a trivial predictor, such as one that always gives the class
            frequencies; tells underfitting.
        overlap: What `find_overlap` found; tells leakage.
        live: Whether the run goes on and this is asked again and again.

    Raises:
        HistoryError: Neither a history nor both curves were given, or both were.

    Example:
        >>> seen = diagnose(train=[0.85, 0.6, 0.45, 0.3, 0.2], val=[0.9, 0.65, 0.5, 0.55, 0.7])
        >>> seen.verdict, seen.form, seen.since, seen.best
        ('overfitting', 'both', 3, 3)
    """
    run = run_given("diagnose({})", history, train=train, val=val)
    best = run.best
    verdict = next(filter(None, _verdicts(run, baseline, overlap, live=live)))
    return replace(verdict, best=best.check if best else None)


def _verdicts(
    history: History, baseline: float, overlap: Overlap | None, *, live: bool
) -> Iterator[Diagnosis | None]:
    """Ask in the order of how much a verdict matters; the last one always answers."""
    yield non_finite(history)
    yield leakage(history, overlap)
    reading = Reading.of(history)
    if reading is not None:
        found = alarm(reading, baseline) if live else judge(reading, baseline)
        yield qualified(explained(found, reading), overlap)
    if history and history[-1].val_n == 0:
        yield _undecided("no validation loss was measured")
    yield _undecided(f"too early to tell after {len(history)} check{'s' * (len(history) != 1)}")


def _undecided(message: str) -> Diagnosis:
    return Diagnosis(verdict="undecided", message=message)
