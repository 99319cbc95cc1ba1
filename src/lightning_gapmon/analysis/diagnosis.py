"""What the two curves say: a verdict with its evidence, or that there is too little of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lightning_gapmon.analysis.history import History

Verdict = Literal[
    "overfitting",
    "underfitting",
    "good_fit",
    "plateau",
    "diverging",
    "non_finite",
    "leakage_suspected",
    "undecided",
]


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """A verdict on a run.

    Attributes:
        verdict: One of the stable names.
        severity: `info`, `warning` or `error`.
        message: One sentence that says it in words and numbers.
        evidence: The numbers behind it, by name.
        since: Number of the check where it began, or None.
        best: Number of the check with the lowest validation loss, or None.
        remedies: What to try, the most fitting first.
    """

    verdict: Verdict
    severity: Literal["info", "warning", "error"] = "info"
    message: str
    evidence: Mapping[str, float] = field(default_factory=dict)
    since: int | None = None
    best: int | None = None
    remedies: tuple[str, ...] = ()


def diagnose(history: History) -> Diagnosis:
    """Judge a run as far as its history goes."""
    best = history.best
    return Diagnosis(
        verdict="undecided",
        message=f"too early to tell after {len(history)} checks",
        best=best.check if best else None,
    )
