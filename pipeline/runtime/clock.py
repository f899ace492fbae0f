"""The session's clock for live data: wall time that never steps and never repeats.

It starts at the system's wall clock and goes on with the monotonic one, so that an NTP step, which would
age every book or make it young again, cannot reach the engine. How far the wall clock has moved away since
is `drift_ns`. No two stamps are equal: a row decided one nanosecond after an event comes before the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Nanoseconds."""


class SessionClock:
    """Gives strictly rising nanoseconds since the epoch; one owner, one thread."""

    def __init__(self, wall: Clock = time.time_ns, steady: Clock = time.monotonic_ns) -> None:
        self._wall = wall
        self._steady = steady
        self._offset_ns = wall() - steady()
        self._newest_ns = 0

    def now_ns(self) -> int:
        """Give the time, at least 2 ns after the one given before."""
        now_ns = self._steady() + self._offset_ns
        if now_ns < self._newest_ns + 2:
            now_ns = self._newest_ns + 2
        self._newest_ns = now_ns
        return now_ns

    def reserve(self, count: int) -> int:
        """Set aside stamps for `count` events read at once; give the time 2 ns before the first of them."""
        first_ns = self.now_ns()
        self._newest_ns = first_ns + 2 * count
        return first_ns

    def drift_ns(self) -> int:
        """Give how far the wall clock is ahead of this one; a step of it shows here."""
        return self._wall() - self._steady() - self._offset_ns
