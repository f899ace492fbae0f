"""What a journal's writer says of itself, and what an order waits for."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class SyncPolicy(enum.StrEnum):
    """What an order waits for."""

    ORDER = "ORDER"
    """Its record is on the disk before it is sent; each barrier asks for a sync at once."""
    GROUPED = "GROUPED"
    """Nothing: records reach the disk at the next interval."""


class JournalState(enum.StrEnum):
    """May orders be sent on the strength of this journal?"""

    OK = "OK"
    LOW = "LOW"
    """The disk has no room for the next segment. Still recording: no new orders, cancels go on."""
    FAILED = "FAILED"
    """Records are being lost or cannot be made durable; lasts until the session ends."""


@dataclass(frozen=True, slots=True)
class JournalStats:
    """Counters for the health panel; times in ns over the last 512 syncs."""

    state: JournalState
    reason: str
    appended: int
    lost: int
    """Records that could not be appended."""
    payload_bytes: int
    segments: int
    syncs: int
    sync_p50_ns: int
    sync_p99_ns: int
    sync_max_ns: int
    made_inline: int
    """Times an append waited for a segment that was not ready."""
    unpacked: int
    """Full segments that could not be packed."""
