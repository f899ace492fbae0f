"""Bridging a connection by a new one: every event passes once, and none is missed.

Theory of operation. Venues cut connections at 24 h. Before that a second one is opened, and for a few
seconds both deliver the same channels, each complete in itself, neither in step with the other. A channel
belongs to the old connection until the new one is known to go on exactly where the channel stands: the new
one has delivered an event the old one delivered last, or the very next one. Then the channel is the new
connection's and whatever the old one still brings of it is dropped. The route closes the old connection
when every channel has moved.

What the new connection delivers ahead of the old is dropped as well, for the old one will deliver it; its
newest id is remembered, because the old one reaching it proves the same thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.core.params import SECOND
from pipeline.wire.binance_ids import FrameIds, frame_ids

QUIET_NS = 3 * SECOND
"""A channel on which neither connection delivered anything for so long has nothing to be missed."""


@dataclass(slots=True, eq=False)
class _Passage:
    """One channel's way from the old connection to the new."""

    last: int | None
    ahead: int | None = None
    met: bool = False
    """The new connection has delivered something no newer than where the channel stands."""
    heard: bool = False
    moved: bool = False


class Handover:
    """The de-duplicator of two connections of one route."""

    def __init__(self, newest: Mapping[bytes, bytes], began_ns: int) -> None:
        """Begin where the old connection stands: its newest message by channel, empty for none."""
        self.began_ns = began_ns
        self.dropped = 0
        self._passages = {stream: _Passage(_last_id(frame)) for stream, frame in newest.items()}

    def admits(self, stream: bytes, frame: bytes, *, rising: bool) -> bool:
        """Say whether a message passes; `rising` means that the new connection brought it."""
        passage = self._passages.get(stream)
        ids = frame_ids(frame) if passage is not None else None
        if passage is None or ids is None:
            # Not an event of a channel: the old connection's word counts, once.
            return not rising
        passage.heard = True
        passes = self._rising(passage, ids) if rising else self._falling(passage, ids)
        self.dropped += not passes
        return passes

    def has_moved(self, stream: bytes) -> bool:
        """Say whether a channel is the new connection's."""
        passage = self._passages.get(stream)
        return passage is not None and passage.moved

    def is_settled(self, now_ns: int) -> bool:
        """Say whether the old connection can be closed without missing anything."""
        quiet_is_known = now_ns - self.began_ns >= QUIET_NS
        return all(
            passage.moved or (quiet_is_known and not passage.heard) for passage in self._passages.values()
        )

    @staticmethod
    def _falling(passage: _Passage, ids: FrameIds) -> bool:
        if passage.moved:
            return False
        if passage.last is None or ids.last > passage.last:
            passage.last = ids.last
        passage.moved = passage.last == passage.ahead
        return True

    @staticmethod
    def _rising(passage: _Passage, ids: FrameIds) -> bool:
        last = passage.last
        if passage.moved:
            return True
        if last is not None and ids.last <= last:
            passage.met = True
            passage.moved = ids.last == last
            return False
        joins = last is None or ids.after == last or (ids.after < last and not ids.chained)
        if joins or (passage.met and not ids.chained):
            passage.moved = True
            passage.last = ids.last
            return True
        passage.ahead = ids.last
        return False


def _last_id(frame: bytes) -> int | None:
    ids = frame_ids(frame) if frame else None
    return None if ids is None else ids.last
