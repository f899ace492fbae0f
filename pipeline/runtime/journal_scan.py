"""Reading one segment, plain or packed, record by record, as far as it is whole."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from zlib import crc32

import zstandard

from pipeline.runtime.journal_format import (
    CRC,
    FIRST_NUMBERED_KIND,
    HEAD,
    HEAD_BYTES,
    MAX_PAYLOAD_BYTES,
    SEGMENT_HEADER_BYTES,
    SEGMENT_NAME,
    Chain,
    JournalError,
    Record,
    RecordKind,
    SegmentHeader,
    unpack_segment_header,
)

_CHUNK = 1024 * 1024
_NO_RECORD = bytes(HEAD_BYTES)


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """A segment's file, named by run and index."""

    path: Path
    run: int
    index: int
    packed: bool


@dataclass(frozen=True, slots=True)
class TornTail:
    """Bytes after the last whole record of a run whose writer died."""

    path: str
    offset: int
    size: int
    damage: str
    """What is wrong with the first record of it."""
    set_aside: str
    """File the bytes were moved to, empty while they are where they were."""


@dataclass(slots=True)
class SegmentScan:
    """Everything a pass over one segment found."""

    file: SegmentFile
    header: SegmentHeader
    raw_header: bytes
    sequence: int
    """Newest sequence number."""
    ts_ns: int
    head: bytes
    """Digest of the newest SEAL, or of the one before the segment."""
    chain: Chain
    """The block that is not sealed yet."""
    records: int = 0
    """Numbered records."""
    unsealed: int = 0
    end: int | None = None
    """The `EndReason`, once an END is there."""
    wanted: bytes = b""
    """A head to be found."""
    found: int = -1
    """At which record its SEAL stands; -1 while it was not met."""
    ended: bool = False
    """True when the END is there and sealed."""
    end_offset: int = SEGMENT_HEADER_BYTES
    torn_bytes: int = 0
    damage: str = ""
    problems: list[str] = field(default_factory=list)
    """What does not fit together although each record is whole."""


class SegmentReader:
    """Iterates over the records of one open segment with their raw bytes, and stops where they stop.

    Afterwards `offset` is the end of the last whole record, `damage` says what is wrong with what follows,
    and `torn_bytes` how much of it there is (reserved space that was never used does not count).
    """

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self.header_bytes = _read_exactly(stream, SEGMENT_HEADER_BYTES, name)
        self.header = unpack_segment_header(self.header_bytes, name)
        self.offset = SEGMENT_HEADER_BYTES
        self.damage = ""
        self.torn_bytes = 0
        self._stream = stream
        self._name = name

    def __iter__(self) -> Iterator[tuple[Record, bytes]]:
        """Give each record and its whole bytes.

        Raises:
            JournalError: when a packed segment cannot be unpacked.
        """
        buffer, at = b"", 0
        while True:
            if len(buffer) - at < HEAD_BYTES:
                buffer, at = buffer[at:] + self._more(HEAD_BYTES), 0
            raw_head = buffer[at : at + HEAD_BYTES]
            if len(raw_head) < HEAD_BYTES or raw_head == _NO_RECORD:
                break
            size, kind, codec, source, epoch, sequence, ts_ns = HEAD.unpack_from(raw_head)
            if size > MAX_PAYLOAD_BYTES:
                self.damage = f"length {size}"
                break
            end = at + HEAD_BYTES + size
            if end > len(buffer):
                buffer, end, at = buffer[at:] + self._more(end - at), end - at, 0
            record = buffer[at:end]
            if len(record) < HEAD_BYTES + size:
                self.damage = "cut short"
                break
            payload = record[HEAD_BYTES:]
            if crc32(payload, crc32(raw_head[: HEAD.size])) != CRC.unpack_from(raw_head, HEAD.size)[0]:
                self.damage = "CRC"
                break
            at = end
            self.offset += len(record)
            yield Record(kind, sequence, ts_ns, payload, epoch, codec, source), record
        self._look_at_rest(buffer[at:])

    def _more(self, wanted: int) -> bytes:
        """Read a chunk and as much more as one record needs; fewer bytes at the end of the file."""
        return _read_exactly(self._stream, max(wanted, _CHUNK), self._name)

    def _look_at_rest(self, rest: bytes) -> None:
        passed = 0
        while rest:
            used = len(rest.rstrip(b"\0"))
            if used:
                self.torn_bytes = passed + used
            passed += len(rest)
            rest = self._more(_CHUNK)
        if self.torn_bytes and not self.damage:
            self.damage = "bytes that are no record"


