"""Ids seen lately: which events of a feed are repeats."""

from __future__ import annotations

_KEPT = 1_024


class SeenIds:
    """Remembers the newest ids of one channel; bounded, one writer."""

    __slots__ = ("_kept", "_seen")

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._seen: dict[int, None] = {}

    def is_new(self, event_id: int) -> bool:
        """Say whether an id has not been seen among the newest, and remember it.

        Ids may come in any order: an event that was overtaken is no repeat.
        """
        seen = self._seen
        if event_id in seen:
            return False
        if len(seen) == self._kept:
            del seen[next(iter(seen))]
        seen[event_id] = None
        return True
