"""Damaged logs through the readers: none crashes or hangs, or gives what was never written."""

import tempfile
from datetime import timedelta
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, seed, settings
from tests.attack.tally import Tally
from tests.logs.corpus import EVENTS
from tests.logs.damage import WHOLE, damages, read_fenced

from lightning_gapmon.logs import read_scalars

FILES = 100
LONGEST = timedelta(seconds=20)  # for a few kilobytes, on a busy machine


def attack(draw: Random, tally: Tally) -> None:
    """Read so many damaged files; the smallest that does harm is told."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            _read(Path(folder), draw.getrandbits(32), tally)
    except Exception as error:  # noqa: BLE001 - whatever it is: a reader should have caught it
        notes = " ".join(getattr(error, "__notes__", ()))
        tally.differences.append(f"{type(error).__name__}: {error} {notes}")


def _read(folder: Path, number: int, tally: Tally) -> None:
    run = folder / "run"
    run.mkdir()
    (run / EVENTS).write_bytes(WHOLE[EVENTS])
    written = points(run)

    @seed(number)
    @settings(
        max_examples=FILES,
        deadline=LONGEST,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(damages())
    def read(damaged: tuple[str, bytes]) -> None:
        name, data = damaged
        tally.compared["files"] += 1
        read_fenced(folder / name, data)
        if name == EVENTS:
            (run / EVENTS).write_bytes(data)
            tally.compared["event files' points"] += 1
            assert points(run) <= written

    read()


def points(run: Path) -> set[object]:
    """Read all points of a run's event files."""
    return {(tag, point) for tag, series in read_scalars(run).items() for point in series}
