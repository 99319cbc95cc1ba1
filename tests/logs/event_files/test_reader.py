"""Event files are read completely, and as TensorBoard's data server reads them."""

import os
import socket
from pathlib import Path

import fsspec
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tests.logs.event_files.written import NAME, simple, write
from torch.utils.tensorboard import SummaryWriter

from lightning_gapmon.analysis.history.series import Point
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs import ScalarReader, Scalars, read_scalars
from lightning_gapmon.logs.columns import Columns, restarted
from lightning_gapmon.logs.event_files import reader
from lightning_gapmon.logs.event_files.records import FRAME


def _write(folder: Path, points: dict[str, list[tuple[int, float]]], name: str = NAME) -> Path:
    records = [simple(tag, *point) for tag, values in points.items() for point in values]
    return write(folder, records, name)


def _values(scalars: Scalars, tag: str = "loss") -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in scalars[tag]]


@pytest.mark.parametrize("new_style", [False, True], ids=["simple value", "tensor"])
def test_reads_what_tensorboard_reads(tmp_path: Path, *, new_style: bool) -> None:
    """Every point is there, in both ways of writing scalars."""
    points = [(step, 1 / (step + 1)) for step in range(2000)]
    writer = SummaryWriter(str(tmp_path))
    for step, value in points:
        writer.add_scalar("loss/val", value, step, new_style=new_style)
    writer.close()
    theirs = EventAccumulator(str(tmp_path), size_guidance={"scalars": 0, "tensors": 0})
    theirs.Reload()

    ours = read_scalars(tmp_path)["loss/val"]
    assert [point.step for point in ours] == [step for step, _ in points]
    assert [point.value for point in ours] == pytest.approx([value for _, value in points])
    if not new_style:
        assert [
            (event.wall_time, event.step, event.value) for event in theirs.Scalars("loss/val")
        ] == [(point.seconds, point.step, point.value) for point in ours]


def test_reads_only_what_is_asked_for(tmp_path: Path) -> None:
    """Other tags are passed over, however one asks."""
    tags = ("loss/val", "accuracy", "loss/train")
    _write(tmp_path, {tag: [(1, 2.0), (2, 1.0)] for tag in tags})

    assert sorted(read_scalars(tmp_path, containing=["brain"])) == []
    assert sorted(read_scalars(tmp_path, containing=["loss"])) == ["loss/train", "loss/val"]
    assert sorted(read_scalars(tmp_path, containing=str.isalpha)) == ["accuracy"]
    many = [f"word {i}" for i in range(reader.MOST_NEEDLES)]
    assert sorted(read_scalars(tmp_path, containing=[*many, "acc"])) == ["accuracy"]
    assert sorted(read_scalars(tmp_path)) == sorted(tags)


def test_resumed_run_drops_what_was_written_again(tmp_path: Path) -> None:
    """A restart from an earlier step replaces what came after it."""
    for part, steps in enumerate([(10, 20, 30), (20, 30, 40)], start=1):
        points = {"loss": [(step, float(part)) for step in steps]}
        _write(tmp_path, points, f"events.out.tfevents.{part}")

    assert _values(read_scalars(tmp_path)) == [(10, 1.0), (20, 2.0), (30, 2.0), (40, 2.0)]


@given(st.lists(st.integers(0, 20), max_size=30))
@settings(max_examples=200)
def test_restart_rule_is_the_data_servers(steps: list[int]) -> None:
    """A point stays if its step is below all that follow."""
    points = [Point(step, float(i), 0.0) for i, step in enumerate(steps)]
    expected = [p for i, p in enumerate(points) if all(p.step < q.step for q in points[i + 1 :])]
    columns = Columns.of(*(zip(*points, strict=True) if points else ([], [])))

    assert [*restarted(columns)] == expected


def test_half_written_record_is_left_and_said(tmp_path: Path) -> None:
    """A run that is being written, or was killed, is read up to its last whole record."""
    path = _write(tmp_path, {"loss": [(1, 1.0), (2, 2.0), (3, 3.0)]})
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    read = read_scalars(tmp_path)
    begins = len(whole) // 3 * 2

    assert _values(read) == [(1, 1.0), (2, 2.0)]
    assert [str(problem) for problem in read.problems] == [
        f"{path}, byte {begins}: a record of which only {len(whole) - 7 - begins} bytes are there"
    ]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_tailing_gives_what_a_new_reader_gives(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """However the bytes of a run arrive, in two files, with a restart between them."""
    folder = tmp_path_factory.mktemp("run")
    wholes = []
    for name, steps in (("tfevents.1", range(40)), ("tfevents.2", range(20, 60))):
        path = _write(folder / "whole", {"loss": [(s, s / 7) for s in steps]}, name)
        wholes.append((folder / name, path.read_bytes()))
    tail = ScalarReader(folder)
    for path, whole in wholes:
        cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=4).map(sorted))
        for cut in [*cuts, len(whole)]:
            path.write_bytes(whole[:cut])
            seen, afresh = tail.read(), read_scalars(folder)
            assert {tag: [*points] for tag, points in seen.items()} == {
                tag: [*points] for tag, points in afresh.items()
            }
            assert seen.problems == afresh.problems

    assert [point.step for point in tail.read()["loss"]] == [*range(60)]


