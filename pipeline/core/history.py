"""Paths for the charts: fixed rings of one value each 250 ms, written by the engine's beat.

`PathRing` is an `array` of fixed length and a write index; reading gives the whole minute, oldest first.
"""

from __future__ import annotations

from array import array
from collections import deque

POINT_NS = 250_000_000
POINTS = 240
"""One minute of points."""

NO_SCORE_E6 = 1 << 52
"""What a score path holds where there was no score."""


class PathRing:
    """The last `POINTS` values of something, one a quarter of a second."""

    __slots__ = ("_at", "_missing", "_values", "written")

    def __init__(self, missing: int) -> None:
        self._values = array("q", [missing] * POINTS)
        self._missing = missing
        self._at = 0
        self.written = 0

    def push(self, value: int) -> None:
        """Write the next point over the oldest."""
        self._values[self._at] = value
        self._at = (self._at + 1) % POINTS
        self.written += 1

    def push_missing(self) -> None:
        """Write a point that says there was nothing."""
        self.push(self._missing)

    def oldest_first(self) -> tuple[int, ...]:
        """Give all points, oldest first."""
        return (*self._values[self._at :], *self._values[: self._at])


class MidRange:
    """High and low of the mid over ten seconds, from the quarter-second points."""

    WINDOW_POINTS = 40

    def __init__(self) -> None:
        self._points: deque[int] = deque(maxlen=self.WINDOW_POINTS)

    def push(self, mid_half_ticks: int) -> None:
        """Add a point; 0 (no ok book) is left out."""
        if mid_half_ticks > 0:
            self._points.append(mid_half_ticks)

    @property
    def range_ticks(self) -> int:
        """Give high minus low in ticks, rounded up; 0 without points."""
        if not self._points:
            return 0
        return (max(self._points) - min(self._points) + 1) // 2
