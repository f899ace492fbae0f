"""What waiting for a snapshot needs: the updates kept meanwhile, and when to ask again."""

from __future__ import annotations

from collections import deque

from pipeline.core.inputs import DepthUpdate
from pipeline.core.params import MS, SECOND

MAX_UPDATES = 512
MAX_LEVELS = 32_768

_TOO_OLD_NS = 100 * MS
_UNANSWERED_NS = 5 * SECOND
_LONGEST_NS = 60 * SECOND
_MOST_DOUBLINGS = 10


class UpdateBuffer:
    """Updates in order of arrival, bounded by their number and by their levels together.

    Beyond a bound the oldest is dropped and counted in `overflowed`; the newest is always kept.
    """

    __slots__ = ("_levels", "_updates", "overflowed")

    def __init__(self) -> None:
        self._updates: deque[DepthUpdate] = deque()
        self._levels = 0
        self.overflowed = 0

    def __len__(self) -> int:
        return len(self._updates)

    def keep(self, update: DepthUpdate) -> None:
        """Append one update."""
        self._updates.append(update)
        self._levels += len(update.bids) + len(update.asks)
        while len(self._updates) > MAX_UPDATES or (self._levels > MAX_LEVELS and len(self._updates) > 1):
            oldest = self._updates.popleft()
            self._levels -= len(oldest.bids) + len(oldest.asks)
            self.overflowed += 1

    def take_all(self) -> tuple[DepthUpdate, ...]:
        """Give what is kept, oldest first, and forget it."""
        updates = tuple(self._updates)
        self._updates.clear()
        self._levels = 0
        return updates


class RetryClock:
    """When to ask for a snapshot again; each wait is twice the one before, 60 s at most.

    A snapshot that came but was too old is asked for after 100 ms, one that never came after 5 s.
    """

    __slots__ = ("_due_ns", "_too_old", "_unanswered")

    def __init__(self) -> None:
        self._due_ns = 0
        self._too_old = self._unanswered = 0

    def reset(self) -> None:
        """Forget earlier failures: the book is synchronised."""
        self._too_old = self._unanswered = 0

    def requested(self, ts_ns: int) -> None:
        """Take note that a snapshot is being requested now."""
        self._due_ns = ts_ns + min(_UNANSWERED_NS << self._unanswered, _LONGEST_NS)
        self._unanswered = min(self._unanswered + 1, _MOST_DOUBLINGS)

    def was_too_old(self, ts_ns: int) -> None:
        """Take note that the answer could not be joined to the updates."""
        self._due_ns = ts_ns + min(_TOO_OLD_NS << self._too_old, _LONGEST_NS)
        self._too_old = min(self._too_old + 1, _MOST_DOUBLINGS)
        self._unanswered = 0

    def is_due(self, ts_ns: int) -> bool:
        """Say whether to ask again now."""
        return ts_ns >= self._due_ns
