"""Event files are read completely, and as TensorBoard's data server reads them."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from torch.utils.tensorboard import SummaryWriter

from lightning_gapmon.analysis.history.from_columns import Point
from lightning_gapmon.logs.event_files import read_scalars, restarted


def _write(folder: Path, points: dict[str, list[tuple[int, float]]]) -> None:
    writer = SummaryWriter(str(folder))
    for tag, values in points.items():
        for step, value in values:
            writer.add_scalar(tag, value, step)
    writer.close()


def _values(folder: Path, tag: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in read_scalars(folder)[tag]]


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

    ours = _values(tmp_path, "loss/val")
    assert [step for step, _ in ours] == [step for step, _ in points]
    assert [value for _, value in ours] == pytest.approx([value for _, value in points])
    if not new_style:
        assert ours == [(event.step, event.value) for event in theirs.Scalars("loss/val")]


def test_reads_only_what_is_asked_for(tmp_path: Path) -> None:
    """Other tags are passed over."""
    _write(tmp_path, {"loss/val": [(1, 2.0)], "accuracy": [(1, 0.5)], "loss/train": [(1, 1.0)]})

    assert sorted(read_scalars(tmp_path, containing=["brain"])) == []  # in the file's first record
    assert sorted(read_scalars(tmp_path, containing=["loss"])) == ["loss/train", "loss/val"]
    assert sorted(read_scalars(tmp_path)) == ["accuracy", "loss/train", "loss/val"]


def test_resumed_run_drops_what_was_written_again(tmp_path: Path) -> None:
    """A restart from an earlier step replaces what came after it."""
    for part, steps in enumerate([(10, 20, 30), (20, 30, 40)], start=1):
        _write(tmp_path / "part", {"loss": [(step, float(part)) for step in steps]})
        (file,) = (tmp_path / "part").iterdir()
        file.rename(tmp_path / f"events.out.tfevents.{part}")

    assert _values(tmp_path, "loss") == [(10, 1.0), (20, 2.0), (30, 2.0), (40, 2.0)]


@given(st.lists(st.integers(0, 20), max_size=30))
@settings(max_examples=200)
def test_restart_rule_is_the_data_servers(steps: list[int]) -> None:
    """A point stays if its step is below all that follow."""
    points = [Point(step, float(i)) for i, step in enumerate(steps)]
    expected = [p for i, p in enumerate(points) if all(p.step < q.step for q in points[i + 1 :])]

    assert restarted(points) == expected


def test_half_written_record_ends_the_file(tmp_path: Path) -> None:
    """A run that is being written, or was killed, is read up to its last whole record."""
    _write(tmp_path, {"loss": [(1, 1.0), (2, 2.0), (3, 3.0)]})
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-7])

    assert _values(tmp_path, "loss") == [(1, 1.0), (2, 2.0)]


def _tensor(**fields: object) -> float:
    tensor = TensorProto(**fields)
    event = Event(step=1, summary=Summary(value=[Summary.Value(tag="loss", tensor=tensor)]))
    data = event.SerializeToString()
    record = len(data).to_bytes(8, "little") + bytes(4) + data + bytes(4)
    return _only(record)


def _only(record: bytes) -> float:
    import tempfile  # noqa: PLC0415 - one record in a folder of its own

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "events.out.tfevents.1").write_bytes(record)
        ((point,),) = read_scalars(folder).values()
        return point.value


def test_tensors_of_one_float_are_numbers() -> None:
    """Floats and doubles are read, in either way that tensors keep them; other tensors are NaN."""
    assert _tensor(dtype=1, float_val=[0.5]) == 0.5
    assert _tensor(dtype=2, double_val=[0.25]) == 0.25
    assert _tensor(dtype=2, tensor_content=b"\x00\x00\x00\x00\x00\x00\xe0\x3f") == 0.5
    assert math.isnan(_tensor(dtype=7, string_val=[b"text"]))
    assert math.isnan(_tensor(dtype=1, float_val=[1.0, 2.0]))
