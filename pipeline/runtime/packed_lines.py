"""Lines of a plain, .gz or .zst file as byte strings, streamed; told apart by magic number, not by name.

Memory is bounded by the chunk size and the longest line allowed, whatever the file's size.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import zstandard

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
MAX_LINE_BYTES = 16 * 1024 * 1024

_READ_BYTES = 64 * 1024
_ZSTD_MAX_WINDOW = 128 * 1024 * 1024


class PackedError(Exception):
    """A file cannot be read on; the message says what was expected."""


class _Unpacker(Protocol):
    """The part of zlib's and zstandard's decompression objects that is used."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def packing_of(head: bytes) -> str:
    """Give `gzip`, `zstd` or "" from a file's first bytes."""
    if head.startswith(GZIP_MAGIC):
        return "gzip"
    return "zstd" if head.startswith(ZSTD_MAGIC) else ""


def unpacked_chunks(path: Path) -> Iterator[bytes]:
    """Give a file's content, unpacked, in chunks of any size but 0.

    Raises:
        PackedError: the packed data is damaged or ends early, or the name promises a packing it has not.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        packing = packing_of(head)
        promised = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix, "")
        if head and promised and packing != promised:
            raise PackedError(f"expected {promised} data, as the name says")
        if packing:
            yield from _unpack(file, packing)
        else:
            while chunk := file.read(_READ_BYTES):
                yield chunk


def _unpack(file: BinaryIO, packing: str) -> Iterator[bytes]:
    """Unpack one member after the other, as `gzip` and `zstd` write them when files are joined."""
    unpacker = _unpacker(packing)
    fresh = True
    try:
        while packed := file.read(_READ_BYTES):
            while packed:
                if unpacker.eof:
                    unpacker, fresh = _unpacker(packing), True
                chunk = unpacker.decompress(packed)
                packed = unpacker.unused_data if unpacker.eof else b""
                fresh = False
                if chunk:
                    yield chunk
    except (zlib.error, zstandard.ZstdError) as error:
        raise PackedError(f"expected intact {packing} data, found damage ({error})") from error
    if fresh or not unpacker.eof:
        raise PackedError(f"expected more {packing} data, found the end of the file: it is truncated")


def _unpacker(packing: str) -> _Unpacker:
    if packing == "gzip":
        return zlib.decompressobj(wbits=31)
    return zstandard.ZstdDecompressor(max_window_size=_ZSTD_MAX_WINDOW).decompressobj()


def line_blocks(path: Path) -> Iterator[list[bytes]]:
    """Give a file's lines, without their ends, in blocks of consecutive ones; the last may lack its end.

    Raises:
        PackedError: as `unpacked_chunks`, or a line longer than 16 MiB.
        OSError: the file cannot be read.
    """
    rest: list[bytes] = []
    rest_bytes = 0
    for chunk in unpacked_chunks(path):
        lines = chunk.split(b"\n")
        if len(lines) > 1:
            rest.append(lines[0])
            lines[0] = b"".join(rest)
            rest, rest_bytes = [], 0
            last = lines.pop()
            yield lines
        else:
            last = chunk
        rest.append(last)
        rest_bytes += len(last)
        if rest_bytes > MAX_LINE_BYTES:
            raise PackedError(f"expected lines of at most {MAX_LINE_BYTES} bytes")
    if rest_bytes:
        yield [b"".join(rest)]
