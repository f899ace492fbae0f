"""The shared memory of one worker process: a page of counters, a request ring and a result ring.

A memfd the session makes, sizes and seals, and the worker inherits by number; nothing has a name, nothing is
left behind, and neither side can shrink it under the other. Words up to `STOP` are written by the session,
the rest by the worker; each has one writer.
"""

from __future__ import annotations

import enum
import fcntl
import mmap
import os

import msgspec

from pipeline.runtime.model_orders import ModelOrder
from pipeline.runtime.rings import (
    LINE,
    PAGE,
    RESULT,
    Ring,
    request_struct,
    ring_bytes,
    worker_memory_bytes,
)

MAGIC = 0x6C6F_6264_6563_6B01
"""`lobdeck` and the version of this layout."""

_TEXT_AT = 1024
_TEXT_BYTES = PAGE - _TEXT_AT


class WorkerConfig(msgspec.Struct, frozen=True):
    """What a worker is told at its start, as JSON on its command line."""

    memory_fd: int
    wake_fd: int
    """eventfd the session writes after it published a row."""
    done_fd: int
    """eventfd the worker writes after it published an answer; all workers share it."""
    order_fd: int
    """Pipe the session's orders about models come by."""
    report_fd: int
    """Pipe the worker reports by what became of them."""
    parent_pid: int
    models: tuple[ModelOrder, ...]
    """What it holds before it takes a row; one of them refused ends it."""
    spin_ns: int
    log_bytes: int
    """Most that a file the worker writes may hold; 0 sets no limit."""


class Word(enum.IntEnum):
    """Index of each 8-byte counter in the first page."""

    MAGIC = 0
    DEPTH = 1
    WIDTH = 2
    STOP = 3
    """Non-zero asks the worker to end."""
    PHASE = LINE // 8
    PID = LINE // 8 + 1
    HEARTBEAT = LINE // 8 + 2
    """Rises at least every 100 ms while the worker runs, served row or not."""
    SERVED = LINE // 8 + 3
    INVALID = LINE // 8 + 4
    P50_NS = LINE // 8 + 5
    P99_NS = LINE // 8 + 6
    """Time a row spends in the worker, slot taken to answer written."""
    RSS_KB = LINE // 8 + 7
    LOAD_NS = LINE // 8 + 8
    """What checking and loading the model took."""
    TEXT_BYTES = LINE // 8 + 9


_STOP = int(Word.STOP)


class Phase(enum.IntEnum):
    """How far a worker has come."""

    STARTING = 0
    READY = 1
    REFUSED = 2
    """The model failed a check; the text says which. Starting again would not help."""
    FAILED = 3
    """The worker ended by an error of its own; the text names it."""


class WorkerMemory:
    """One end of a worker's shared memory; both ends see the same words and rings."""

    def __init__(self, fd: int, depth: int, width: int) -> None:
        """Map `fd`, which must hold `worker_memory_bytes(depth, width)` bytes; the caller keeps the fd."""
        self.fd = fd
        self.width = width
        size = worker_memory_bytes(depth, width)
        self._map = mmap.mmap(fd, size)
        self._bytes = memoryview(self._map)
        self._words = self._bytes.cast("Q")
        request = request_struct(width).size
        self.requests = Ring(self._bytes[:], PAGE, depth, request)
        self.results = Ring(self._bytes[:], PAGE + ring_bytes(depth, request), depth, RESULT.size)

    @classmethod
    def create(cls, depth: int, width: int) -> WorkerMemory:
        """Make the memory in this process; `close` gives it back.

        Raises:
            OSError: the kernel has no memfd or no memory.
        """
        fd = os.memfd_create("lobdeck-worker", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, worker_memory_bytes(depth, width))
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        memory = cls(fd, depth, width)
        memory.put(Word.DEPTH, depth)
        memory.put(Word.WIDTH, width)
        memory.put(Word.MAGIC, MAGIC)
        return memory

    @classmethod
    def attach(cls, fd: int) -> WorkerMemory:
        """Map memory another process made.

        Raises:
            ValueError: the memory is of another layout.
        """
        magic, depth, width = (
            int.from_bytes(os.pread(fd, 8, 8 * word), "little")
            for word in (Word.MAGIC, Word.DEPTH, Word.WIDTH)
        )
        if magic != MAGIC:
            raise ValueError(f"shared memory has magic {magic:#x}, want {MAGIC:#x}")
        return cls(fd, depth, width)

    def get(self, word: Word) -> int:
        """Read one counter."""
        return self._words[word]

    def put(self, word: Word, value: int) -> None:
        """Write one counter, 0 to 2**64 - 1; only its own writer may."""
        self._words[word] = value

    @property
    def stopping(self) -> bool:
        """Say whether the session has asked for the end; looked at before every row."""
        return self._words[_STOP] != 0

    @property
    def text(self) -> str:
        """Give the worker's last words: why a model was refused, or what broke."""
        size = min(self._words[Word.TEXT_BYTES], _TEXT_BYTES)
        return bytes(self._bytes[_TEXT_AT : _TEXT_AT + size]).decode(errors="replace")

    def say(self, phase: Phase, text: str) -> None:
        """Write the last words, cut to 3072 bytes, and then the phase."""
        data = text.encode()[:_TEXT_BYTES]
        self._bytes[_TEXT_AT : _TEXT_AT + len(data)] = data
        self._words[Word.TEXT_BYTES] = len(data)
        self._words[Word.PHASE] = phase

    def close(self) -> None:
        """Unmap, and close the fd."""
        self.requests.release()
        self.results.release()
        self._words.release()
        self._bytes.release()
        self._map.close()
        os.close(self.fd)
