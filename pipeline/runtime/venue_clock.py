"""How far the venue's clock is ahead of ours, from questions for its time. Pure.

Of the newest answers the quickest is believed: its time on the way, and with it the error, was the least.
"""

from __future__ import annotations

from collections import deque

from pipeline.core.params import MS

_KEPT = 8
_HALF_MS_NS = MS // 2


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
        """Give the time a request is stamped with."""
        return self.venue_ns(now_ns) // MS
