"""The gate's file: one page, mapped by every process that may close it or must obey it.

    offset  bytes  what
         0      8  magic `LOBGATE1`; what is here never moves, later versions only use what was zero
        64   8x8   closed:   generation of each closer's newest close, written by the closer alone
       128   8x8   released: generation of the close that was last taken back, written by a release alone
       192   8x8   acknowledged: generation the engine has acted on, written by the engine alone
       256    256  directory of the account's latch, relative to the session's directory, UTF-8; empty = none
       512  8x256  one record per closer, then
      2560    256  the record of the last release
      2816   8x8   killed:   generation of each closer's newest close that is a kill
      2880   8x8   unkilled: generation of the kill that was last taken back, written by a release alone

Words are unsigned, little-endian, aligned: each is stored and loaded whole. Record: generation u64, time i64
in ns, pid u32, CRC-32 of the rest u32, who 48, tty 48, reason 112 bytes of UTF-8, zeros at the end.
Slots 5 to 7 belong to closers of later versions; this one obeys them without knowing their names.
"""

from __future__ import annotations

import mmap
import struct
import zlib

MAGIC = b"LOBGATE1"
SIZE = 4096
SLOTS = 8
RELEASE_SLOT = 8
_CLOSED, _RELEASED, _ACKNOWLEDGED, _LATCH_DIR, _RECORDS = 64, 128, 192, 256, 512
_KILLED, _UNKILLED = 2816, 2880
_WORDS_BYTES = SLOTS * 8
LATCH_DIR_BYTES = 256
_RECORD_BYTES = 256
_RECORD = struct.Struct("<QqI48s48s112s")
_CHECK = struct.Struct("<I")


class GateMemory:
    """Loads and stores of single words and records; every method is one of them."""

    def __init__(self, page: mmap.mmap | bytearray) -> None:
        """Take a page that holds the layout above."""
        self._page = page
        whole = memoryview(page)
        self._closed_bytes = whole[_CLOSED : _CLOSED + _WORDS_BYTES]
        self._released_bytes = whole[_RELEASED : _RELEASED + _WORDS_BYTES]
        self._closed = self._closed_bytes.cast("Q")
        self._released = self._released_bytes.cast("Q")
        self._acknowledged = whole[_ACKNOWLEDGED : _ACKNOWLEDGED + _WORDS_BYTES].cast("Q")
        self._killed_bytes = whole[_KILLED : _KILLED + _WORDS_BYTES]
        self._unkilled_bytes = whole[_UNKILLED : _UNKILLED + _WORDS_BYTES]
        self._killed = self._killed_bytes.cast("Q")
        self._unkilled = self._unkilled_bytes.cast("Q")
        self._whole = whole

    def detach(self) -> None:
        """Let go of the page; nothing may be called afterwards."""
        views = (
            self._closed,
            self._released,
            self._acknowledged,
            self._killed,
            self._unkilled,
            self._killed_bytes,
            self._unkilled_bytes,
            self._closed_bytes,
            self._released_bytes,
            self._whole,
        )
        for view in views:
            view.release()
        if isinstance(self._page, mmap.mmap):
            self._page.close()

    def closed(self, slot: int) -> int:
        """Load one closed word."""
        return self._closed[slot]

    def store_closed(self, slot: int, generation: int) -> None:
        """Store one closed word."""
        self._closed[slot] = generation

    def closed_all(self) -> bytes:
        """Load all closed words, each whole, not all at one instant."""
        return self._closed_bytes.tobytes()

    def released(self, slot: int) -> int:
        """Load one released word."""
        return self._released[slot]

    def store_released(self, slot: int, generation: int) -> None:
        """Store one released word."""
        self._released[slot] = generation

    def released_all(self) -> bytes:
        """Load all released words, each whole, not all at one instant."""
        return self._released_bytes.tobytes()

    def acknowledged(self, slot: int) -> int:
        """Load one acknowledged word."""
        return self._acknowledged[slot]

    def store_acknowledged(self, slot: int, generation: int) -> None:
        """Store one acknowledged word."""
        self._acknowledged[slot] = generation

    def killed(self, slot: int) -> int:
        """Load one killed word."""
        return self._killed[slot]

    def store_killed(self, slot: int, generation: int) -> None:
        """Store one killed word."""
        self._killed[slot] = generation

    def killed_all(self) -> bytes:
        """Load all killed words, each whole, not all at one instant."""
        return self._killed_bytes.tobytes()

    def unkilled(self, slot: int) -> int:
        """Load one unkilled word."""
        return self._unkilled[slot]

    def store_unkilled(self, slot: int, generation: int) -> None:
        """Store one unkilled word."""
        self._unkilled[slot] = generation

    def unkilled_all(self) -> bytes:
        """Load all unkilled words, each whole, not all at one instant."""
        return self._unkilled_bytes.tobytes()

    def record(self, slot: int) -> bytes:
        """Load one record; it may be half written."""
        start = _RECORDS + slot * _RECORD_BYTES
        return bytes(self._whole[start : start + _RECORD_BYTES])

    def store_record(self, slot: int, record: bytes) -> None:
        """Store one record, byte by byte as far as others can tell."""
        start = _RECORDS + slot * _RECORD_BYTES
        self._whole[start : start + len(record)] = record

    def latch_dir(self) -> str:
        """Give the account's latch directory as it was set at creation."""
        raw = bytes(self._whole[_LATCH_DIR : _LATCH_DIR + LATCH_DIR_BYTES])
        return raw.rstrip(b"\0").decode("utf-8", "surrogateescape")


def new_page(latch_dir: str) -> bytes:
    """Build the page of a new, open gate.

    Raises:
        ValueError: when the latch directory needs more than 256 bytes.
    """
    raw = latch_dir.encode("utf-8", "surrogateescape")
    if len(raw) > LATCH_DIR_BYTES:
        raise ValueError(f"latch directory {latch_dir!r} is longer than {LATCH_DIR_BYTES} bytes")
    page = bytearray(SIZE)
    page[: len(MAGIC)] = MAGIC
    page[_LATCH_DIR : _LATCH_DIR + len(raw)] = raw
    return bytes(page)


def pack_record(generation: int, ts_ns: int, pid: int, who: str, tty: str, reason: str) -> bytes:
    """Build a record; texts are cut to fit."""
    texts = [text.encode("utf-8", "replace") for text in (who, tty, reason)]
    body = _RECORD.pack(generation, ts_ns, pid, *texts)
    return body + _CHECK.pack(zlib.crc32(body))


def unpack_record(raw: bytes) -> tuple[int, int, int, str, str, str] | None:
    """Give (generation, ts_ns, pid, who, tty, reason), None while the record is half written."""
    body = raw[: _RECORD.size]
    if _CHECK.unpack_from(raw, _RECORD.size)[0] != zlib.crc32(body):
        return None
    generation, ts_ns, pid, who, tty, reason = _RECORD.unpack(body)
    return generation, ts_ns, pid, _text(who), _text(tty), _text(reason)


def _text(raw: bytes) -> str:
    text = raw.rstrip(b"\0").decode("utf-8", "ignore")
    return "".join(char if char.isprintable() else "?" for char in text)
