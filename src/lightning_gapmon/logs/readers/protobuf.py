"""Messages of protobuf without their description: numbered fields, as they lie in the bytes."""

from collections.abc import Iterator
from typing import NamedTuple

from lightning_gapmon.errors import LogFormatError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
SIZES = {FIXED64: 8, FIXED32: 4}
LONGEST_VARINT = 10


class Field(NamedTuple):
    """A field of a message.

    Attributes:
        number: Which.
        data: Its bytes; none where it is a number of variable length.
        value: That number.
    """

    number: int
    data: bytes
    value: int = 0


def fields(message: bytes) -> Iterator[Field]:
    """Read the fields of a message, in their order.

    Raises:
        LogFormatError: It is no message.

    Example:
        >>> [*fields(bytes([0x08, 0x96, 0x01, 0x12, 0x02, 0x68, 0x69]))]
        [Field(number=1, data=b'', value=150), Field(number=2, data=b'hi', value=0)]
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind, number = key & 7, key >> 3
        if kind == VARINT:
            value, at = _varint(message, at)
            yield Field(number, b"", value)
            continue
        size, at = _varint(message, at) if kind == BYTES else (SIZES.get(kind), at)
        if size is None or at + size > len(message):
            msg = "a record that is no message, though its checksum is right"
            raise LogFormatError(msg)
        yield Field(number, message[at : at + size])
        at += size


def text(field: Field) -> str:
    """Read a text."""
    return field.data.decode("utf-8", errors="replace")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(message[at : at + LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - no other byte follows
            return value, at + place + 1
    msg = "a record that ends within a number, though its checksum is right"
    raise LogFormatError(msg)
