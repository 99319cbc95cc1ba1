"""What the two curves say: a verdict with its evidence, or that there is too little of it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from lightning_gapmon.analysis.history.history import History, run_given
from lightning_gapmon.analysis.overlap import Overlap
from lightning_gapmon.analysis.verdicts.broken import non_finite
from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis, Verdict
from lightning_gapmon.analysis.verdicts.leak import leakage, qualified
from lightning_gapmon.analysis.verdicts.rise import diverging, overfitting, unexplained
from lightning_gapmon.analysis.verdicts.sight import Sight
from lightning_gapmon.analysis.verdicts.stall import (
    LEAST_CHECKS,
    good_fit,
    plateau,
    underfitting,
    unsettled,
)
from lightning_gapmon.analysis.verdicts.tail import tail_of

__all__ = ["Diagnosis", "Verdict", "diagnose"]


def diagnose(
    history: History | None = None,
    *,
    train: Sequence[float] | None = None,
    val: Sequence[float] | None = None,
    baseline: float = math.nan,
    overlap: Overlap | None = None,
) -> Diagnosis:
    """Judge a run as far as it goes.

    A verdict other than `undecided` and `good_fit` needs an effect that matters and that is
    more than noise. It depends on nothing but the checks so far and what is given here, and
    asking at each check costs the same however long the run is.

    Args:
        history: The run; or give its curves.
        train: Train loss at each check.
        val: Validation loss at each check.
        baseline: Loss of a trivial predictor, such as one that always gives the class
            frequencies; tells underfitting.
        overlap: What `find_overlap` found; tells leakage.

    Raises:
        HistoryError: Neither a history nor both curves were given, or both were.

    Example:
        >>> seen = diagnose(train=[0.85, 0.6, 0.45, 0.3, 0.2], val=[0.9, 0.65, 0.5, 0.55, 0.7])
        >>> seen.verdict, seen.since, seen.best
        ('overfitting', 3, 3)
    """
    run = run_given("diagnose({})", history, train=train, val=val)
    best = run.best
    verdict = next(filter(None, _verdicts(run, baseline, overlap)))
    return replace(verdict, best=best.check if best else None)


def _verdicts(
    history: History, baseline: float, overlap: Overlap | None
) -> Iterator[Diagnosis | None]:
    """Ask in the order of how much a verdict matters; the last one always answers."""
    yield non_finite(history)
    yield leakage(history, overlap)
    sight = Sight.of(history)
    if sight is not None:
        yield overfitting(sight)
        yield diverging(sight)
        yield unexplained(sight)
        if len(history) >= LEAST_CHECKS:
            tail = tail_of(sight)
            yield underfitting(sight, tail, baseline)
            yield plateau(sight, tail, baseline)
            yield qualified(good_fit(sight, tail, baseline), overlap)
            yield unsettled(tail)
    if sight is None and history and history[-1].val_n == 0:
        yield _undecided("no validation loss was measured")
    yield _undecided(f"too early to tell after {len(history)} check{'s' * (len(history) != 1)}")


def _undecided(message: str) -> Diagnosis:
    return Diagnosis(verdict="undecided", message=message)
