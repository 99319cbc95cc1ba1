"""What a gate lets pass."""

import math
from dataclasses import dataclass
from functools import cached_property

from lightning_gapmon.analysis.gate.findings import FINDINGS, Level, named
from lightning_gapmon.analysis.wording import given
from lightning_gapmon.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What a gate lets pass.

    Args:
        fail_on: Findings that fail, beside those that do by themselves.
        warn_on: Findings that only warn.
        strict: Whether a log that cannot be read fails, beside others that can.
        max_val: Highest validation loss of a run's best check.
        max_gap: Largest relative gap there, from -1 to 1: 0.5 is where train is half of val.
        min_checks: Fewest checks of a run.

    Raises:
        ConfigurationError: A finding is unknown, or named twice; or a limit cannot be one.

    Example:
        >>> policy = Policy(fail_on=("underfitting",), warn_on=("overfitting:rise",))
        >>> policy.level("underfitting"), policy.level("overfitting:rise"), policy.level("plateau")
        ('fail', 'warn', 'warn')
    """

    fail_on: tuple[str, ...] = ()
    warn_on: tuple[str, ...] = ()
    strict: bool = False
    max_val: float | None = None
    max_gap: float | None = None
    min_checks: int | None = None

    def __post_init__(self) -> None:
        """Refuse what says nothing, or two things at once."""
        twice = set(self.fail_on) & set(self.warn_on)
        if twice:
            msg = (
                f"Found {sorted(twice)} both to fail and to warn; expected each finding once. "
                "Name it in one of the two."
            )
            raise ConfigurationError(msg)
        for name, limit in (("max_val", self.max_val), ("max_gap", self.max_gap)):
            if limit is not None and not math.isfinite(limit):
                msg = f"Found {name} = {given(limit)}; expected a finite number."
                raise ConfigurationError(msg)
        if self.max_gap is not None and not -1 <= self.max_gap <= 1:
            msg = (
                f"Found max_gap = {given(self.max_gap)}; expected a relative gap between -1 and "
                "1: 0.5 is where the train loss is half of the validation loss."
            )
            raise ConfigurationError(msg)
        if self.min_checks is not None and self.min_checks < 1:
            msg = f"Found min_checks = {self.min_checks}; expected one check at least."
            raise ConfigurationError(msg)
        _ = self._named

    @cached_property
    def _named(self) -> dict[str, Level]:
        """The level of each finding that is named: a form goes before its whole check."""
        levels: dict[str, Level] = {}
        whole = {finding.check for finding in FINDINGS.values()} - FINDINGS.keys()
        both: tuple[tuple[Level, tuple[str, ...]], ...] = (
            ("fail", self.fail_on),
            ("warn", self.warn_on),
        )
        for checks in (True, False):
            for level, names in both:
                meant = named(name for name in names if (name in whole) == checks)
                levels.update(dict.fromkeys(meant, level))
        return levels

    def level(self, finding: str) -> Level:
        """Give what a finding does to the gate."""
        if finding == "unreadable" and self.strict:
            return "fail"
        return self._named.get(finding, FINDINGS[finding].level)