def test_tailing_starts_over_where_a_file_was_replaced(tmp_path: Path) -> None:
    """A file that has become shorter is another file."""
    _write(tmp_path, {"loss": [(1, 1.0), (2, 2.0)]})
    tail = ScalarReader(tmp_path)
    tail.read()
    _write(tmp_path, {"loss": [(5, 5.0)]})

    assert _values(tail.read()) == [(5, 5.0)]


def test_a_flipped_bit_gives_no_value_that_was_not_written(tmp_path: Path) -> None:
    """Any bit of a file: what it damages is left out and said, with the byte where it begins."""
    points = [(step, 1 / step) for step in range(1, 7)]
    path = _write(tmp_path, {"loss": points})
    whole = path.read_bytes()
    written = _values(read_scalars(tmp_path))
    for bit in range(8 * len(whole)):
        mutated = bytearray(whole)
        mutated[bit // 8] ^= 1 << bit % 8
        path.write_bytes(mutated)
        read = read_scalars(tmp_path)
        assert set(_values(read)) < set(written)
        assert read.problems
        assert 0 <= bit // 8 - read.problems[0].offset < len(whole) // 6


def test_chunks_are_not_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records that lie across the pieces that are read, or are longer than one, are read whole."""
    tags = {f"a tag of some length, {i}": [(s, s / 3) for s in range(50)] for i in range(3)}
    _write(tmp_path, tags | {"long " * 200: [(1, 0.5)]})
    expected = read_scalars(tmp_path)
    for size in (16, 100, 333):
        monkeypatch.setattr(reader, "CHUNK", size)
        read = read_scalars(tmp_path)
        assert {tag: [*points] for tag, points in read.items()} == {
            tag: [*points] for tag, points in expected.items()
        }
        assert read.problems == ()


def test_records_too_long_to_hold_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture of a gigabyte costs no memory; a length that leads beyond the file ends it."""
    long, short = simple("x" * 5000, 1, 1.0), simple("loss", 2, 2.0)
    path = write(tmp_path, [simple("loss", 1, 1.0), long, short])
    monkeypatch.setattr(reader, "CHUNK", 64)
    monkeypatch.setattr(reader, "LONGEST", 1000)
    read = read_scalars(tmp_path)

    assert _values(read) == [(1, 1.0), (2, 2.0)]
    assert [found.reason for found in read.problems] == [
        f"a record of {len(long) + FRAME} bytes, passed over"
    ]
    path.write_bytes(path.read_bytes()[:2000])
    assert _values(read_scalars(tmp_path)) == [(1, 1.0)]


def test_few_of_many_problems_are_told(tmp_path: Path) -> None:
    """A file of noise fills no screen."""
    path = _write(tmp_path, {"loss": [(step, 1.0) for step in range(1, 101)]})
    data = np.frombuffer(path.read_bytes(), np.uint8).copy()
    data[20 :: len(data) // 100] ^= 1
    path.write_bytes(data.tobytes())
    read = read_scalars(tmp_path)

    assert [*read] == []
    assert len(read.problems) == reader.MOST_PROBLEMS + 1
    assert read.problems[-1].reason == "80 more such places"


def test_names_that_are_no_files_are_said(tmp_path: Path) -> None:
    """A folder, pipe, socket or broken link named like an event file is waited for by nothing."""
    _write(tmp_path, {"loss": [(1, 1.0)]})
    (tmp_path / "tfevents.folder").mkdir()
    (tmp_path / "tfevents.link").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "tfevents.pipe")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "tfevents.socket"))
        read = read_scalars(tmp_path)

    assert _values(read) == [(1, 1.0)]
    assert [found.reason for found in read.problems] == [
        "a folder, no event file",
        "a link that leads nowhere, no event file",
        "a pipe, no event file",
        "a socket, no event file",
    ]


def test_a_file_that_may_not_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are read."""
    _write(tmp_path, {"loss": [(1, 1.0)]})

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(reader, "open_file", refuse)

    assert [found.reason for found in read_scalars(tmp_path).problems] == [
        "cannot be read on (Permission denied)"
    ]


def test_one_file_stands_for_itself(tmp_path: Path) -> None:
    """A file may be given instead of its folder."""
    path = _write(tmp_path, {"loss": [(1, 1.0)]})
    _write(tmp_path, {"loss": [(2, 2.0)]}, "tfevents.2")

    assert _values(read_scalars(path)) == [(1, 1.0)]


def test_nothing_there_is_an_error(tmp_path: Path) -> None:
    """A wrong path is no empty run."""
    with pytest.raises(LogFormatError, match=r"Found nothing at .*gone; expected a folder with"):
        read_scalars(tmp_path / "gone")


def test_urls_are_read_as_paths_are(tmp_path: Path) -> None:
    """What fsspec knows can be read and tailed."""
    path = _write(tmp_path, {"loss": [(1, 1.0), (2, 2.0)]})
    url = "memory://test_reader/run"
    whole = path.read_bytes()
    with fsspec.open(f"{url}/{NAME}", "wb") as file:
        file.write(whole[: len(whole) // 2])
    tail = ScalarReader(url)

    assert _values(tail.read()) == [(1, 1.0)]
    with fsspec.open(f"{url}/{NAME}", "wb") as file:
        file.write(whole)
    assert _values(tail.read()) == [(1, 1.0), (2, 2.0)]
