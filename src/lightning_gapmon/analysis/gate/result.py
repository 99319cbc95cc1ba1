"""What came of a gate: each check of each run, what was skipped and why, and the exit code."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis

Status = Literal["passed", "warned", "failed", "skipped"]
FINE, FOUND, NOTHING = 0, 1, 2  # exit codes


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A run with its verdict.

    Attributes:
        name: What to call it.
        history: Its checks.
        diagnosis: What was said of it.
        path: Where it was read, or "".
        group: What it belongs to, or "".
    """

    name: str
    history: History
    diagnosis: Diagnosis
    path: str = ""
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A log of which nothing can be judged.

    Attributes:
        name: Which.
        reason: Why not.
        broken: Whether it cannot be read, rather than holding nothing to judge.
    """

    name: str
    reason: str
    broken: bool = True


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of one check.

    Attributes:
        check: Its name.
        finding: Name of what was found, or of the check itself where nothing was.
        status: `passed`, `warned`, `failed` or `skipped`.
        message: What was seen, in words and numbers, or why it was skipped.
    """

    check: str
    finding: str
    status: Status
    message: str


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """A run and all its checks."""

    run: Judged
    results: tuple[Result, ...]


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """What came of a gate.

    Attributes:
        runs: Each run that could be judged.
        whole: The checks of all runs together.
        unread: Logs of which nothing can be judged.
    """

    runs: tuple[RunResult, ...] = ()
    whole: tuple[Result, ...] = ()
    unread: tuple[Unread, ...] = ()

    @property
    def code(self) -> int:
        """The exit code: 0 fine, 1 something failed, 2 nothing could be judged."""
        if not self.runs:
            return NOTHING
        return FOUND if self.counts["failed"] else FINE

    @property
    def counts(self) -> Counter[Status]:
        """How many checks passed, warned, failed and were skipped."""
        return Counter(result.status for _, result in self.everything)

    @property
    def everything(self) -> Iterator[tuple[Judged | None, Result]]:
        """Each result with its run, or with None where it is of all runs together."""
        for one in self.runs:
            for result in one.results:
                yield one.run, result
        for result in self.whole:
            yield None, result
