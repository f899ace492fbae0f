"""What the day had come to when an earlier run ended, out of the last seconds of its journal.

Each second a session puts the day's result and its best on record (`HealthRead`); the newest of these is all
that is read, from the end of the journal backwards, so that a long journal costs no start. Where orders go to
an account, the newest run on that account counts, else the newest run of the same session.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pipeline.core.earlier import BooksCarried, DayCarried
from pipeline.core.inputs import HealthRead
from pipeline.runtime.earlier_books import input_tag
from pipeline.runtime.earlier_journals import account_notes, runs_of
from pipeline.runtime.journal_format import JournalError, Record, RecordKind
from pipeline.runtime.journal_scan import SegmentFile, open_segment, segment_files
from pipeline.runtime.spec import SessionSpec

DAY_NS = 86_400 * 10**9

_TAGS = (b"HealthRead", b"DayCarried")
_decode = msgspec.msgpack.Decoder(HealthRead | DayCarried).decode


def earlier_day(
    spec: SessionSpec, journal: Path, now_ns: int, books: BooksCarried | None
) -> DayCarried | None:
    """Give what the day had come to; None where no run of the day is known, or nothing had happened.

    The day of UTC ends at midnight, but not while a position of the earlier run is open.

    Raises:
        PlacesError: the state directory is refused.
    """
    for name, files in _runs(spec, journal):
        found = _at_end(files)
        if found is None:
            continue
        day_quote_e8, peak_quote_e8, ts_ns = found
        is_open = books is not None and any(one.lots for one in books.positions)
        if ts_ns // DAY_NS != now_ns // DAY_NS and not is_open:
            return None
        before = 0 if books is not None else day_quote_e8
        if not day_quote_e8 and not peak_quote_e8:
            return None
        return DayCarried(name, before, peak_quote_e8, now_ns)
    return None


def _runs(spec: SessionSpec, journal: Path) -> Iterator[tuple[str, list[SegmentFile]]]:
    """Give the session and segments of each run that counts, the newest first."""
    if spec.orders is not None:
        for run in sorted(runs_of(account_notes(spec.orders)), key=lambda one: -one.header.created_ns):
            files = segment_files(run.directory)
            yield run.header.session, [file for file in files if file.run == run.number]
    elif journal.is_dir():
        files = segment_files(journal)
        for number in sorted({file.run for file in files}, reverse=True):
            yield spec.name, [file for file in files if file.run == number]


def _at_end(files: list[SegmentFile]) -> tuple[int, int, int] | None:
    """Give (day, peak, time) of the newest word on the day in a run; None without one."""
    for file in reversed(files):
        newest: Record | None = None
        with contextlib.suppress(JournalError), open_segment(file) as records:
            for record, _ in records:
                if record.kind == RecordKind.INPUT and input_tag(record.payload) in _TAGS:
                    newest = record
        found = None if newest is None else _words(newest)
        if found is not None:
            return found
    return None


def _words(record: Record) -> tuple[int, int, int] | None:
    try:
        event = _decode(record.payload)
    except msgspec.MsgspecError:
        return None
    if isinstance(event, DayCarried):
        return event.before_quote_e8, event.peak_quote_e8, event.ts_ns
    return event.day_quote_e8, event.peak_quote_e8, event.ts_ns
