"""What the tests of the readers share."""

from pathlib import Path

from lightning_gapmon.analysis.study import Run
from lightning_gapmon.logs.formats import find_runs


def read_all(path: Path | str) -> tuple[Run, ...]:
    """Read what is at a path, all of it."""
    found = find_runs([path])

    assert found.skipped == ()
    return found.runs


def read_one(path: Path | str) -> Run:
    """Read the one run at a path."""
    (run,) = read_all(path)
    return run


def refusal(path: Path | str) -> str:
    """Give the reason for which a log is not read."""
    found = find_runs([path])

    assert found.runs == ()
    (skipped,) = found.skipped
    assert skipped.path == str(path)
    return skipped.reason
