"""An inference worker: one process, one thread that serves, rows in from a ring, answers out to another.

Started by `workers.py` with the file descriptors named in its configuration. It loads its models with every
check of the loader, or says why not and ends; later ones are loaded beside them (`model_shelf.py`). A row
names the generation that is to answer it, and the answer the one that did. A worker dies with the session,
writes no core, opens no socket and has no keys in its environment. After a row it looks for the next one for
a moment before it sleeps, but only while rows come that fast and another processor is free for the session.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import select
import signal
import sys
from pathlib import Path
from time import monotonic_ns

import msgspec

from pipeline.core.latency import LatencyHistogram
from pipeline.models.refusal import ModelRefused
from pipeline.models.running import InvalidAnswer
from pipeline.runtime.model_shelf import ModelShelf
from pipeline.runtime.rings import RESULT, ROW_AT, TICKET
from pipeline.runtime.worker_memory import Phase, Word, WorkerConfig, WorkerMemory

EXIT_REFUSED = 3
EXIT_FAILED = 4

BEAT_S = 0.1
"""A worker without work wakes this often to show that it is alive."""

_NUMBERS_EVERY = 512
_ORDERS_EVERY = 64
"""Rows after which a worker that never sleeps looks for orders."""
_RSS_EVERY_NS = 1_000_000_000
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run one worker until the session stops it; the only argument is its `WorkerConfig` as JSON."""
    config = msgspec.json.decode(sys.argv[1], type=WorkerConfig)
    _confine(config)
    memory = WorkerMemory.attach(config.memory_fd)
    memory.put(Word.PID, os.getpid())
    try:
        shelf = ModelShelf(config.order_fd, config.report_fd, config.wake_fd)
        for order in config.models:
            shelf.load_now(order)
        memory.put(Word.LOAD_NS, shelf.load_ns)
        _Worker(memory, shelf, config).serve()
    except ModelRefused as refused:
        memory.say(Phase.REFUSED, str(refused))
        os.eventfd_write(config.done_fd, 1)
        return EXIT_REFUSED
    except Exception as error:
        memory.say(Phase.FAILED, f"{type(error).__name__}: {error}")
        os.eventfd_write(config.done_fd, 1)
        raise
    return 0


def _confine(config: WorkerConfig) -> None:
    """Tie this process's life to the session's, and bound what it can leave behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != config.parent_pid:
        sys.exit(EXIT_FAILED)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if config.log_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (config.log_bytes, config.log_bytes))


class _Worker:
    """The loop and its numbers."""

    def __init__(self, memory: WorkerMemory, shelf: ModelShelf, config: WorkerConfig) -> None:
        self._memory = memory
        self._shelf = shelf
        self._held = shelf.held
        self._publish = memory.results.push
        self._done_fd = config.done_fd
        self._spin_ns = config.spin_ns if len(os.sched_getaffinity(0)) > 1 else 0
        # Edge-triggered: each write wakes once, and nobody has to read the eventfd back.
        self._wakes = select.epoll()
        self._wakes.register(config.wake_fd, select.EPOLLIN | select.EPOLLET)
        self._order_fd = config.order_fd
        self._wakes.register(config.order_fd, select.EPOLLIN | select.EPOLLET)
        self._times = LatencyHistogram()
        self._beats = 0
        self._served = 0
        self._invalid = 0
        self._rss_ns = 0

    def serve(self) -> None:
        """Answer rows until the session asks for the end."""
        memory, take = self._memory, self._memory.requests.pop
        self._beat()
        gc.collect()
        gc.freeze()
        memory.put(Word.PHASE, Phase.READY)
        os.eventfd_write(self._done_fd, 1)
        last_ns = gap_ns = 0
        while not memory.stopping:
            request = take()
            if request is not None:
                now_ns = monotonic_ns()
                last_ns, gap_ns = now_ns, now_ns - last_ns
                self._serve_row(request, now_ns)
            elif gap_ns > self._spin_ns or not self._spin(last_ns):
                self._sleep()

    def _serve_row(self, request: bytes, started_ns: int) -> None:
        ticket, generation = TICKET.unpack_from(request)
        model = self._held.get(generation)
        probabilities, valid, check = (0.0, 0.0, 0.0), 0, 0
        if model is not None:
            bound, check = model.bound, model.check
            bound.row_bytes[:] = request[ROW_AT : model.row_end]
            try:
                probabilities, valid = bound.answer(), 1
            except InvalidAnswer:
                valid = 0
        self._invalid += not valid
        finished_ns = monotonic_ns()
        answer = RESULT.pack(ticket, started_ns, finished_ns, *probabilities, valid, generation, check)
        if not self._publish(answer):
            raise RuntimeError("result ring full: the session has more rows in flight than the ring is deep")
        os.eventfd_write(self._done_fd, 1)
        self._served += 1
        self._times.record(finished_ns - started_ns)
        self._beat()
        if self._served % _ORDERS_EVERY == 0:
            self._look_for_orders()

    def _spin(self, since_ns: int) -> bool:
        """Look for the next row until `spin_ns` after `since_ns`; True when there is one."""
        ready, until_ns = self._memory.requests.ready, since_ns + self._spin_ns
        while monotonic_ns() < until_ns:
            if ready():
                return True
        return False

    def _sleep(self) -> None:
        """Sleep until a row is published, or for one beat."""
        woken = self._wakes.poll(BEAT_S)
        if not woken or self._shelf.has_news or any(fd == self._order_fd for fd, _ in woken):
            self._look_for_orders()
        if woken:
            return
        self._beat()
        self._publish_numbers()

    def _look_for_orders(self) -> None:
        self._shelf.look()
        self._memory.put(Word.LOAD_NS, self._shelf.load_ns)

    def _beat(self) -> None:
        self._beats += 1
        self._memory.put(Word.HEARTBEAT, self._beats)
        self._memory.put(Word.SERVED, self._served)
        if self._served % _NUMBERS_EVERY == 1:
            self._publish_numbers()

    def _publish_numbers(self) -> None:
        memory = self._memory
        memory.put(Word.INVALID, self._invalid)
        memory.put(Word.P50_NS, max(self._times.percentile_ns(0.50), 0))
        memory.put(Word.P99_NS, max(self._times.percentile_ns(0.99), 0))
        now_ns = monotonic_ns()
        if now_ns - self._rss_ns > _RSS_EVERY_NS:
            self._rss_ns = now_ns
            pages = int(Path("/proc/self/statm").read_bytes().split()[1])
            memory.put(Word.RSS_KB, pages * resource.getpagesize() // 1024)


if __name__ == "__main__":
    sys.exit(main())
