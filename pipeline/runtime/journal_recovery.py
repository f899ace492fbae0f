"""What the next start does with a run whose writer died: keep what is whole, set aside what is torn."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from pipeline.runtime.journal_format import (
    NO_HEAD,
    EndReason,
    JournalError,
    RecordKind,
    pack_record,
)
from pipeline.runtime.journal_pack import DRAFT_SUFFIX
from pipeline.runtime.journal_scan import SegmentScan, TornTail, scan_segment, segment_files
from pipeline.runtime.journal_segment import sync_directory

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a start found in the journal's directory."""

    last_run: int
    """0 for a new journal."""
    head: bytes
    """Digest the next segment's chain goes on from."""
    torn: TornTail | None
    """Set when bytes were set aside; they are in the file it names."""
    problem: str
    """Why the last run could not be continued in the chain; empty otherwise."""


def recover_journal(directory: Path) -> Recovery:
    """End the last run where its last whole record ends; remove segments prepared and never used.

    Everything after the last whole record goes to a file beside the segment, `.torn`, never to waste.

    Raises:
        JournalError: when the directory cannot be read or written.
    """
    try:
        return _recover(directory)
    except OSError as problem:
        raise JournalError(f"cannot recover the journal in {directory}: {problem.strerror}") from problem


def _recover(directory: Path) -> Recovery:
    _tidy(directory)
    files = segment_files(directory)
    last_run = files[-1].run if files else 0
    for newest in reversed(files):
        try:
            scan = scan_segment(newest)
        except JournalError as problem:
            return Recovery(last_run, NO_HEAD, None, str(problem))
        if scan is None:
            newest.path.unlink()
        elif scan.ended:
            return Recovery(last_run, scan.head, None, "")
        else:
            torn = _set_aside(newest.path, scan)
            return Recovery(last_run, _end(newest.path, scan), torn, "")
    return Recovery(last_run, NO_HEAD, None, "")


def _tidy(directory: Path) -> None:
    """Remove what a packer that died half-way left: its draft, or the segment beside the packed one."""
    for path in directory.iterdir():
        if path.name.endswith(DRAFT_SUFFIX) or path.with_name(path.name + ".zst").exists():
            path.unlink()


def _end(path: Path, scan: SegmentScan) -> bytes:
    """Cut the segment after its last whole record, end and seal it there, and give the new head."""
    end = pack_record(RecordKind.END, scan.sequence, scan.ts_ns, b"", codec=EndReason.RECOVERED)
    scan.chain.add(end)
    head = scan.chain.digest()
    seal = pack_record(RecordKind.SEAL, scan.sequence, scan.ts_ns, head, epoch=scan.chain.records + 1)
    with path.open("r+b") as segment:
        segment.truncate(scan.end_offset)
        segment.seek(scan.end_offset)
        segment.write(end + seal)
        segment.flush()
        os.fsync(segment.fileno())
    sync_directory(path.parent)
    return head


def _set_aside(path: Path, scan: SegmentScan) -> TornTail | None:
    if scan.torn_bytes == 0:
        return None
    aside = path.with_name(f"{path.name}.torn")
    with contextlib.suppress(FileNotFoundError):
        aside.rename(path.with_name(f"{path.name}.torn.older"))
    left = scan.torn_bytes
    with path.open("rb") as source, open(aside, "xb", opener=_private) as target:
        source.seek(scan.end_offset)
        while left:
            left -= target.write(source.read(min(_CHUNK, left)))
        target.flush()
        os.fsync(target.fileno())
    return TornTail(str(path), scan.end_offset, scan.torn_bytes, scan.damage, str(aside))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
