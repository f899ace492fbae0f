"""Bridging a connection by a new one: every event passes once, in order, and none is missed.

Theory of operation. Venues cut connections at 24 h. Before that a second one is opened, and for a few
seconds both deliver the same channels, each complete in itself, neither in step with the other: one server
of the venue may be steadily behind another. A channel stands at the newest event that passed. Whoever
brings the next one first is heard; what is not newer is a repeat. What the new connection brings ahead of
that is kept until the old one has filled the hole. A channel has *moved* when the new connection is known
to go on without a hole from where the channel stands: it has delivered that event, an older one, or the
next. The route closes the old connection when every channel has moved; what the new one then still brings
of the past is dropped, until it is level.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.core.params import SECOND
from pipeline.wire.binance_ids import FrameIds, frame_ids

QUIET_NS = 3 * SECOND
"""A channel on which neither connection delivered anything for so long has nothing to be missed."""
MOST_EARLY = 512
"""Messages of one channel kept ahead; the oldest goes, for the old connection will bring it."""
MOST_EARLY_BYTES = 4 << 20
"""The same for all channels together."""


@dataclass(slots=True, eq=False)
class _Passage:
    """One channel's way from the old connection to the new."""

    last: int | None
    early: deque[tuple[int, FrameIds, bytes]] = field(default_factory=deque)
    """Order of arrival, ids and message of what the new connection brought ahead."""
    heard: bool = False
    moved: bool = False
    level: bool = False
    """The new connection brought the newest event that passed: nothing older can follow."""

    def is_next(self, ids: FrameIds) -> bool:
        last = self.last
        if last is None:
            return True
        return ids.last > last and (ids.after == last if ids.chained else ids.after <= last)


class Handover:
    """The de-duplicator of two connections of one route, and then of the one that is left."""

    def __init__(self, newest: Mapping[bytes, bytes], began_ns: int) -> None:
        """Begin where the old connection stands: its newest message by channel, empty for none."""
        self.began_ns = began_ns
        self.dropped = 0
        self._alone = False
        self._arrived = 0
        self._early_bytes = 0
        self._passages = {stream: _Passage(_last_id(frame)) for stream, frame in newest.items()}

    def take(self, stream: bytes, frame: bytes, *, rising: bool) -> tuple[bytes, ...]:
        """Give what passes now that a message came; `rising` means that the new connection brought it."""
        passage = self._passages.get(stream)
        ids = frame_ids(frame) if passage is not None else None
        if passage is None or ids is None:
            # Not an event of a channel: the old connection's word counts, once.
            return () if rising and not self._alone else (frame,)
        passage.heard = True
        if rising:
            return self._rising(passage, ids, frame)
        return self._falling(passage, ids, frame)

    def has_moved(self, stream: bytes) -> bool:
        """Say whether the new connection goes on without a hole from where a channel stands."""
        passage = self._passages.get(stream)
        return passage is not None and passage.moved

    def is_settled(self, now_ns: int) -> bool:
        """Say whether the old connection can be closed without missing anything."""
        quiet_is_known = now_ns - self.began_ns >= QUIET_NS
        return all(
            passage.moved or (quiet_is_known and not passage.heard) for passage in self._passages.values()
        )

    def old_is_gone(self) -> list[bytes]:
        """Let the new connection be the only one; give what was kept of it, in the order it came."""
        self._alone = True
        kept: list[tuple[int, bytes]] = []
        for passage in self._passages.values():
            for arrived, ids, frame in passage.early:
                kept.append((arrived, frame))
                passage.last, passage.level = ids.last, True
            passage.early.clear()
        self._early_bytes = 0
        return [frame for _, frame in sorted(kept)]

    @property
    def is_over(self) -> bool:
        """Say whether nothing the remaining connection brings can have passed before."""
        return self._alone and all(one.level or not one.heard for one in self._passages.values())

    def _falling(self, passage: _Passage, ids: FrameIds, frame: bytes) -> tuple[bytes, ...]:
        is_repeat = passage.last is not None and ids.last <= passage.last
        if is_repeat or (passage.moved and not passage.is_next(ids)):
            self.dropped += 1
            return ()
        passage.last, passage.level = ids.last, False
        return (frame, *self._joining(passage))

    def _joining(self, passage: _Passage) -> list[bytes]:
        """Take from what was kept ahead what the old connection has now reached."""
        found: list[bytes] = []
        while passage.early and passage.last is not None:
            _, ids, frame = passage.early[0]
            is_next = passage.is_next(ids)
            if not is_next and ids.last > passage.last:
                break
            passage.early.popleft()
            self._early_bytes -= len(frame)
            passage.moved = True
            if is_next:
                passage.last = ids.last
                found.append(frame)
            else:
                self.dropped += 1
            passage.level = ids.last == passage.last
        return found

    def _rising(self, passage: _Passage, ids: FrameIds, frame: bytes) -> tuple[bytes, ...]:
        last = passage.last
        if last is not None and ids.last <= last:
            passage.moved, passage.level = True, ids.last == last
            self.dropped += 1
            return ()
        if self._alone or passage.is_next(ids):
            passage.last, passage.moved, passage.level = ids.last, True, True
            return (frame,)
        passage.moved = False
        self._keep(passage, ids, frame)
        return ()

    def _keep(self, passage: _Passage, ids: FrameIds, frame: bytes) -> None:
        self._arrived += 1
        passage.early.append((self._arrived, ids, frame))
        self._early_bytes += len(frame)
        while passage.early and (len(passage.early) > MOST_EARLY or self._early_bytes > MOST_EARLY_BYTES):
            self._early_bytes -= len(passage.early.popleft()[2])
            self.dropped += 1


def _last_id(frame: bytes) -> int | None:
    ids = frame_ids(frame) if frame else None
    return None if ids is None else ids.last
