"""Runs that belong together, as the seeds of one setting do, and what their losses say."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from lightning_gapmon.analysis.study import Run
from lightning_gapmon.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Group:
    """Runs of one setting.

    Attributes:
        label: What to call them.
        runs: The runs, at least one.
    """

    label: str
    runs: tuple[Run, ...]

    @property
    def losses(self) -> tuple[float, ...]:
        """The lowest validation loss of each run that has a finite one."""
        return tuple(run.history.best.val for run in self.runs if run.history.best)

    @property
    def failed(self) -> int:
        """How many runs have no finite validation loss."""
        return len(self.runs) - len(self.losses)

    @property
    def mean(self) -> float:
        """Mean of the losses; NaN where there is none."""
        # Divided first: a sum of losses may be more than a float holds.
        return fmean(loss / 2 for loss in self.losses) * 2 if self.losses else math.nan

    @property
    def spread(self) -> float:
        """Standard deviation from run to run; NaN for fewer than two."""
        return stdev(self.losses) if len(self.losses) > 1 else math.nan


def grouped(runs: Iterable[Run], pattern: str) -> list[Group]:
    """Group runs by what a pattern finds in their names; the first of equals comes first.

    Args:
        runs: The runs.
        pattern: A regular expression: what its first group matches, or else the whole of it,
            is the label; runs in whose name it finds nothing are a group of their own.

    Raises:
        ConfigurationError: The pattern is no regular expression.

    Example:
        >>> from lightning_gapmon import History
        >>> empty = History()
        >>> names = ["lr=1/seed0", "lr=2/seed0", "lr=1/seed1"]
        >>> found = grouped([Run(name=name, history=empty) for name in names], "lr=[^/]+")
        >>> [(group.label, len(group.runs)) for group in found]
        [('lr=1', 2), ('lr=2', 1)]
    """
    try:
        searched = re.compile(pattern)
    except re.error as error:
        msg = (
            f"Found the pattern {pattern!r}, which is no regular expression ({error}); expected "
            "one whose match tells groups apart, such as 'lr=[^/]+'."
        )
        raise ConfigurationError(msg) from error
    found: dict[str, list[Run]] = {}
    for run in runs:
        match = searched.search(run.name)
        label = next(filter(None, (*match.groups(), match[0])), "") if match else ""
        found.setdefault(label or "others", []).append(run)
    return _groups(found.items())


def by_folder(runs: Iterable[Run]) -> list[Group]:
    """Group runs by the folder that holds theirs.

    Example:
        >>> from lightning_gapmon import History
        >>> names = ["wide/seed0", "wide/seed1", "deep/seed0"]
        >>> found = by_folder(Run(name=name, history=History()) for name in names)
        >>> [(group.label, len(group.runs)) for group in found]
        [('wide', 2), ('deep', 1)]
    """
    found: dict[str, list[Run]] = {}
    for run in runs:
        folder = run.name.replace("\\", "/").rpartition("/")[0]
        found.setdefault(run.group or folder or run.name, []).append(run)
    return _groups(found.items())


def _groups(found: Iterable[tuple[str, Sequence[Run]]]) -> list[Group]:
    return [Group(label=label, runs=tuple(runs)) for label, runs in found]
