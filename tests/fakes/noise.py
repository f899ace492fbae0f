"""How late this machine wakes a thread by itself: the part of a measured delay that is nobody's fault."""

from __future__ import annotations

import threading
import time

PAUSE_S = 0.005


class Noise(threading.Thread):
    """Sleeps again and again and notes how late it was woken; use as a context."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._done = threading.Event()
        self.worst_s = 0.0

    def __enter__(self) -> Noise:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()

    def run(self) -> None:
        while not self._done.is_set():
            before_s = time.monotonic()
            time.sleep(PAUSE_S)
            self.worst_s = max(self.worst_s, time.monotonic() - before_s - PAUSE_S)
