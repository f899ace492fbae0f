"""Which journal has the books of an account: the newest run of a session of it that knew the account.

Sessions say in their journal's header whose orders they sent and where. Sessions with an exchange of their
own are no account's: nothing outlives them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.earlier import BooksCarried
from pipeline.runtime.earlier_books import KEPT_TAG, BooksFold, input_tag, is_for_books
from pipeline.runtime.journal_format import (
    FIRST_NUMBERED_KIND,
    JournalError,
    JournalHeader,
    Record,
    RecordKind,
)
from pipeline.runtime.journal_reader import read_journal
from pipeline.runtime.journal_scan import SegmentFile, open_segment, segment_files
from pipeline.runtime.places import list_sessions
from pipeline.runtime.venue_params import VenueParams


@dataclass(frozen=True, slots=True)
class JournalledRun:
    """One run of a session that knew the account."""

    directory: Path
    number: int
    header: JournalHeader


def account_notes(orders: VenueParams) -> dict[str, str]:
    """Give what a journal's header says of the account its session trades."""
    return {"account": orders.account, "orders_url": orders.api_url}


def earlier_books(orders: VenueParams, now_ns: int) -> BooksCarried | None:
    """Give the books the account's last session left; None for an account no session here ever knew.

    A journal that cannot be read to its end gives books with `trouble`, never a guess.

    Raises:
        PlacesError: the state directory is refused.
    """
    for run in sorted(runs_of(account_notes(orders)), key=lambda one: -one.header.created_ns):
        books = _books_of(run, now_ns)
        if books is not None:
            return books
    return None


def _books_of(run: JournalledRun, now_ns: int) -> BooksCarried | None:
    """Fold the end of a run, from the newest books it put on record; all of it where it never did."""
    fold = BooksFold(run.header.session, run.header.params.instruments)
    files = [file for file in segment_files(run.directory) if file.run == run.number]
    records: list[Record] = []
    trouble = ""
    try:
        for file in reversed(files):
            part, damage = _part(file)
            records, trouble = part + records, trouble or damage
            if any(_is_kept(record) for record in part):
                break
        newest = max((at for at, record in enumerate(records) if _is_kept(record)), default=0)
        for record in records[newest:]:
            fold.take(record)
    except JournalError as problem:
        trouble = str(problem)
    return fold.books(now_ns, f"{run.header.session}: {trouble}" if trouble else "")


def _part(file: SegmentFile) -> tuple[list[Record], str]:
    """Give what of a segment says something of the books, and what is wrong with it.

    Raises:
        JournalError: it cannot be read.
    """
    kept: list[Record] = []
    with open_segment(file) as reader:
        if reader.header is None:
            return [], ""
        sequence = reader.header.first_sequence - 1
        for record, _ in reader:
            if record.kind >= FIRST_NUMBERED_KIND:
                sequence += 1
                if record.sequence != sequence:
                    return kept, f"{file.path.name}: record {sequence} is missing"
                if is_for_books(record):
                    kept.append(record)
    if not reader.torn_bytes:
        return kept, ""
    # It may be the last record of a process that died in it, or orders after damage: nobody can tell.
    where = f"{reader.torn_bytes} bytes from {reader.offset} on"
    return kept, f"{file.path.name}: {where} are damaged ({reader.damage})"


def _is_kept(record: Record) -> bool:
    return record.kind == RecordKind.INPUT and input_tag(record.payload) == KEPT_TAG


def runs_of(notes: dict[str, str]) -> Iterator[JournalledRun]:
    """Give every run of the account; a journal whose header cannot be read names no account."""
    for entry in list_sessions():
        directory = entry.place.journal_dir
        if entry.trouble or not directory.is_dir():
            continue
        for number in sorted({file.run for file in segment_files(directory)}):
            try:
                header, _ = read_journal(directory, number)
            except JournalError:
                continue
            if notes.items() <= header.notes.items():
                yield JournalledRun(directory, number, header)
