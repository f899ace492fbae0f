"""Lines of a plain, .gz or .zst file as byte strings, streamed; told apart by magic number, not by name.

Memory is bounded by the chunk size and the longest line allowed, whatever the file holds. Of a longer line
the start and a digest of the rest are given: enough for the codec to refuse it as too large, and for a
changed byte to show in the hash of the inputs.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import zstandard

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
MAX_LINE_BYTES = 16 * 1024 * 1024
CUT_LINE_BYTES = MAX_LINE_BYTES - 1024
"""How much of a longer line is given, so that a stamp and the digest leave it within the limit for ever."""

_READ_BYTES = 64 * 1024
_PACKED_BYTES = {"gzip": 16 * 1024, "zstd": 1024}
"""Unpacked at once: of one byte gzip makes a thousand at most, zstd more than thirty thousand."""
_CHUNK_BYTES = 4 * 1024 * 1024
_ZSTD_MAX_WINDOW = 128 * 1024 * 1024


class PackedError(Exception):
    """A file cannot be read on; the message says what was expected."""


class _Digest(Protocol):
    """The part of hashlib's objects that is used."""

    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


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
        while packed := file.read(_PACKED_BYTES[packing]):
            while packed:
                if unpacker.eof:
                    unpacker, fresh = _unpacker(packing), True
                chunk = unpacker.decompress(packed)
                packed = unpacker.unused_data if unpacker.eof else b""
                fresh = False
                for start in range(0, len(chunk), _CHUNK_BYTES):
                    yield chunk[start : start + _CHUNK_BYTES]
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

    A line longer than 16 MiB comes as its start and the hex SHA-256 of the rest.

    Raises:
        PackedError: as `unpacked_chunks`.
        OSError: the file cannot be read.
    """
    unended = _UnendedLine()
    for chunk in unpacked_chunks(path):
        lines = chunk.split(b"\n")
        last = lines.pop()
        if lines:
            unended.add(lines[0])
            lines[0] = unended.take()
            yield lines
        unended.add(last)
    if unended.bytes:
        yield [unended.take()]


class _UnendedLine:
    """The line whose end has not been read yet, however long: never more than the limit is kept."""

    def __init__(self) -> None:
        self.bytes = 0
        self._pieces: list[bytes] = []
        self._rest: _Digest | None = None

    def add(self, piece: bytes) -> None:
        """Append a piece."""
        self.bytes += len(piece)
        if self._rest is not None:
            self._rest.update(piece)
            return
        self._pieces.append(piece)
        if self.bytes > MAX_LINE_BYTES:
            whole = b"".join(self._pieces)
            self._pieces = [whole[:CUT_LINE_BYTES]]
            self._rest = hashlib.sha256(whole[CUT_LINE_BYTES:])

    def take(self) -> bytes:
        """Give the line, and be empty."""
        if self._rest is not None:
            self._pieces.append(self._rest.hexdigest().encode())
        line = b"".join(self._pieces)
        self.bytes, self._pieces, self._rest = 0, [], None
        return line
