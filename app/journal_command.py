"""`lobdeck journal verify`, `dump` and `export`: proof, a look inside, and frames for any program.

A path is a journal's directory, one of its segments, or the directory of a session.
"""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from pipeline.runtime.journal_reader import VerifyReport, verify_journal
from pipeline.runtime.journal_text import dump_journal, export_frames

_JOURNAL = "journal"


class ExportError(Exception):
    """The frames cannot be written; one line says where and why."""


def verify(path: Path, head: str = "") -> tuple[str, bool]:
    """Check framing, numbering and chain of a journal; give what was found and whether it is sound.

    `head` is one that was kept elsewhere, the newest or an older one.

    Raises:
        JournalError: there is no journal.
    """
    report = verify_journal(_journal_of(path), head.strip().lower())
    return report_text(report), report.sound


def report_text(report: VerifyReport) -> str:
    """Give a report as lines: the verdict with its numbers, the head, then each problem on its own."""
    verdict = "sound" if report.sound else "NOT SOUND"
    ending = "ended in good order" if report.complete else "not ended: its session runs or died"
    counts = f"{_count(report.runs, 'run')}, {_count(report.segments, 'segment')}"
    lines = [f"{report.path}: {verdict}; {counts}, {_count(report.records, 'record')}; {ending}"]
    lines.append(f"head {report.head}" + (f", {report.unsealed} records after it" if report.unsealed else ""))
    if report.proved:
        lines.append(f"the head kept elsewhere stands at {report.proved}: nothing before it was changed")
    lines += [
        f"torn: {tail.path}: {tail.size} bytes at {tail.offset} ({tail.damage})" for tail in report.torn
    ]
    return "\n".join([*lines, *report.problems])


def dump(path: Path) -> Iterator[str]:
    """Give the newest run's records as JSON lines, the header first; nothing in them moves a terminal.

    Raises:
        JournalError: there is no journal, or (while iterating) at the first damaged record.
    """
    return dump_journal(_journal_of(path))


def export(path: Path, output: Path) -> str:
    """Write the newest run's raw frames as stamped lines; `.gz` and `.zst` are packed. Says what was written.

    An existing file is never overwritten. A journal torn at its end gives what is before that, and it is
    said; one that is damaged earlier gives no file.

    Raises:
        JournalError: there is no journal, or it is damaged.
        ExportError: the output exists or cannot be written.
    """
    journal = _journal_of(path)
    try:
        with output.open("xb") as raw:
            try:
                written = _write_frames(journal, raw, output.suffix)
            except BaseException:
                output.unlink()
                raise
    except FileExistsError:
        raise ExportError(f"{output}: exists already; name another file") from None
    except OSError as problem:
        raise ExportError(f"{output}: cannot be written: {problem.strerror}") from problem
    missing = "" if verify_journal(journal).sound else "; NOT SOUND, frames are missing: `journal verify`"
    return f"wrote {_count(written, 'frame')} to {output}{missing}"


def _write_frames(journal: Path, raw: BinaryIO, suffix: str) -> int:
    written = 0
    with contextlib.ExitStack() as stack:
        target = raw
        if suffix == ".gz":
            target = cast(BinaryIO, stack.enter_context(gzip.GzipFile(fileobj=raw, mode="wb", mtime=0)))
        elif suffix == ".zst":
            target = stack.enter_context(zstandard.ZstdCompressor().stream_writer(raw, closefd=False))
        for line in export_frames(journal):
            target.write(line)
            written += 1
    return written


def _journal_of(path: Path) -> Path:
    inner = path / _JOURNAL
    return inner if inner.is_dir() else path


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
