"""Checksums are TensorBoard's own."""

import numpy as np
from hypothesis import given, strategies as st
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

from lightning_gapmon.logs.event_files.checksum import FURTHEST, crc, is_kept, masked


def _masked(data: bytes) -> int:
    sums = np.array([crc(np.frombuffer(data, np.uint8))], dtype=np.uint32)
    return int(masked(sums)[0])


@given(st.binary(max_size=300))
def test_checksums_are_tensorboards(data: bytes) -> None:
    """Any bytes have the checksum that TensorBoard writes behind them."""
    assert _masked(data) == int(masked_crc32c(data))


def test_long_records_are_summed_in_pieces() -> None:
    """Around the reach of the table, where pieces of every short length are left."""
    data = np.random.default_rng(0).integers(0, 256, 2 * FURTHEST + 9, np.uint8).tobytes()

    for size in (*range(FURTHEST - 1, FURTHEST + 6), 2 * FURTHEST, len(data)):
        assert _masked(data[:size]) == int(masked_crc32c(data[:size]))


def test_one_flipped_bit_is_seen() -> None:
    """Each bit of a record counts, and each of its checksum."""
    data = b"a record of some length"
    kept = int(masked_crc32c(data)).to_bytes(4, "little")
    whole = np.frombuffer(data + kept, np.uint8)

    assert is_kept(whole[:-4], whole[-4:])
    for bit in range(8 * len(whole)):
        flipped = whole.copy()
        flipped[bit // 8] ^= 1 << bit % 8
        assert not is_kept(flipped[:-4], flipped[-4:])
