"""Writes to the terminal without ever making the app wait.

Textual's own writer queues thirty writes and then blocks the app's event loop for as long as the terminal
does not read. This one holds a bounded number of bytes; when a stalled link fills it, further pictures are
dropped, and once the terminal has taken what was queued the app is asked to repaint everything.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable

QUEUE_BYTES = 256 * 1024
CHUNK_BYTES = 4096
STALL_S = 1.0
"""A write that took longer counts as a display gap, even where nothing had to be dropped."""
SYNC_END = b"\x1b[?2026l"
"""Ends a synchronised update that may have been cut."""


class FrameWriter(threading.Thread):
    """A daemon thread that owns the writing end of the terminal."""

    def __init__(
        self, fileno: int, on_drained: Callable[[bool], None], on_lost: Callable[[str], None]
    ) -> None:
        """Write to `fileno`; `on_drained` is told after a stall, with whether anything was dropped in it."""
        super().__init__(daemon=True, name="lobdeck-output")
        self._fileno = fileno
        self._on_drained = on_drained
        self._on_lost = on_lost
        self._wake = threading.Condition()
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._behind = False
        self._stopping = False
        self._writing_since_s = 0.0
        self._stood_still = False
        self.bytes_queued = 0
        """All bytes ever taken by `put`, those thrown away again included."""
        self.bytes_written = 0
        self.dropped = 0

    def put(self, text: str) -> None:
        """Queue text, or drop it while the terminal is behind; never waits for the terminal."""
        data = text.encode("utf-8", "replace")
        with self._wake:
            if self._behind or self._queued + len(data) > QUEUE_BYTES:
                self._behind = True
                self.dropped += 1
                return
            self._queue.append(data)
            self._queued += len(data)
            self.bytes_queued += len(data)
            self._wake.notify()

    def make_room(self) -> None:
        """Throw away what is queued, so that the sequences that give the terminal back find room."""
        with self._wake:
            self._queued -= sum(len(data) for data in self._queue)
            self._queue.clear()
            self._behind = False

    @property
    def stalled_s(self) -> float:
        """Give for how long the current write has not come back; 0 when none is under way."""
        since_s = self._writing_since_s
        return time.monotonic() - since_s if since_s else 0.0

    @property
    def is_busy(self) -> bool:
        """Say whether the terminal has not taken everything yet: a new picture would only wait behind it."""
        return self._queued > 0

    @property
    def is_behind(self) -> bool:
        """Say whether pictures are being dropped."""
        return self._behind

    def run(self) -> None:
        """Write what is queued until stopped or the terminal is gone."""
        try:
            while (data := self._take()) is not None:
                for start in range(0, len(data), CHUNK_BYTES):
                    self._write(data[start : start + CHUNK_BYTES])
                self._caught_up(len(data))
        except OSError as problem:
            self._on_lost(f"terminal output: {problem.strerror}")

    def stop(self, timeout_s: float) -> bool:
        """Write the rest and end; False if the terminal did not take it in time (the thread is left)."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self.join(timeout_s)
        return not self.is_alive()

    def _take(self) -> bytes | None:
        with self._wake:
            while not self._queue and not self._stopping:
                self._wake.wait()
            if not self._queue:
                return None
            return self._queue.popleft()

    def _write(self, data: bytes) -> None:
        self._writing_since_s = time.monotonic()
        view = memoryview(data)
        while view:
            written = os.write(self._fileno, view)
            view = view[written:]
            self.bytes_written += written
        self._stood_still = self._stood_still or self.stalled_s > STALL_S
        self._writing_since_s = 0.0

    def _caught_up(self, taken: int) -> None:
        with self._wake:
            self._queued -= taken
            drained = (self._behind or self._stood_still) and not self._queue
            dropped = self._behind
            if drained:
                self._behind = self._stood_still = False
        if drained and dropped:
            self._write(SYNC_END)
        if drained:
            self._on_drained(dropped)
