"""The thread behind a journal's writer: it syncs, prepares the next segment, and finishes full ones.

The writer never waits for it, but for one case: a segment that fills before the next one is ready.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue

from pipeline.runtime.journal_format import JournalError
from pipeline.runtime.journal_segment import Segment

RETRY_S = 1.0
"""How long a full disk is left alone before the next segment is tried again."""

_SYNCS_REMEMBERED = 512


class Keeper:
    """Owns every segment but the stores into the current one.

    `progress` gives the newest sequence number stored; it is read before a sync and is durable after it.
    """

    def __init__(
        self,
        first: Segment,
        prepare: Callable[[int], Segment],
        progress: Callable[[], int],
        interval_s: float,
        finished: Callable[[Path], None],
    ) -> None:
        """Start the thread; `prepare` makes the segment of an index, `finished` gets each full one's path."""
        self.durable = -1
        """Newest sequence number known to be on the disk."""
        self.failure = ""
        """Why the journal can no longer be trusted; empty while it can."""
        self.shortage = ""
        """Why the next segment could not be prepared; empty when it is there."""
        self.syncs = 0
        self.made_inline = 0
        """Segments the writer had to wait for."""
        self.sync_ns: deque[int] = deque(maxlen=_SYNCS_REMEMBERED)
        self.notice = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._current = first
        self._next: Segment | None = None
        self._retired: deque[Segment] = deque()
        self._prepare = prepare
        self._prepare_lock = threading.Lock()
        self._retry_at_s = 0.0
        self._progress = progress
        self._interval_s = interval_s
        self._finished = finished
        self._wakes: SimpleQueue[bool] = SimpleQueue()
        self._synced_to = -1
        self._thread = threading.Thread(target=self._run, name="journal-sync", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Ask for a sync now; never waits."""
        self._wakes.put(True)

    def next_segment(self) -> Segment | None:
        """Give the segment to go on in, None when there is no space for one.

        Waits only where it is not ready yet. `switch` to it once the current one is ended.
        """
        with self._prepare_lock:
            if self._next is None:
                self.made_inline += 1
                self._try_prepare()
            return self._next

    def switch(self, segment: Segment) -> None:
        """Make `segment` the current one; the thread finishes the one before."""
        with self._prepare_lock:
            self._next = None
            self._retired.append(self._current)
            self._current = segment
        self.wake()

    def stop(self) -> None:
        """Sync, finish the current segment, remove the one prepared, end the thread."""
        self._wakes.put(False)
        self._thread.join()
        os.close(self.notice)

    def _run(self) -> None:
        going_on = True
        while going_on:
            self._prepare_ahead()
            going_on = self._next_wake()
            self._sync()
        self._retired.append(self._current)
        self._finish_retired()
        if self._next is not None:
            self._next.drop()
            with contextlib.suppress(OSError):
                self._next.path.unlink()

    def _next_wake(self) -> bool:
        """Wait for a wake or the interval; False when it is time to stop."""
        try:
            going_on = self._wakes.get(timeout=self._interval_s)
            while going_on:
                going_on = self._wakes.get_nowait()
        except Empty:
            return True
        return False

    def _sync(self) -> None:
        # The order matters: what `progress` counts is in `current`, or in a segment retired before that.
        sequence = self._progress()
        current = self._current
        self._finish_retired()
        if sequence == self._synced_to or self.failure:
            return
        started_ns = time.perf_counter_ns()
        try:
            if not current.finished:
                current.sync()
        except OSError as problem:
            self._fail(f"cannot sync {current.path}: {problem.strerror}")
        else:
            self.sync_ns.append(time.perf_counter_ns() - started_ns)
            self.syncs += 1
            self._synced_to = self.durable = sequence
            self._notify()

    def _finish_retired(self) -> None:
        while self._retired:
            segment = self._retired.popleft()
            try:
                segment.finish()
            except OSError as problem:
                self._fail(f"cannot finish {segment.path}: {problem.strerror}")
            else:
                self._finished(segment.path)

    def _prepare_ahead(self) -> None:
        with self._prepare_lock:
            if self._next is None and time.monotonic() >= self._retry_at_s:
                self._try_prepare()

    def _try_prepare(self) -> None:
        try:
            self._next = self._prepare(self._current.index + 1)
        except JournalError as problem:
            self.shortage = str(problem)
            self._retry_at_s = time.monotonic() + RETRY_S
        else:
            self.shortage = ""

    def _fail(self, text: str) -> None:
        # A failed sync is never tried again: the kernel forgets the pages it could not write.
        self.failure = self.failure or text
        self._notify()

    def _notify(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_write(self.notice, 1)
