"""Bytes of a journal: segments of checked records in a hash chain.

A journal is a directory of segments `RUN-INDEX.journal`, packed to `.journal.zst` when they are full. Each
start of the session is a run. A segment is a header of 76 bytes, then records, then zeros up to the space it
has reserved. A record is a head of 32 bytes (length u32, kind u8, codec u8, source u16, epoch u32, sequence
u64, time i64 in ns, CRC-32 u32 over the head before it and the payload), then the payload; little-endian.

Records are chained in blocks: the payload of a SEAL is the SHA-256 over what the block's hash began with and
the block's records, whole. A block begins with the SEAL before it, the first of a segment with the segment's
header, which holds the digest of the SEAL that ended the segment before. Only kinds from FRAME on carry a
sequence number of their own; SEAL and END repeat the newest one.
"""

from __future__ import annotations

import enum
import hashlib
import re
import struct
import zlib
from dataclasses import dataclass

import msgspec

from pipeline.core.params import EngineParams
from pipeline.wire.codec import MAX_FRAME_BYTES

MAGIC = b"LOBDECKJ"
JOURNAL_VERSION = 1
SEGMENT_HEADER = struct.Struct("<8sIIIIQq32s")
CRC = struct.Struct("<I")
SEGMENT_HEADER_BYTES = SEGMENT_HEADER.size + CRC.size
HEAD = struct.Struct("<IBBHIQq")
HEAD_BYTES = HEAD.size + CRC.size
DIGEST_BYTES = 32
SEAL_BYTES = HEAD_BYTES + DIGEST_BYTES
END_BYTES = HEAD_BYTES
NO_HEAD = bytes(DIGEST_BYTES)
"""Stands before the first segment of a journal."""

MAX_PAYLOAD_BYTES = 32 * 1024 * 1024
BLOCK_RECORDS = 64
BLOCK_NS = 100_000_000
SUFFIX = ".journal"
PACKED_SUFFIX = ".journal.zst"
SEGMENT_NAME = re.compile(r"(\d{4,})-(\d{6,})\.journal(\.zst)?")


class JournalError(Exception):
    """A journal cannot be written or read; the text is one line: what, where, what to do."""


OWN_EXCHANGE = {"exchange": "own"}
"""Notes of a header: the session started its exchange and ended it, so nothing outlives the run there."""


class RecordKind(enum.IntEnum):
    """What a record's payload is; values never change, unknown ones are kept and passed on."""

    HEADER = 1
    """MessagePack of `JournalHeader`; first record of a run, sequence 0."""
    SEAL = 2
    """SHA-256 of the block before it; its epoch is the number of records in the block."""
    END = 3
    """Last record of a segment but for its SEAL; its codec is an `EndReason`."""
    FRAME = 16
    """One raw frame as the venue sent it, with epoch, codec and source."""
    INPUT = 17
    """MessagePack of one input that is not a frame."""
    EFFECT = 18
    """MessagePack of one effect, where it must be durable before it is carried out."""
    EFFECTS_HASH = 19
    """SHA-256 of all effects so far, for checking a replay on its way."""
    NOTE = 20
    """UTF-8 text of evidence: who did what, seen on which frame."""


FIRST_NUMBERED_KIND = int(RecordKind.FRAME)


class EndReason(enum.IntEnum):
    """Why a segment ends."""

    ROLLED = 0
    """The run goes on in the next segment."""
    CLOSED = 1
    """The run ended in good order."""
    RECOVERED = 2
    """The writer died; what followed was set aside by the next start."""


class JournalHeader(msgspec.Struct, frozen=True):
    """What a replay needs beside the records: everything the engine was built from."""

    session: str
    code_version: str
    created_ns: int
    params: EngineParams
    journal_version: int = JOURNAL_VERSION
    codecs: tuple[str, ...] = ()
    """Names and versions of the codecs; a record's `codec` is an index."""
    sources: tuple[str, ...] = ()
    """Connections or symbols frames came from; a record's `source` is an index."""
    notes: dict[str, str] = {}
    max_frame_bytes: int = MAX_FRAME_BYTES
    """Larger frames were refused; a replay must refuse the same ones."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record as it was appended."""

    kind: int
    sequence: int
    ts_ns: int
    payload: bytes
    epoch: int
    codec: int
    source: int


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """Head of one segment file."""

    run: int
    index: int
    first_sequence: int
    created_ns: int
    head_before: bytes
    """Digest of the SEAL the segment before ended with; 32 bytes."""

    def pack(self) -> bytes:
        """Give its 76 bytes."""
        body = SEGMENT_HEADER.pack(
            MAGIC,
            JOURNAL_VERSION,
            self.run,
            self.index,
            0,
            self.first_sequence,
            self.created_ns,
            self.head_before,
        )
        return body + CRC.pack(zlib.crc32(body))


def unpack_segment_header(raw: bytes, name: str) -> SegmentHeader | None:
    """Read a segment's header; None where the segment was prepared and never used.

    Raises:
        JournalError: when it is no journal, damaged, or of a version this code does not read.
    """
    if not raw.strip(b"\0"):
        return None
    if len(raw) < SEGMENT_HEADER_BYTES or raw[: len(MAGIC)] != MAGIC:
        raise JournalError(f"{name}: not a journal, it does not begin with {MAGIC.decode()}")
    body = raw[: SEGMENT_HEADER.size]
    _, version, run, index, _, first_sequence, created_ns, head_before = SEGMENT_HEADER.unpack(body)
    if CRC.unpack_from(raw, SEGMENT_HEADER.size)[0] != zlib.crc32(body):
        raise JournalError(f"{name}: the segment's header is damaged (CRC)")
    if version != JOURNAL_VERSION:
        raise JournalError(f"{name}: journal version {version}, this program reads {JOURNAL_VERSION}")
    return SegmentHeader(run, index, first_sequence, created_ns, head_before)


def pack_record(
    kind: int, sequence: int, ts_ns: int, payload: bytes, epoch: int = 0, codec: int = 0, source: int = 0
) -> bytes:
    """Build one record, head and payload."""
    head = HEAD.pack(len(payload), kind, codec, source, epoch, sequence, ts_ns)
    return b"".join((head, CRC.pack(zlib.crc32(payload, zlib.crc32(head))), payload))


def segment_name(run: int, index: int) -> str:
    """Name a segment's file; names sort in order."""
    return f"{run:04d}-{index:06d}{SUFFIX}"


class Chain:
    """The running hash: what both the writer and whoever checks it do with each record."""

    def __init__(self, segment_header: bytes) -> None:
        """Begin the first block of a segment."""
        self.records = 0
        self._hash = hashlib.sha256(segment_header)
        self.add = self._hash.update

    def digest(self) -> bytes:
        """Give the digest a SEAL here must hold."""
        return self._hash.digest()

    def begin_block(self, seal: bytes) -> None:
        """Begin the next block after the whole record of a SEAL."""
        self.records = 0
        self._hash = hashlib.sha256(seal)
        self.add = self._hash.update
