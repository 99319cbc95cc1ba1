"""What a gate can find: stable names, what each means, and whether it fails or warns by itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis
from lightning_gapmon.analysis.wording import did_you_mean
from lightning_gapmon.errors import ConfigurationError

Level = Literal["fail", "warn", "pass"]
PAGE = "https://github.com/lightning-gapmon/lightning_gapmon/blob/main/docs/findings.md"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something that a gate can find.

    Attributes:
        id: Its stable name, which `--fail-on` takes and each output carries.
        title: What it means, in a few words.
        level: What it does to the gate unless it is named: `fail`, `warn` or `pass`.
    """

    id: str
    title: str
    level: Level = "warn"

    @property
    def check(self) -> str:
        """The check that finds it: the part of the name before the form."""
        return self.id.partition(":")[0]

    @property
    def address(self) -> str:
        """Where it is explained."""
        return f"{PAGE}#{self.id.replace(':', '')}"


FINDINGS = {
    finding.id: finding
    for finding in (
        Finding(id="non_finite", title="the loss is NaN or infinite", level="fail"),
        Finding(id="leakage_suspected", title="validation samples are in training, too"),
        Finding(id="overfitting:rise", title="validation has come up from its best", level="fail"),
        Finding(id="overfitting:gap", title="validation has halted far above train"),
        Finding(
            id="overfitting:both",
            title="validation has come up, and is far above train",
            level="fail",
        ),
        Finding(id="diverging", title="both losses have come up", level="fail"),
        Finding(id="underfitting", title="both losses have halted high"),
        Finding(id="plateau", title="validation has halted short of a good fit"),
        Finding(id="learning", title="the run ended while it still learned", level="pass"),
        Finding(id="undecided", title="there is too little evidence for a verdict"),
        Finding(id="good_fit", title="a good fit, but for what its message says", level="pass"),
        Finding(id="max_val", title="the best validation loss is above --max-val", level="fail"),
        Finding(id="max_gap", title="the gap at the best check is above --max-gap", level="fail"),
        Finding(id="min_checks", title="fewer checks than --min-checks", level="fail"),
        Finding(id="baseline", title="worse than --baseline by more than noise", level="fail"),
        Finding(id="unreadable", title="a log beside others that cannot be read"),
    )
}
HEALTHY = ("good_fit", "learning")


def found_by(diagnosis: Diagnosis) -> str:
    """Give the name of what a verdict has found.

    Example:
        >>> found_by(Diagnosis(verdict="plateau", message="flat"))
        'plateau'
        >>> found_by(Diagnosis(verdict="overfitting", form="gap", message="wide"))
        'overfitting:gap'
    """
    if diagnosis.verdict != "overfitting":
        return diagnosis.verdict
    return f"overfitting:{diagnosis.form or 'rise'}"


def named(names: Iterable[str]) -> frozenset[str]:
    """Turn what a user names into findings; a check stands for all that it finds.

    Raises:
        ConfigurationError: There is no finding of that name.

    Example:
        >>> sorted(named(["plateau", "overfitting"]))
        ['overfitting:both', 'overfitting:gap', 'overfitting:rise', 'plateau']
    """
    chosen: set[str] = set()
    for name in names:
        meant = {known for known, one in FINDINGS.items() if name in {known, one.check}}
        if not meant:
            msg = (
                f"Found {name!r}, which is no finding; expected {', '.join(FINDINGS)}, or a check "
                f"such as overfitting for all of its forms.{did_you_mean(name, FINDINGS)}"
            )
            raise ConfigurationError(msg)
        chosen |= meant
    return frozenset(chosen)