def segment_files(directory: Path) -> list[SegmentFile]:
    """List a journal's segments in order; where a plain and a packed file exist, the packed one counts.

    Raises:
        OSError: when the directory cannot be read.
    """
    found: dict[tuple[int, int], SegmentFile] = {}
    for path in sorted(directory.iterdir()):
        match = SEGMENT_NAME.fullmatch(path.name)
        if match:
            # ".journal" sorts before ".journal.zst", and a packed file only gets its name when it is whole.
            run, index = int(match[1]), int(match[2])
            found[run, index] = SegmentFile(path, run, index, packed=bool(match[3]))
    return [found[key] for key in sorted(found)]


@contextlib.contextmanager
def open_segment(file: SegmentFile) -> Iterator[SegmentReader]:
    """Open a segment for reading.

    Raises:
        JournalError: when it cannot be opened, or its header is refused.
    """
    try:
        with file.path.open("rb") as raw, contextlib.ExitStack() as stack:
            stream: IO[bytes] = raw
            if file.packed:
                stream = stack.enter_context(zstandard.ZstdDecompressor().stream_reader(raw))
            reader = SegmentReader(stream, str(file.path))
            if reader.header is None and file.packed:
                raise JournalError(f"{file.path}: packed, but empty")
            yield reader
    except OSError as problem:
        raise JournalError(f"cannot read {file.path}: {problem.strerror}") from problem


def scan_segment(file: SegmentFile, wanted: bytes = b"") -> SegmentScan | None:
    """Read a whole segment and check its chain and numbering; None where it was prepared and never used.

    `wanted` is a head that was kept elsewhere: the scan tells at which record it stands.

    Raises:
        JournalError: when it cannot be read, unpacked, or its header is refused.
    """
    with open_segment(file) as reader:
        header = reader.header
        if header is None:
            for _ in reader:
                break
            if reader.damage or reader.offset > SEGMENT_HEADER_BYTES:
                raise JournalError(f"{file.path}: the segment's header is gone, but records follow")
            return None
        scan = SegmentScan(
            file,
            header,
            reader.header_bytes,
            sequence=header.first_sequence - 1,
            ts_ns=header.created_ns,
            head=header.head_before,
            chain=Chain(reader.header_bytes),
            wanted=wanted,
        )
        for record, raw in reader:
            _take(scan, record, raw)
        scan.end_offset, scan.torn_bytes, scan.damage = reader.offset, reader.torn_bytes, reader.damage
    return scan


def _take(scan: SegmentScan, record: Record, raw: bytes) -> None:
    if scan.ended:
        scan.problems.append(f"record {record.sequence} stands after the end")
    if record.kind >= FIRST_NUMBERED_KIND:
        if record.sequence != scan.sequence + 1:
            scan.problems.append(f"record {record.sequence} follows {scan.sequence}")
        scan.sequence = record.sequence
        scan.records += 1
        scan.unsealed += 1
    elif record.sequence != scan.sequence:
        scan.problems.append(f"{record.kind} after record {scan.sequence} names {record.sequence}")
    scan.ts_ns = record.ts_ns
    if record.kind == RecordKind.SEAL:
        _check_seal(scan, record, raw)
        return
    if record.kind == RecordKind.END:
        scan.end = record.codec
    scan.chain.add(raw)
    scan.chain.records += 1


def _check_seal(scan: SegmentScan, seal: Record, raw: bytes) -> None:
    if seal.payload != scan.chain.digest():
        scan.problems.append(f"the block before the seal at record {seal.sequence} was changed")
    if seal.epoch != scan.chain.records:
        scan.problems.append(f"the block before the seal at record {seal.sequence} has lost records")
    scan.head = seal.payload
    if seal.payload == scan.wanted:
        scan.found = seal.sequence
    scan.unsealed = 0
    scan.ended = scan.end is not None
    scan.chain.begin_block(raw)


def _read_exactly(stream: IO[bytes], wanted: int, name: str) -> bytes:
    """Read until `wanted` bytes or the end of the file; what a packed segment lacks is an error."""
    pieces = []
    left = wanted
    try:
        while left and (piece := stream.read(left)):
            pieces.append(piece)
            left -= len(piece)
    except zstandard.ZstdError as problem:
        raise JournalError(f"{name}: cannot be unpacked: {problem}") from problem
    return b"".join(pieces)
