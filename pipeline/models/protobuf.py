"""The part of the protocol-buffer wire format that ONNX files need, both ways, in a few lines.

The writer appends fields in the order of the calls, so the same calls give the same bytes on every machine.
The reader walks one message and never recurses by itself: a caller descends only into the fields it knows,
which bounds the depth for hostile files. Groups (wire types 3 and 4) are refused; ONNX has none.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

VARINT = 0
FIXED64 = 1
LENGTH = 2
FIXED32 = 5

_MAX_VARINT_BYTES = 10
_FIXED_BYTES = {FIXED64: 8, FIXED32: 4}


class ProtobufError(ValueError):
    """Bytes that are no protocol-buffer message; the text names the offset."""


class MessageWriter:
    """One message under construction; `finish` gives its bytes."""

    def __init__(self) -> None:
        """Start an empty message."""
        self._out = bytearray()

    def integer(self, number: int, value: int) -> MessageWriter:
        """Append a varint field; negative values become 64-bit two's complement, as int64 fields want."""
        self._tag(number, VARINT)
        self._varint(value & 0xFFFF_FFFF_FFFF_FFFF)
        return self

    def real(self, number: int, value: float) -> MessageWriter:
        """Append a float32 field."""
        self._tag(number, FIXED32)
        self._out += struct.pack("<f", value)
        return self

    def data(self, number: int, value: bytes) -> MessageWriter:
        """Append a bytes field."""
        self._tag(number, LENGTH)
        self._varint(len(value))
        self._out += value
        return self

    def text(self, number: int, value: str) -> MessageWriter:
        """Append a UTF-8 string field."""
        return self.data(number, value.encode())

    def message(self, number: int, value: MessageWriter) -> MessageWriter:
        """Append a finished sub-message."""
        return self.data(number, value.finish())

    def finish(self) -> bytes:
        """Give the bytes written so far."""
        return bytes(self._out)

    def _tag(self, number: int, wire_type: int) -> None:
        self._varint(number << 3 | wire_type)

    def _varint(self, value: int) -> None:
        while value > 0x7F:
            self._out.append(value & 0x7F | 0x80)
            value >>= 7
        self._out.append(value)


def read_fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Walk one message and yield (field number, value) in file order.

    Varints and fixed-width fields come as unsigned integers (fixed ones as their little-endian bits), length
    fields as views into `message`.

    Raises:
        ProtobufError: at the first byte that cannot be part of a message.
    """
    at, end = 0, len(message)
    while at < end:
        tag, at = _read_varint(message, at)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise ProtobufError(f"field number 0 before offset {at}")
        if wire_type == VARINT:
            value, at = _read_varint(message, at)
            yield number, value
            continue
        if wire_type == LENGTH:
            size, at = _read_varint(message, at)
        elif wire_type in _FIXED_BYTES:
            size = _FIXED_BYTES[wire_type]
        else:
            raise ProtobufError(f"wire type {wire_type} before offset {at}")
        if size > end - at:
            raise ProtobufError(f"field {number} at offset {at} is {size} bytes long, {end - at} are left")
        piece = message[at : at + size]
        at += size
        yield number, piece if wire_type == LENGTH else int.from_bytes(piece, "little")


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    if at < len(message) and message[at] < 0x80:  # nearly all of them: trees are hundreds of thousands
        return message[at], at + 1
    value = 0
    for index, byte in enumerate(message[at : at + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + index + 1
    raise ProtobufError(f"unfinished number at offset {at}")
