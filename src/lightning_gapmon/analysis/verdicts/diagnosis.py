"""What a verdict is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

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
Severity = Literal["info", "warning", "error"]


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
    severity: Severity = "info"
    message: str
    evidence: Mapping[str, float] = field(default_factory=dict)
    since: int | None = None
    best: int | None = None
    remedies: tuple[str, ...] = ()
