"""Keeping all journals together below a size: the oldest ones of sessions that have ended go first.

A journal goes whole or not at all, because a chain without its beginning proves nothing.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pipeline.runtime.locks import hold_if_free
from pipeline.runtime.places import SessionPlace, list_sessions

GB = 1_000_000_000


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

    A session that runs is never touched: its journal is only removed while its lock is ours.

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
    for _, name, size, place in sorted(journals, key=lambda journal: journal[:2]):
        if total - freed <= max_bytes:
            break
        if size and _remove(place):
            removed.append(name)
            freed += size
    return Pruned(tuple(removed), freed, total - freed)


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
