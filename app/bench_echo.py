"""The least that can be done with a frame over the transports of a session: read it, ask a worker, hear back.

`python -P -m app.bench_echo URL SECONDS EVERY` connects as a session's feed does, sends a row through a
worker's ring for every so many messages and prints how long the answers took, in microseconds from the read
of the bytes. Its worker answers at once. No frame is decoded, no book kept, nothing computed or journalled.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import subprocess
import sys
from time import perf_counter_ns

import uvloop

from app.bench_tools import percentile
from app.launch import child_environment
from pipeline.runtime.clock import SessionClock
from pipeline.runtime.feed_socket import Socket, open_socket
from pipeline.runtime.rings import RESULT, TICKET, request_struct
from pipeline.runtime.worker_memory import Phase, Word, WorkerMemory

DEPTH = 64
WIDTH = 10
MAX_BYTES = 1 << 22
_WAKES_EVERY_S = 0.1
_WORKER = "worker"


class Echo:
    """Receives a feed's messages and times the round trips of some of them."""

    def __init__(self, memory: WorkerMemory, wake_fd: int, done_fd: int, every: int) -> None:
        self._memory = memory
        self._wake_fd = wake_fd
        self._done_fd = done_fd
        self._every = every
        self._request = request_struct(WIDTH)
        self._asked_ns: dict[int, int] = {}
        self.messages = 0
        self.lost = ""
        self.took_ns: list[int] = []

    def on_open(self, socket: Socket) -> None:
        """Take no notice."""

    def on_message(self, payload: bytes, ts_recv_ns: int, received: int) -> None:  # noqa: ARG002 - a Receiver
        """Ask the worker, where it is this message's turn."""
        self.messages += 1
        if self.messages % self._every == 0:
            self._asked_ns[self.messages] = received
            if self._memory.requests.push(self._request.pack(self.messages, 1, *[0.0] * WIDTH)):
                os.eventfd_write(self._wake_fd, 1)

    def on_lost(self, reason: str) -> None:
        """Note that the venue is gone."""
        self.lost = reason

    def collect(self) -> None:
        """Take the answers there are."""
        os.eventfd_read(self._done_fd)
        while (result := self._memory.results.pop()) is not None:
            ticket, _ = TICKET.unpack_from(result)
            self.took_ns.append(perf_counter_ns() - self._asked_ns.pop(ticket))


def answer(memory_fd: int, wake_fd: int, done_fd: int) -> None:
    """Be the worker: give every row back until asked to end."""
    memory = WorkerMemory.attach(memory_fd)
    wakes = select.epoll()
    wakes.register(wake_fd, select.EPOLLIN | select.EPOLLET)
    memory.put(Word.PHASE, Phase.READY)
    while not memory.stopping:
        while (request := memory.requests.pop()) is not None:
            ticket, _ = TICKET.unpack_from(request)
            memory.results.push(RESULT.pack(ticket, 0, 0, 0.0, 0.0, 1.0, 1, 1, 0))
            os.eventfd_write(done_fd, 1)
        wakes.poll(_WAKES_EVERY_S)


async def listen(url: str, seconds: float, every: int) -> list[int]:
    """Time round trips for so long; nanoseconds each."""
    memory = WorkerMemory.create(DEPTH, WIDTH)
    flags = os.EFD_NONBLOCK | os.EFD_CLOEXEC
    wake_fd, done_fd = os.eventfd(0, flags), os.eventfd(0, flags)
    passed = (memory.fd, wake_fd, done_fd)
    command = [sys.executable, "-P", "-m", "app.bench_echo", _WORKER, *map(str, passed)]
    child = subprocess.Popen(command, pass_fds=passed, env=child_environment())
    echo = Echo(memory, wake_fd, done_fd, every)
    asyncio.get_running_loop().add_reader(done_fd, echo.collect)
    try:
        while memory.get(Word.PHASE) != Phase.READY and child.poll() is None:
            await asyncio.sleep(0.01)
        await open_socket(url, echo, SessionClock(), MAX_BYTES)
        await asyncio.sleep(seconds)
    finally:
        memory.put(Word.STOP, 1)
        child.wait()
    return echo.took_ns


def summary(took_ns: list[int]) -> dict[str, float]:
    """Give what is printed: percentiles in microseconds, and how many there were."""
    if not took_ns:
        return {"n": 0}
    return {
        "n": len(took_ns),
        "p50": percentile(took_ns, 0.5) / 1e3,
        "p99": percentile(took_ns, 0.99) / 1e3,
    }


def main() -> None:
    """Be the echo, or its worker."""
    if sys.argv[1] == _WORKER:
        answer(*map(int, sys.argv[2:5]))
        return
    url, seconds, every = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        took_ns = runner.run(listen(url, seconds, every))
    # The first tenth is the start of the feed.
    sys.stdout.write(json.dumps(summary(took_ns[len(took_ns) // 10 :])))


if __name__ == "__main__":
    main()
