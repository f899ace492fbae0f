"""What an input did to a synchronised book: the answers of `sync.SyncedBook`, one shared value each."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class SyncEvent(enum.Enum):
    """What one input did to the book."""

    BUFFERED = enum.auto()
    """Kept until a snapshot comes."""
    LOADED = enum.auto()
    """A snapshot is in; the bridging update is not."""
    SYNCED = enum.auto()
    """The book became believable through a snapshot."""
    REPLACED = enum.auto()
    """A believed book ended and another began with the same input: the venue started its stream anew."""
    APPLIED = enum.auto()
    RECOVERED = enum.auto()
    """Applied, and the book is no longer CROSSED or STALE."""
    CROSSED = enum.auto()
    """The book has become, or still is, CROSSED."""
    GAP = enum.auto()
    """The update does not join the one before."""
    TOO_OLD = enum.auto()
    """The snapshot ends before the buffered updates begin; asked for again after a pause."""
    STALE = enum.auto()
    RESYNC = enum.auto()
    """A new snapshot is wanted: a new connection, crossed for too long, or no answer yet."""
    IGNORED = enum.auto()
    """Old, repeated, of an older connection, or a snapshot nobody needs."""
    NOTHING = enum.auto()
    """A beat at which nothing was due."""


@dataclass(frozen=True, slots=True)
class SyncStep:
    """What happened, whether the levels changed, and why a snapshot must be requested ("" = it need not)."""

    event: SyncEvent
    book_changed: bool = False
    snapshot_reason: str = ""


BUFFERED = SyncStep(SyncEvent.BUFFERED)
FIRST = SyncStep(SyncEvent.BUFFERED, snapshot_reason="start")
LOADED = SyncStep(SyncEvent.LOADED, book_changed=True)
SYNCED = SyncStep(SyncEvent.SYNCED, book_changed=True)
REPLACED = SyncStep(SyncEvent.REPLACED, book_changed=True)
APPLIED = SyncStep(SyncEvent.APPLIED, book_changed=True)
RECOVERED = SyncStep(SyncEvent.RECOVERED, book_changed=True)
CROSSED = SyncStep(SyncEvent.CROSSED, book_changed=True)
LOCKED_TOO_LONG = SyncStep(SyncEvent.CROSSED)
GAP = SyncStep(SyncEvent.GAP, snapshot_reason="gap")
TOO_OLD = SyncStep(SyncEvent.TOO_OLD)
STALE = SyncStep(SyncEvent.STALE)
NEW_EPOCH = SyncStep(SyncEvent.RESYNC, snapshot_reason="epoch")
CROSSED_TOO_LONG = SyncStep(SyncEvent.RESYNC, snapshot_reason="crossed")
RETRY = SyncStep(SyncEvent.RESYNC, snapshot_reason="retry")
IGNORED = SyncStep(SyncEvent.IGNORED)
NOTHING = SyncStep(SyncEvent.NOTHING)
