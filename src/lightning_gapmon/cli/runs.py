"""The runs that a command is given: found, read each in its own fence, counted once, judged."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lightning_gapmon.analysis.gate.result import Judged, Unread
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.study import Run
from lightning_gapmon.analysis.verdicts.diagnose import diagnose
from lightning_gapmon.errors import GapMonitorError, LogFormatError
from lightning_gapmon.logs import gapmon_json
from lightning_gapmon.logs.distinct import distinct
from lightning_gapmon.logs.formats import find_logs, read_runs

STANDARD = ("metrics.csv", "trainer_state.json")  # one for each run: its folder names the run
NO_VALIDATION = (
    "no validation loss: expected columns such as train_loss and val_loss, loss and val_loss, or "
    "loss/train and loss/val"
)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A run that was read.

    Attributes:
        run: Its name, its checks and its group.
        log: The file or folder that it was read from.
        outcome: All that is known of it.
    """

    run: Run
    log: Path
    outcome: Outcome

    @property
    def judged(self) -> Judged:
        """The run as a gate takes it."""
        return Judged(
            name=self.run.name,
            history=self.run.history,
            diagnosis=self.outcome.diagnosis,
            path=str(self.log),
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
        found = read(log)
        if isinstance(found, Unread):
            unread.append(found)
        else:
            loaded += found
    kept = {id(run) for run in distinct([one.run for one in loaded])}
    return Found(
        runs=tuple(one for one in loaded if id(one.run) in kept),
        again=tuple(one.run.name for one in loaded if id(one.run) not in kept),
        unread=tuple(unread),
    )


def read(log: Path) -> list[Loaded] | Unread:
    """Read the runs of one log, or say why there is none."""
    try:
        found = [*_read(log)]
    except (GapMonitorError, OSError) as error:  # what is broken takes no other with it
        return Unread(name=str(log), reason=str(error))
    return found or Unread(name=str(log), reason=NO_VALIDATION, broken=False)


def expanded(patterns: Sequence[str]) -> list[Path]:
    """Expand patterns that the shell has left as they are; a path that is there is none.

    Raises:
        LogFormatError: Nothing fits a pattern.
    """
    found: list[Path] = []
    for pattern in patterns:
        path = Path(pattern)
        if path.exists() or not glob.has_magic(pattern):
            found.append(path)
            continue
        fitting = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - knows absolute ones
        if not fitting:
            msg = f"Found nothing that fits {pattern!r}; expected logs, or folders with logs."
            raise LogFormatError(msg)
        found += map(Path, fitting)
    return found


def _read(log: Path) -> Iterator[Loaded]:
    if log.name == gapmon_json.NAME:
        outcome = gapmon_json.read(log)
        if outcome.history:
            was_cut = outcome.stop_reason is not None
            run = Run(name=str(log.parent), history=outcome.history, cut=was_cut)
            yield Loaded(run=run, log=log, outcome=outcome)
        return
    for found in read_runs(log):
        run = replace(found, name=str(log.parent)) if log.name in STANDARD else found
        outcome = Outcome(history=run.history, diagnosis=diagnose(run.history))
        yield Loaded(run=run, log=log, outcome=outcome)
