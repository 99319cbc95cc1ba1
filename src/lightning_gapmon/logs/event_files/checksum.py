"""CRC-32C as event files keep it, for many records at once.

A CRC is linear: that of a message is the exclusive or of what each of its bytes contributes,
which depends on the byte and on how many bytes follow it, and on nothing else. So records that
differ in few places need a look-up for these places only, for all records in one step.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]

POLYNOMIAL = 0x82F63B78  # Castagnoli's, reflected
ALL_ONES = 0xFFFFFFFF
MASK_DELTA = 0xA282EAD8  # event files keep a rotated CRC plus this
FURTHEST = 1024  # bytes that the table of contributions reaches
REGISTER = 4


@cache
def contributions() -> Words:
    """Tabulate what a byte contributes: row `d` is for a byte that `d` others follow."""
    register: Words = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        register = (register >> np.uint32(1)) ^ np.where(
            register & 1, np.uint32(POLYNOMIAL), np.uint32(0)
        )
    rows = np.empty((FURTHEST, 256), dtype=np.uint32)
    rows[0] = register
    for distance in range(1, FURTHEST):
        before = rows[distance - 1]
        rows[distance] = rows[0][before & 0xFF] ^ (before >> 8)
    return rows


def crc(data: Bytes) -> int:
    """Compute the CRC-32C of some bytes.

    Example:
        >>> hex(crc(np.frombuffer(b"123456789", np.uint8)))
        '0xe3069283'
    """
    table = contributions()
    state = ALL_ONES
    for start in range(0, len(data), FURTHEST):
        piece = data[start : start + FURTHEST].copy()
        # The register so far acts as if it were part of the first bytes that follow.
        head = min(REGISTER, len(piece))
        piece[:head] ^= np.frombuffer(state.to_bytes(REGISTER, "little"), np.uint8)[:head]
        added = table[np.arange(len(piece) - 1, -1, -1), piece]
        state = (state >> (8 * head)) ^ int(np.bitwise_xor.reduce(added))
    return state ^ ALL_ONES


def masked(sums: Words) -> Words:
    """Turn CRCs into what event files keep, so that CRCs of CRCs stay good."""
    return ((sums >> np.uint32(15)) | (sums << np.uint32(17))) + np.uint32(MASK_DELTA)


def is_kept(data: Bytes, kept: Bytes) -> bool:
    """Say whether four bytes are the masked CRC of some others."""
    expected = masked(np.array([crc(data)], dtype=np.uint32))
    return expected.astype("<u4").tobytes() == kept.tobytes()
