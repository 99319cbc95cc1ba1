"""`gapmon watch`: runs while they train."""

import json
import os
import time
from pathlib import Path

import fsspec
import pytest
from tests import curves
from tests.command import gapmon
from tests.event_logs import write_scalars
from tests.logs_of import csv_log, drawn_log

from lightning_gapmon.cli import watch
from lightning_gapmon.cli.watch import Following


def test_it_writes_nothing(tmp_path: Path) -> None:
    """The folder of the logs is as it was, and may be read-only."""
    drawn_log(tmp_path / "runs/a", curves.good)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    gapmon("watch", tmp_path / "runs", "--once")

    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_once_prints_what_there_is(tmp_path: Path) -> None:
    """The newest is drawn, others are listed; JSON is a line."""
    for number, name in enumerate(("old", "new")):
        log = drawn_log(tmp_path / name, curves.good, seed=number)
        os.utime(log, (100 + number, 100 + number))
    ran = gapmon("watch", tmp_path, "--once", width=100)
    as_json = gapmon("watch", tmp_path, "--once", "--json").out.splitlines()

    assert ran.out.index("new") < ran.out.index("now  ")
    assert ran.out.index("old") > ran.out.index("outlook")
    assert len(as_json) == 1
    assert [Path(run["name"]).name for run in json.loads(as_json[0])["runs"]] == ["new", "old"]


def test_in_a_pipe_it_prints_at_each_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has not changed is not printed again; Ctrl-C ends it quietly."""
    csv_log(tmp_path, [1.0, 0.9], [1.0, 0.9])
    looks = iter([1, 1, 2, 3])

    def sleep(_: float) -> None:
        number = next(looks, None)
        if number is None:
            raise KeyboardInterrupt
        csv_log(tmp_path, [1.0, 0.9, *[0.8] * number], [1.0, 0.9, *[0.7] * number])

    monkeypatch.setattr(time, "sleep", sleep)
    ran = gapmon("watch", tmp_path, "--json")
    checks = [json.loads(line)["runs"][0]["checks"] for line in ran.out.splitlines()]

    assert checks == [2, 3, 4, 5]
    assert (ran.code, ran.err) == (0, "")


def test_a_log_that_is_rotated_or_removed_is_followed(tmp_path: Path) -> None:
    """A log that begins anew, is damaged for a moment, or goes away, ends nothing."""
    log = csv_log(tmp_path / "run", [1.0, 0.9, 0.8], [1.0, 0.9, 0.8])
    following = Following([str(tmp_path)])
    assert [len(run.outcome.history) for run in following.look()] == [3]

    csv_log(tmp_path / "run", [2.0], [2.0])
    assert [run.outcome.history.val for run in following.look()] == [[2.0]]

    log.write_bytes(b"\xff\x00 no log")
    assert following.look() == []
    log.unlink()
    assert following.look() == []
    csv_log(tmp_path / "run", [1.5, 1.0], [1.0, 1.0])
    assert [len(run.outcome.history) for run in following.look()] == [2]


def test_event_files_are_followed_across_a_restart(tmp_path: Path) -> None:
    """A second file of the same run goes on where the first was left."""
    losses = {"train_loss": [(1, 1.0), (2, 0.9)], "val_loss": [(1, 1.0), (2, 0.9)]}
    write_scalars(tmp_path, losses)
    following = Following([str(tmp_path)])
    assert [[*run.outcome.history.val] for run in following.look()] == [pytest.approx([1.0, 0.9])]

    again = {"train_loss": [(2, 0.8), (3, 0.7)], "val_loss": [(2, 0.8), (3, 0.7)]}
    write_scalars(tmp_path, again)
    expected = pytest.approx([1.0, 0.8, 0.7])
    assert [[*run.outcome.history.val] for run in following.look()] == [expected]


def test_logs_behind_a_url_are_followed() -> None:
    """A folder in memory, or in a bucket, is looked at by the sizes of its files."""
    system = fsspec.filesystem("memory")
    system.makedirs("/watched", exist_ok=True)
    text = "epoch,step,train_loss,val_loss\n0,1,1.0,1.0\n1,2,0.9,0.9\n"
    system.pipe_file("/watched/log.csv", text.encode())
    following = Following(["memory://watched"])
    (first,) = following.look()
    (same,) = following.look()
    system.pipe_file("/watched/log.csv", f"{text}2,3,0.8,0.8\n".encode())
    (grown,) = following.look()
    system.rm("/watched", recursive=True)

    assert first is same
    assert (len(first.outcome.history), len(grown.outcome.history)) == (2, 3)


def test_what_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    """A look at logs that stand still costs a look at their sizes and times."""
    csv_log(tmp_path / "run", [1.0, 0.9], [1.0, 0.9])
    following = Following([str(tmp_path)])
    (first,) = following.look()
    (second,) = following.look()

    assert first is second


@pytest.mark.parametrize(("took", "slept"), [(0.01, 0.99), (2.0, 18.0)])
def test_reading_takes_a_small_share_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, took: float, slept: float
) -> None:
    """Where a look takes two seconds, the next comes after 18, however often was asked."""
    now = iter([0.0, took])
    pauses: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: next(now, took))
    monkeypatch.setattr(time, "sleep", pauses.append)
    looks = watch._looks(Following([str(tmp_path)]), 1.0)
    next(looks)
    next(looks)

    assert pauses == pytest.approx([slept])
