"""Reading a journal back: its header, its records in order, and the proof that nobody touched them.

`read_journal` checks every CRC, the numbering and how segments follow each other; `verify_journal` also
recomputes the hash chain. Neither writes; `journal_text` prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from pipeline.runtime.journal_format import (
    FIRST_NUMBERED_KIND,
    NO_HEAD,
    SEGMENT_NAME,
    EndReason,
    JournalError,
    JournalHeader,
    Record,
    RecordKind,
)
from pipeline.runtime.journal_scan import (
    SegmentFile,
    SegmentScan,
    TornTail,
    open_segment,
    scan_segment,
    segment_files,
)

_decode_header = msgspec.msgpack.Decoder(JournalHeader).decode


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `verify_journal` found in all runs of a journal."""

    path: str
    runs: int
    segments: int
    records: int
    unsealed: int
    """Records of the newest block whose seal is not there; they are whole, but not in the chain."""
    head: str
    """Digest of the newest seal in hex, to be compared with the one that left the box."""
    complete: bool
    """True when the newest run was ended in good order."""
    torn: tuple[TornTail, ...]
    """Bytes after the last whole record of a run whose writer died or still writes."""
    problems: tuple[str, ...]
    """One line for each place where the journal was changed, cut or damaged."""
    proved: str = ""
    """Up to where a head that was kept elsewhere proves the journal; empty without one."""

    @property
    def sound(self) -> bool:
        """Say whether nothing is wrong and nothing is torn."""
        return not self.problems and not self.torn


class JournalRecords:
    """The numbered records of one run, in order; `run` is its number.

    After the last one `torn` says what was left unread, and `complete` whether the run was ended at all.
    """

    def __init__(self, files: list[SegmentFile]) -> None:
        """Take the segments of one run, in order."""
        self.torn: TornTail | None = None
        self.complete = False
        self.run = files[0].run
        self._files = files
        self._records = self._read()

    def __iter__(self) -> Iterator[Record]:
        """Give the records that have not been given yet."""
        return self._records

    def __next__(self) -> Record:
        """Give the next record.

        Raises:
            JournalError: at the first record that is damaged or missing before the end of the run.
        """
        return next(self._records)

    def _read(self) -> Iterator[Record]:
        sequence, head = 0, b""
        for position, file in enumerate(self._files):
            last = position + 1 == len(self._files)
            with open_segment(file) as reader:
                if reader.header is None:
                    raise JournalError(f"{file.path}: empty, but the run goes on after it")
                if reader.header.index != position + 1 or (head and head != reader.header.head_before):
                    raise JournalError(f"{file.path}: does not follow the segment before it")
                end = None
                for record, _ in reader:
                    if record.kind >= FIRST_NUMBERED_KIND:
                        if record.sequence != sequence + 1:
                            raise JournalError(f"{file.path}: record {sequence + 1} is missing")
                        sequence = record.sequence
                        yield record
                    elif record.kind == RecordKind.SEAL:
                        head = record.payload
                    elif record.kind == RecordKind.END:
                        end = record
            if reader.torn_bytes and (end is not None or not last or file.packed):
                raise JournalError(f"{file.path}: damaged at byte {reader.offset} ({reader.damage})")
            if end is None and (not last or file.packed):
                raise JournalError(f"{file.path}: cut off at byte {reader.offset}")
            self.complete = end is not None and end.codec != EndReason.ROLLED
            if reader.torn_bytes:
                self.torn = TornTail(str(file.path), reader.offset, reader.torn_bytes, reader.damage, "")


def read_journal(path: Path, run: int = 0) -> tuple[JournalHeader, JournalRecords]:
    """Open one run of the journal in directory `path` (or of the segment `path`); 0 is the newest run.

    Raises:
        JournalError: when there is no journal, no such run, or its header cannot be read; further ones while
            the records are read.
    """
    chosen, files = _run_files(path, run)
    while files and _is_unused(files[-1]):
        files.pop()
    if not files:
        raise JournalError(f"{path}: no run {chosen} in this journal")
    with open_segment(files[0]) as reader:
        first = next(iter(reader), None)
    if files[0].index != 1 or first is None or first[0].kind != RecordKind.HEADER:
        raise JournalError(f"{files[0].path}: does not begin with the run's header, so it cannot be replayed")
    try:
        header = _decode_header(first[0].payload)
    except (ValueError, RecursionError) as problem:
        raise JournalError(f"{files[0].path}: written by another version: {problem}") from problem
    return header, JournalRecords(files)


