"""Which journal has the books of an account: the newest run of a session of it that knew the account.

Sessions say in their journal's header whose orders they sent and where. Sessions with an exchange of their
own are no account's: nothing outlives them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.earlier import BooksCarried
from pipeline.runtime.earlier_books import BooksFold
from pipeline.runtime.journal_format import JournalError, JournalHeader
from pipeline.runtime.journal_reader import read_journal
from pipeline.runtime.journal_scan import segment_files
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
    fold = BooksFold(run.header.session, run.header.params.instruments)
    try:
        _, records = read_journal(run.directory, run.number)
        for record in records:
            fold.take(record)
    except JournalError as problem:
        return fold.books(now_ns, trouble=str(problem))
    torn = records.torn
    if torn is None:
        return fold.books(now_ns)
    # It may be the last record of a process that died in it, or orders after damage: nobody can tell.
    where = f"{Path(torn.path).name} of {run.header.session}"
    return fold.books(now_ns, f"{where}: {torn.size} bytes from {torn.offset} on are damaged ({torn.damage})")


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
