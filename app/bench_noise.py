"""What the machine does to any program while something is measured: its load, how late it wakes a thread."""

from __future__ import annotations

import os
import threading
import time

from app.bench_tools import percentile

PAUSE_S = 0.005
MOST = 200_000
"""Wakes remembered: a quarter of an hour and more."""


class MachineNoise(threading.Thread):
    """Sleeps for 5 ms again and again and notes how late it was woken; use as a context."""

    def __init__(self) -> None:
        super().__init__(daemon=True, name="lobdeck-bench-noise")
        self._done = threading.Event()
        self._late_ms: list[float] = []

    def __enter__(self) -> MachineNoise:
        """Begin."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; `text` says what was seen."""
        self._done.set()
        self.join()

    def run(self) -> None:
        """Sleep and look at the clock."""
        while not self._done.is_set() and len(self._late_ms) < MOST:
            before_s = time.perf_counter()
            time.sleep(PAUSE_S)
            self._late_ms.append(max(0.0, time.perf_counter() - before_s - PAUSE_S) * 1e3)

    def text(self) -> str:
        """Give the load average of the last minute and the lateness, p50 and p99, in ms."""
        load = f"load {os.getloadavg()[0]:.1f}"
        if not self._late_ms:
            return load
        p50, p99 = (percentile(self._late_ms, share) for share in (0.5, 0.99))
        return f"{load}, wakes {p50:.1f}/{p99:.1f} ms late"