def _is_unused(file: SegmentFile) -> bool:
    with open_segment(file) as reader:
        return reader.header is None


def is_journal(path: Path) -> bool:
    """Say whether `path` is a journal's directory or one of its segments, by name alone."""
    if path.is_dir():
        return bool(segment_files(path))
    return SEGMENT_NAME.fullmatch(path.name) is not None


def verify_journal(path: Path, expected_head: str = "") -> VerifyReport:
    """Check all runs of a journal: every record, the numbering, the chain, and the head if one is given.

    An older head proves what stands before it; one that is nowhere in the chain is a problem.
    A journal cut off at the end of a block, or rewritten with a new chain, is only betrayed by a head that
    was kept elsewhere.

    Raises:
        JournalError: when there is no journal.
    """
    files = _all_files(path)
    problems: list[str] = []
    wanted = _digest_of(expected_head)
    scans = [scan for file in files if (scan := _scan(file, file is files[-1], problems, wanted)) is not None]
    previous: SegmentScan | None = None
    for scan in scans:
        problems.extend(f"{scan.file.path.name}: {problem}" for problem in _misfits(previous, scan))
        previous = scan
    torn = tuple(tail for scan in scans if (tail := _torn(scan, scan is scans[-1], problems)) is not None)
    head = (scans[-1].head if scans else NO_HEAD).hex()
    found = [scan for scan in scans if scan.found >= 0]
    if expected_head and not found:
        problems.append(f"the head is {head}, not {expected_head}: the end was cut off or rewritten")
    return VerifyReport(
        path=str(path),
        runs=len({scan.header.run for scan in scans}),
        segments=len(scans),
        records=sum(scan.records for scan in scans),
        unsealed=scans[-1].unsealed if scans else 0,
        head=head,
        complete=bool(scans) and scans[-1].ended and scans[-1].end != EndReason.ROLLED,
        torn=torn,
        problems=tuple(problems),
        proved=f"run {found[0].header.run}, record {found[0].found}" if found else "",
    )


def _digest_of(head: str) -> bytes:
    """Give a head's digest; one that is no hex number is none, so it is found nowhere."""
    try:
        return bytes.fromhex(head)
    except ValueError:
        return b""


def _scan(file: SegmentFile, last: bool, problems: list[str], wanted: bytes) -> SegmentScan | None:
    try:
        scan = scan_segment(file, wanted)
    except JournalError as problem:
        problems.append(str(problem))
        return None
    if scan is None and not last:
        problems.append(f"{file.path.name}: empty, but the journal goes on after it")
    return scan


def _misfits(previous: SegmentScan | None, scan: SegmentScan) -> Iterator[str]:
    yield from scan.problems
    header = scan.header
    if (header.run, header.index) != (scan.file.run, scan.file.index):
        yield f"renamed: it was segment {header.index} of run {header.run}"
    if previous is None:
        if header.head_before != NO_HEAD:
            yield "the segments before it are missing"
        return
    if header.head_before != previous.head:
        yield f"does not follow {previous.file.path.name} in the chain"
    if header.run == previous.header.run and header.first_sequence != previous.sequence + 1:
        yield f"begins with record {header.first_sequence} after {previous.sequence}"
    if header.run == previous.header.run and header.index != previous.header.index + 1:
        yield f"segment {previous.header.index + 1} is missing"


def _torn(scan: SegmentScan, last: bool, problems: list[str]) -> TornTail | None:
    name = scan.file.path.name
    if not scan.torn_bytes:
        if not scan.ended and not last:
            problems.append(f"{name}: cut off at byte {scan.end_offset}")
        return None
    if scan.ended or not last:
        problems.append(f"{name}: damaged at byte {scan.end_offset} ({scan.damage})")
        return None
    return TornTail(str(scan.file.path), scan.end_offset, scan.torn_bytes, scan.damage, "")


def _run_files(path: Path, run: int) -> tuple[int, list[SegmentFile]]:
    files = _all_files(path)
    if not path.is_dir() and run == 0:
        match = SEGMENT_NAME.fullmatch(path.name)
        run = int(match[1]) if match else 0
    chosen = run or files[-1].run
    return chosen, [file for file in files if file.run == chosen]


def _all_files(path: Path) -> list[SegmentFile]:
    try:
        files = segment_files(path if path.is_dir() else path.parent)
    except OSError as problem:
        raise JournalError(f"cannot read {path}: {problem.strerror}") from problem
    if not files or not is_journal(path):
        raise JournalError(f"{path}: no journal here; expected a directory with RUN-SEGMENT.journal files")
    return files
