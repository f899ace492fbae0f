"""How far the venue's clock is ahead of ours, from questions for its time. Pure.

Of the newest answers the quickest is believed: its time on the way, and with it the error, was the least. The
middle of its way is the best guess; on a line that is slower one way it is off by up to half a round trip.

A request is stamped with the earliest time the venue's clock can show, not with the guess. A stamp that is
ahead would let the venue take the request for longer than recvWindow after it was sent, and NO ORDERS LEFT
rests on that bound; one that is behind only makes a late request refused sooner.
"""

from __future__ import annotations

from collections import deque

from pipeline.core.params import MS

_KEPT = 8
_HALF_MS_NS = MS // 2
_MOST_CAUTION_NS = 250 * MS
"""On a line slower than twice this a stamp may be ahead by the rest: else few requests would be in time."""


class VenueClock:
    """Turns session time into venue time; both in nanoseconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, int]] = deque(maxlen=_KEPT)
        self.offset_ns = 0
        self.round_trip_ns = -1
        """Of the answer that is believed; -1 before any."""

    def answered(self, server_ms: int, sent_ns: int, received_ns: int) -> None:
        """Take the answer to a question for the time; the venue prints whole milliseconds."""
        middle_ns = (sent_ns + received_ns) // 2
        self._samples.append((received_ns - sent_ns, server_ms * MS + _HALF_MS_NS - middle_ns))
        self.round_trip_ns, self.offset_ns = min(self._samples)

    def forget(self) -> None:
        """Distrust what was measured: a clock was set, or the venue called our time wrong."""
        self._samples.clear()

    def venue_ns(self, now_ns: int) -> int:
        """Give the venue's time."""
        return now_ns + self.offset_ns

    def timestamp_ms(self, now_ns: int) -> int:
        """Give the time a request is stamped with; not ahead of the venue's on a line of half a second."""
        if self.round_trip_ns < 0:
            return now_ns // MS
        caution_ns = min(self.round_trip_ns // 2 + _HALF_MS_NS, _MOST_CAUTION_NS)
        return (self.venue_ns(now_ns) - caution_ns) // MS
