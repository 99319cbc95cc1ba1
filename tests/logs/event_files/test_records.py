"""Records are found where their headers are right, and damage costs no more than itself."""

from io import BytesIO

import numpy as np
from hypothesis import given, strategies as st
from tensorboard.summary.writer.record_writer import RecordWriter

from lightning_gapmon.logs.event_files.records import FRAME, HEADER, Records, find_records

# Records of every kind: with a wall time first, of other bytes, and with records in them.
PAYLOADS = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.binary(max_size=20).map(lambda rest: b"\x09" + rest),
        st.binary(max_size=5).map(lambda rest: _framed([b"\x09inside" + rest])),
    ),
    max_size=8,
)


def _framed(payloads: list[bytes]) -> bytes:
    file = BytesIO()
    writer = RecordWriter(file)
    for payload in payloads:
        writer.write(payload)
    return file.getvalue()


def _found(data: bytes) -> tuple[list[bytes], Records]:
    records = find_records(np.frombuffer(data, np.uint8))
    spans = zip(records.starts.tolist(), records.lengths.tolist(), strict=True)
    return [data[start : start + length] for start, length in spans], records


@given(PAYLOADS)
def test_every_record_is_found_once(payloads: list[bytes]) -> None:
    """Whatever the records hold, even records."""
    data = _framed(payloads)
    found, records = _found(data)

    assert found == payloads
    assert records.end == len(data)
    assert records.spots == []


@given(PAYLOADS, st.data())
def test_what_is_not_whole_is_left_for_later(payloads: list[bytes], data: st.DataObject) -> None:
    """A cut file gives its whole records, and says where the rest begins."""
    whole = _framed(payloads)
    size = data.draw(st.integers(0, len(whole)))
    found, records = _found(whole[:size])
    ends = np.cumsum([FRAME + len(payload) for payload in payloads])

    assert found == payloads[: int((ends <= size).sum())]
    assert records.end == max([0, *(int(end) for end in ends if end <= size)])
    assert records.spots == []


def test_a_damaged_header_costs_its_own_record() -> None:
    """Reading goes on at the next header that is right, and the damage is said."""
    payloads = [b"\x09first", b"\x09second", b"\x09third"]
    data = bytearray(_framed(payloads))
    damaged = FRAME + len(payloads[0])
    data[damaged + 9] ^= 1
    found, records = _found(bytes(data))

    assert found == [payloads[0], payloads[2]]
    assert records.spots == [(damaged, f"a damaged header; {FRAME + 7} bytes passed over")]


def test_bytes_that_are_no_records_are_passed_over() -> None:
    """Only what may be the beginning of a header is kept for the next bytes."""
    found, records = _found(b"no event file" * 100)

    assert found == []
    assert records.end == 1300 - HEADER + 1
    assert records.spots[0].offset == 0
