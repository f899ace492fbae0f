"""Keeping all journals together below a size: the oldest ones of sessions that have ended go first.

A journal goes whole or not at all, because a chain without its beginning proves nothing. The newest
journals of an account stay whatever they take: the next session on that account starts from their books.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from pipeline.runtime.journal_format import JournalError
from pipeline.runtime.journal_reader import read_journal
from pipeline.runtime.locks import hold_if_free
from pipeline.runtime.places import PlacesError, SessionPlace, list_sessions

GB = 1_000_000_000
KEPT_OF_ACCOUNT = 3
"""The newest session of an account may have died before it knew the account: then the one before tells."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a pass of retention did."""

    removed: tuple[str, ...]
    """Names of the sessions whose journals were removed, oldest first."""
    freed_bytes: int
    kept_bytes: int
    """Disk space all journals still take; above the limit when only open sessions are left."""


def prune_journals(max_bytes: int) -> Pruned:
    """Remove journals of ended sessions, oldest first, until all together take at most `max_bytes` of disk.

    A session that runs is never touched: its journal is only removed while its lock is ours. Nor are the
    newest journals of an account that orders were sent for.

    Raises:
        PlacesError: when the state directory is refused.
    """
    journals = []
    for entry in list_sessions():
        if not entry.trouble:
            size, newest_ns = _measure(entry.place.journal_dir)
            journals.append((newest_ns, entry.place.name, size, entry.place))
    total = sum(size for _, _, size, _ in journals)
    removed, freed = [], 0
    journals.sort(key=lambda journal: journal[:2])
    kept = _books_of_accounts([place for _, _, _, place in journals]) if total > max_bytes else set()
    for _, name, size, place in journals:
        if total - freed <= max_bytes:
            break
        if size and name not in kept and _remove(place):
            removed.append(name)
            freed += size
    return Pruned(tuple(removed), freed, total - freed)


class Retention:
    """Prunes beside a session, in threads that are in nobody's way; what was removed goes to the log."""

    def __init__(self, max_gb: int) -> None:
        self._max_bytes = max_gb * GB

    def start(self) -> None:
        """Prune once, in a thread of its own."""
        if self._max_bytes:
            threading.Thread(target=self.prune, name="journal-retention", daemon=True).start()

    def prune(self) -> None:
        """Prune now, in the calling thread; trouble is a line in the log and no more."""
        if not self._max_bytes:
            return
        try:
            pruned = prune_journals(self._max_bytes)
        except (OSError, PlacesError) as problem:
            sys.stderr.write(f"lobdeck: journals were not pruned: {problem}\n")
            return
        if pruned.removed:
            freed, names = pruned.freed_bytes / GB, ", ".join(pruned.removed)
            sys.stderr.write(f"lobdeck: removed the journals of {names} ({freed:.1f} GB): journal.max_gb\n")


def _books_of_accounts(places: list[SessionPlace]) -> set[str]:
    """Name the sessions whose journals are the newest of an account; `places` oldest first."""
    sessions: dict[tuple[str, str], list[str]] = {}
    for place in places:
        with contextlib.suppress(JournalError):
            notes = read_journal(place.journal_dir)[0].notes
            if "account" in notes:
                sessions.setdefault((notes["account"], notes.get("orders_url", "")), []).append(place.name)
    return {name for names in sessions.values() for name in names[-KEPT_OF_ACCOUNT:]}


def _measure(directory: Path) -> tuple[int, int]:
    """Give the disk space of a journal in bytes and its newest change in ns."""
    size = newest_ns = 0
    try:
        for path in directory.iterdir():
            status = path.lstat()
            size += status.st_blocks * 512
            newest_ns = max(newest_ns, status.st_mtime_ns)
    except FileNotFoundError:
        return 0, 0
    return size, newest_ns


def _remove(place: SessionPlace) -> bool:
    lock = hold_if_free(place.lock)
    if lock is None:
        return False
    with lock:
        shutil.rmtree(place.journal_dir, ignore_errors=True)
        place.journal_dir.mkdir(mode=0o700, exist_ok=True)
    return True
