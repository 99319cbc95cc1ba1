"""Is one group of runs better than another, by more than noise."""

import math
from dataclasses import dataclass
from typing import Literal

from lightning_gapmon.analysis.compare.group import Group
from lightning_gapmon.analysis.compare.noise import noise_of
from lightning_gapmon.analysis.compare.student import student_quantile

Answer = Literal["better", "worse", "cannot tell"]
Basis = Literal["groups", "one against a group", "single runs", "nothing"]
ERROR = 0.05  # chance of calling a group better that is not, over all comparisons of a call


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What is known of the difference between two groups of runs.

    Attributes:
        reference: The group that is compared with.
        other: The group that may be better.
        answer: Whether `other` is `better`, `worse`, or one `cannot tell`.
        basis: What the noise was measured by: the spread within both groups, that within one,
            or the jumps from check to check of two single runs, which say nothing of other
            seeds.
        difference: Mean of `other` minus mean of `reference`; below zero is better.
        low: Lower end of the interval that it lies in; the answer is told where zero is outside.
        high: Upper end.
        reason: Why one cannot tell, or what the answer leaves open; "" where there is nothing.
    """

    reference: Group
    other: Group
    answer: Answer
    basis: Basis
    difference: float
    low: float
    high: float
    reason: str = ""


def compare(reference: Group, other: Group, *, comparisons: int = 1) -> Comparison:
    """Tell whether the other group's losses are lower than the reference's, beyond noise.

    The interval is Student's with the degrees of freedom of the smaller group (Hsu 1938, Scheffé
    1970): groups that are equal are called better at most 5 times in 100, whatever the spread of
    each is, and worse as often.

    Args:
        reference: The group to compare with.
        other: The group that may be better.
        comparisons: How many comparisons are made in one go; each is that much stricter.

    Example:
        >>> from lightning_gapmon import History
        >>> from lightning_gapmon.analysis.study import Run
        >>> def seeds(label, losses):
        ...     runs = [History.from_curves(train=[loss], val=[loss]) for loss in losses]
        ...     return Group(label=label, runs=tuple(Run(name=label, history=h) for h in runs))
        >>> plain, new = seeds("plain", [0.52, 0.50, 0.51]), seeds("new", [0.41, 0.42, 0.40])
        >>> compare(plain, new).answer, compare(plain, seeds("one", [0.40])).answer
        ('better', 'better')
        >>> compare(plain, seeds("alike", [0.50, 0.55, 0.47])).answer
        'cannot tell'
    """
    basis, stderr, degrees = _noise(reference, other)
    difference = other.mean - reference.mean
    if not (math.isfinite(difference) and math.isfinite(stderr)):
        return _unknown(reference, other, difference)
    reach = student_quantile(1 - ERROR / comparisons, degrees) * stderr
    low, high = difference - reach, difference + reach
    answer: Answer = "better" if high < 0 else "worse" if low > 0 else "cannot tell"
    answer, reason = _reserved(answer, basis, reference, other)
    return Comparison(
        reference=reference,
        other=other,
        answer=answer,
        basis=basis,
        difference=difference,
        low=low,
        high=high,
        reason=reason,
    )


def _noise(one: Group, two: Group) -> tuple[Basis, float, float]:
    """Give the standard error of the difference of means, and its degrees of freedom."""
    sizes = sorted((len(one.losses), len(two.losses)))
    if sizes[0] > 1:
        parts = [group.spread / math.sqrt(len(group.losses)) for group in (one, two)]
        return "groups", math.hypot(*parts), sizes[0] - 1
    if sizes == [1, 1]:
        known = [noise_of(run.history) for group in (one, two) for run in group.runs]
        known = [noise for noise in known if math.isfinite(noise.sigma)]
        if len(known) < 2:  # noqa: PLR2004 - one for each side
            return "nothing", math.nan, math.nan
        sigmas, degrees = zip(*known, strict=True)
        return "single runs", math.hypot(*sigmas), min(degrees)
    if sizes[0] == 1:
        # The single run is taken to vary as the seeds of the other side do.
        many = max(one, two, key=lambda group: len(group.losses))
        return "one against a group", many.spread * math.sqrt(1 + 1 / sizes[1]), sizes[1] - 1
    return "nothing", math.nan, math.nan


def _reserved(answer: Answer, basis: Basis, one: Group, two: Group) -> tuple[Answer, str]:
    """Take back what runs that failed forbid to say, and say what is left open."""
    winner = two if answer == "better" else one
    if answer != "cannot tell" and winner.failed:
        return "cannot tell", _failed(winner)
    notes = [_failed(group) for group in (one, two) if group.failed]
    if basis == "single runs":
        notes.append("this speaks of these two runs only: another seed may turn it")
    if basis == "one against a group":
        notes.append("the single run is taken to vary as the seeds of the other side do")
    return answer, "; ".join(notes)


def _failed(group: Group) -> str:
    return f"{group.failed} of {len(group.runs)} runs of {group.label} have no finite loss"


def _unknown(one: Group, two: Group, difference: float) -> Comparison:
    empty = [group for group in (one, two) if not group.losses]
    if empty:
        reason = "; ".join(map(_failed, empty))
    else:
        reason = (
            "one run a side with fewer than five checks shows no noise: give more seeds a side, "
            "or runs with more checks"
        )
    return Comparison(
        reference=one,
        other=two,
        answer="cannot tell",
        basis="nothing",
        difference=difference,
        low=math.nan,
        high=math.nan,
        reason=reason,
    )
