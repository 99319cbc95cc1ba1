"""The runs that a command is given: found, read each in its own fence, counted once, judged."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lightning_gapmon.analysis.gate.result import Judged, Unread
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.outlook.outlook import outlook
from lightning_gapmon.analysis.study import Run
from lightning_gapmon.analysis.verdicts.diagnose import diagnose
from lightning_gapmon.errors import GapMonitorError, LogFormatError
from lightning_gapmon.logs import gapmon_json
from lightning_gapmon.logs.distinct import distinct
from lightning_gapmon.logs.formats import REPORT, Log, find_logs, read_log
from lightning_gapmon.logs.places import is_url, local_copy

STANDARD = ("metrics.csv", "trainer_state.json")  # one for each run: its folder names the run
NOTHING = "no validation loss"  # so begins the reason of a log that is whole and has none


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A run that was read.

    Attributes:
        run: Its name, its checks and its group.
        path: The file or folder that it was read from.
        own: Whether it was watched while it trained, so that the outcome is its own word.
        outcome: All that is known of it.
    """

    run: Run
    path: str
    outcome: Outcome
    own: bool = False

    @property
    def judged(self) -> Judged:
        """The run as a gate takes it."""
        return Judged(
            name=self.run.name,
            history=self.run.history,
            diagnosis=self.outcome.diagnosis,
            path=self.path,
            group=self.run.group,
        )


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found.

    Attributes:
        runs: The runs, each once.
        again: Names of runs that are logged in several places and were counted before.
        unread: Logs of which nothing can be judged.
    """

    runs: tuple[Loaded, ...]
    again: tuple[str, ...]
    unread: tuple[Unread, ...]


def load(patterns: Sequence[str]) -> Found:
    """Read all runs below some paths.

    Args:
        patterns: Folders, files, or patterns such as `runs/*/version_?`.

    Raises:
        LogFormatError: Nothing is there, or there is no log in it.
    """
    loaded: list[Loaded] = []
    unread: list[Unread] = []
    for log in find_logs(expanded(patterns)):
        found, skipped = read(log)
        loaded += found
        unread += skipped
    kept = {id(run) for run in distinct([one.run for one in loaded])}
    return Found(
        runs=tuple(one for one in loaded if id(one.run) in kept),
        again=tuple(one.run.name for one in loaded if id(one.run) not in kept),
        unread=tuple(unread),
    )


def read(log: Log, *, live: bool = False) -> tuple[list[Loaded], list[Unread]]:
    """Read the runs of one log, and say what could not be read and why.

    Args:
        log: The log.
        live: Whether its runs may be going on, and are judged again and again.
    """
    found = read_log(log)
    unread = [
        Unread(
            name=skipped.path,
            reason=skipped.reason,
            broken=not skipped.reason.startswith(NOTHING),
        )
        for skipped in found.skipped
    ]
    if REPORT.fullmatch(log.place.name):
        return [_reported(run, log, live=live) for run in found.runs], unread
    return [_judged(run, log, live=live) for run in found.runs], unread


def _reported(run: Run, log: Log, *, live: bool) -> Loaded:
    """Take a run's own word for its verdict: it may know more than its curves."""
    with local_copy(log.place) as path:
        try:
            outcome = gapmon_json.read(path)
        except GapMonitorError:  # then the run is from what lies beside it
            return _judged(run, log, live=live)
    return Loaded(run=run, path=log.place.path, outcome=outcome, own=True)


def _judged(run: Run, log: Log, *, live: bool) -> Loaded:
    path = Path(log.place.path)
    named = replace(run, name=str(path.parent)) if path.name in STANDARD else run
    diagnosis = diagnose(run.history, live=live)
    outcome = Outcome(
        history=run.history, diagnosis=diagnosis, ended=not live, outlook=outlook(run.history)
    )
    return Loaded(run=named, path=log.place.path, outcome=outcome)


def expanded(patterns: Sequence[str]) -> list[str]:
    """Expand patterns that the shell has left as they are; a path that is there is none.

    Raises:
        LogFormatError: Nothing fits a pattern.
    """
    found: list[str] = []
    for pattern in patterns:
        if is_url(pattern) or not glob.has_magic(pattern) or Path(pattern).exists():
            found.append(pattern)
            continue
        fitting = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - knows absolute ones
        if not fitting:
            msg = f"Found nothing that fits {pattern!r}; expected logs, or folders with logs."
            raise LogFormatError(msg)
        found += fitting
    return found
