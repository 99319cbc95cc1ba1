"""Whatever way scalars are written in, numpy and protobuf read the same."""

import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings, strategies as st
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tests.logs.event_files.written import event, simple, tensor, write

from lightning_gapmon.logs import read_scalars
from lightning_gapmon.logs.event_files import decode
from lightning_gapmon.logs.event_files.event import scalars

FLOAT, DOUBLE, STRING = 1, 2, 7
SINGLES = st.floats(width=32, allow_subnormal=True)
STEPS = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 300)
SHAPES = ("simple", "float", "content", "double", "double content")


def _record(shape: str, tag: str, step: int, value: float, seconds: float) -> bytes:
    single, double = struct.pack("<f", value), struct.pack("<d", value)
    fields: dict[str, dict[str, Any]] = {
        "float": {"dtype": FLOAT, "float_val": [value]},
        "content": {"dtype": FLOAT, "tensor_content": single},
        "double": {"dtype": DOUBLE, "double_val": [value]},
        "double content": {"dtype": DOUBLE, "tensor_content": double},
    }
    if shape == "simple":
        return simple(tag, step, value, seconds)
    return tensor(tag, step, seconds, **fields[shape])


@contextmanager
def _protobuf_alone() -> Iterator[None]:
    with mock.patch.object(decode, "layout_of", return_value=None):
        yield


def _read(folder: Path) -> dict[str, list[tuple[int, str, str]]]:
    # A NaN is no neighbour of itself, but its text is.
    return {
        tag: [(point.step, repr(point.value), repr(point.seconds)) for point in series]
        for tag, series in read_scalars(folder).items()
    }


POINTS = st.lists(
    st.builds(
        _record,
        st.sampled_from(SHAPES),
        st.sampled_from(["a", "b", "loss/train", "loss/trail", "\u00e9" * 70]),
        STEPS,
        SINGLES,
        st.floats(0, 2e9) | st.just(0.0),
    ),
    max_size=30,
)


@given(POINTS)
@settings(max_examples=200)
def test_numpy_reads_what_protobuf_reads(
    tmp_path_factory: pytest.TempPathFactory, records: list[bytes]
) -> None:
    """Tags, steps, values and times, in any mixture of layouts, to the last bit."""
    folder = tmp_path_factory.mktemp("run")
    write(folder, records)
    with _protobuf_alone():
        expected = _read(folder)

    assert _read(folder) == expected


@pytest.mark.parametrize("shape", SHAPES)
def test_plain_scalars_never_reach_protobuf(tmp_path: Path, shape: str) -> None:
    """Of a thousand points protobuf sees one for each length of the step, or nearly."""
    write(tmp_path, [_record(shape, "loss", step, 1 / (step + 3), 1e9) for step in range(1000)])
    with mock.patch.object(decode, "scalars", wraps=scalars) as one_by_one:
        (series,) = read_scalars(tmp_path).values()

    assert len(series) == 1000
    assert one_by_one.call_count <= 3
    expected = [1 / (step + 3) for step in range(1000)]
    assert [point.value for point in series] == pytest.approx(expected, rel=1e-7)


def test_metadata_may_stand_with_a_scalar(tmp_path: Path) -> None:
    """Newer writers say with each value, or with the first, what kind of summary it is."""
    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="scalars"))
    first = Summary.Value(tag="loss", simple_value=0.5, metadata=metadata)
    write(tmp_path, [event([first], 0), simple("loss", 1, 0.25)])

    assert [point.value for point in read_scalars(tmp_path)["loss"]] == [0.5, 0.25]


def test_several_values_in_one_event(tmp_path: Path) -> None:
    """Each is a point of its own tag."""
    records = [
        event([Summary.Value(tag=tag, simple_value=step) for tag in "ab"], step)
        for step in range(10)
    ]
    write(tmp_path, records)
    read = read_scalars(tmp_path)

    assert sorted(read) == ["a", "b"]
    assert [point.value for point in read["b"]] == [*range(10)]


def test_what_is_no_scalar_is_no_point(tmp_path: Path) -> None:
    """Texts, histograms, and tensors of several numbers are passed over without a word."""
    write(
        tmp_path,
        [
            tensor("text", 1, dtype=STRING, string_val=[b"loss"]),
            tensor("two", 1, dtype=FLOAT, float_val=[1.0, 2.0]),
            event([Summary.Value(tag="histogram", histo=HistogramProto(max=1.0))], 1),
            event([], 1),
            simple("loss", 1, math.inf),
        ],
    )
    read = read_scalars(tmp_path)

    assert [*read] == ["loss"]
    assert read["loss"][0].value == math.inf
    assert read.problems == ()


def test_many_tags_of_one_length_are_all_read(tmp_path: Path) -> None:
    """Beyond the layouts that are kept, protobuf goes on."""
    count = decode.MOST_LAYOUTS + 50
    tags = [f"tag {i:04d}" for i in range(count)]
    write(tmp_path, [simple(tag, 7, i / 8) for i, tag in enumerate(tags)])
    read = read_scalars(tmp_path)

    assert {tag: points[0].value for tag, points in read.items()} == {
        tag: i / 8 for i, tag in enumerate(tags)
    }
