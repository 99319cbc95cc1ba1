"""What a verdict is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal[
    "overfitting",
    "underfitting",
    "good_fit",
    "learning",
    "plateau",
    "diverging",
    "non_finite",
    "leakage_suspected",
    "undecided",
]
Severity = Literal["info", "warning", "error"]
Form = Literal["rise", "gap", "both"]


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """A verdict on a run.

    Attributes:
        verdict: One of the stable names.
        form: Which overfitting it is, else None: `rise` (validation came up and train did not
            come with it), `gap` (train went on far below validation, which has stopped
            improving) or `both`.
        severity: `info`, `warning` or `error`.
        message: One sentence that says it in words and numbers.
        evidence: The numbers behind it, by name.
        since: Number of the check where it began, or None.
        best: Number of the check with the lowest validation loss, or None.
        remedies: What to try, the most fitting first.
    """

    verdict: Verdict
    form: Form | None = None
    severity: Severity = "info"
    message: str
    evidence: Mapping[str, float] = field(default_factory=dict)
    since: int | None = None
    best: int | None = None
    remedies: tuple[str, ...] = ()
