"""One inference worker as the session holds it: the process, its memory, its rows in flight, its health.

No decision is made here; `workers.py` decides what happens to a process that is silent, dead or ready.
Silence is counted in the session's own ticks, a long tick counting only a little: a session that was itself
stopped for a minute must not take its workers for hung when it comes back.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

import pipeline
from pipeline.core.effects import RequestInference
from pipeline.core.types import E6
from pipeline.runtime.model_orders import (
    DropOrder,
    ModelOrder,
    ModelReport,
    Packets,
    next_report,
    schema_check,
    send,
)
from pipeline.runtime.rings import RESULT, request_struct
from pipeline.runtime.worker_memory import Phase, Word, WorkerConfig, WorkerMemory

_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR")
"""What a worker inherits; everything else, keys above all, stays with the session."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What every worker of a pool is started with."""

    models: tuple[ModelOrder, ...]
    """What it loads before it takes a row."""
    checks: dict[int, int]
    """By generation, the `schema_check` of each of them."""
    depth: int
    width: int
    """Numbers the widest row may hold."""
    spin_ns: int
    log_path: Path | None
    log_bytes: int


@dataclass(slots=True)
class AskedRow:
    """A row somebody waits for, and when it was asked (monotonic ns)."""

    request: RequestInference
    asked_ns: int
    tries: int = 0


@dataclass(slots=True)
class RawAnswer:
    """A worker's answer as it stood in the ring; times are monotonic ns."""

    row: AskedRow
    started_ns: int
    finished_ns: int
    p_down: float
    p_flat: float
    p_up: float
    valid: bool
    generation: int
    """Of the model that answered, by the worker's own word."""
    check: int
    """`schema_check` of that model."""


class WorkerProcess:
    """A started worker; `reap` must be called until it says the process is gone, then `close`."""

    def __init__(self, launch: Launch, done_fd: int) -> None:
        """Start the process; it is ready when its phase says so, 0.3 to 1 s later.

        The kernel kills it when the *thread* that called this ends, so that has to be the session's own.

        Raises:
            OSError: no memory, no descriptors, or the interpreter cannot be run.
        """
        self.in_flight: dict[int, AskedRow] = {}
        self.depth = launch.depth
        self.answered = 0
        self.silent_ns = 0
        self.stuck_ns = 0
        self.killed = False
        self.worker_id = -1
        """The desk it works at; -1 for a spare."""
        self.holds: dict[int, int] = {}
        """Generations it answers rows of, with the `schema_check` of each."""
        self.refused: dict[int, str] = {}
        """Generations it could not load, and why."""
        self.asked: set[int] = set()
        """Generations it was told to load."""
        self._launched = launch.checks
        self._width = launch.width
        self._layouts: dict[int, struct.Struct] = {}
        self._ticket = 0
        self._seen = (0, 0)
        self.memory = WorkerMemory.create(launch.depth, launch.width)
        self._wake_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._orders, self._reports = Packets(), Packets()
        try:
            self._process = self._start(launch, done_fd)
        except OSError:
            self._give_back()
            raise
        self.pid = self._process.pid

    def _start(self, launch: Launch, done_fd: int) -> subprocess.Popen[bytes]:
        config = WorkerConfig(
            memory_fd=self.memory.fd,
            wake_fd=self._wake_fd,
            done_fd=done_fd,
            order_fd=self._orders.read_fd,
            report_fd=self._reports.write_fd,
            parent_pid=os.getpid(),
            models=launch.models,
            spin_ns=launch.spin_ns,
            log_bytes=launch.log_bytes if launch.log_path else 0,
        )
        module = (sys.executable, "-P", "-m", "pipeline.runtime.worker_main")
        with open_log(launch.log_path, launch.log_bytes) as log:
            return subprocess.Popen(
                [*module, msgspec.json.encode(config).decode()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(self.memory.fd, self._wake_fd, done_fd, config.order_fd, config.report_fd),
                env=child_environment(),
            )

    @property
    def phase(self) -> Phase:
        """Give how far the worker has come, by its own word."""
        return Phase(self.memory.get(Word.PHASE))

    @property
    def ready(self) -> bool:
        """Say whether the worker takes rows."""
        return not self.killed and self.memory.get(Word.PHASE) == Phase.READY

    @property
    def oldest_ns(self) -> int | None:
        """Give when the oldest row in flight was asked; None without one."""
        return next((row.asked_ns for row in self.in_flight.values()), None)

    @property
    def exit_status(self) -> int | None:
        """Give the exit status, negative for a signal; None before `reap` said it is gone."""
        return self._process.returncode

    def push(self, row: AskedRow) -> bool:
        """Hand over a row and wake the worker; False when as many are in flight as the rings are deep."""
        if len(self.in_flight) >= self.depth:
            return False
        ticket, request = self._ticket + 1, row.request
        values = [value / E6 for value in request.row_e6]
        layout = self._layouts.get(len(values)) or self._layout(len(values))
        if not self.memory.requests.push(layout.pack(ticket, request.generation, *values)):
            return False
        self._ticket = ticket
        self.in_flight[ticket] = row
        os.eventfd_write(self._wake_fd, 1)
        return True

    def take(self) -> RawAnswer | None:
        """Take the oldest answer that is there.

        An answer to a row that is not in flight comes from a worker whose memory is damaged: it is killed.
        """
        payload = self.memory.results.pop()
        if payload is None:
            return None
        ticket, started_ns, finished_ns, p_down, p_flat, p_up, valid, generation, check = RESULT.unpack(
            payload
        )
        row = self.in_flight.pop(ticket, None)
        if row is None:
            self.kill()
            return None
        self.answered += 1
        return RawAnswer(row, started_ns, finished_ns, p_down, p_flat, p_up, bool(valid), generation, check)

    def load(self, order: ModelOrder) -> bool:
        """Tell the worker to load a model beside those it has; False when it has to be told again."""
        if order.generation in self.asked or not send(self._orders.write_fd, order):
            return order.generation in self.asked
        self.asked.add(order.generation)
        self.refused.pop(order.generation, None)
        return True

    def drop(self, generation: int) -> None:
        """Tell the worker to let go of a generation it holds, once no row in flight is for it."""
        busy = any(row.request.generation == generation for row in self.in_flight.values())
        if not busy and send(self._orders.write_fd, DropOrder(generation)):
            del self.holds[generation]

    def read_reports(self) -> None:
        """Take what the worker says of its models; one that talks nonsense is killed."""
        if not self.holds and self.ready:
            self.holds.update(self._launched)
            self.asked.update(self._launched)
        try:
            while (report := next_report(self._reports.read_fd)) is not None:
                self._note(report)
        except (msgspec.MsgspecError, ValueError):
            self.kill()

    def _note(self, report: ModelReport) -> None:
        if report.why:
            self.refused[report.generation] = report.why
        else:
            self.holds[report.generation] = schema_check(report.schema_hash)

    def _layout(self, width: int) -> struct.Struct:
        layout = self._layouts[width] = request_struct(width, self._width)
        return layout

    def watch(self, step_ns: int) -> None:
        """Count silence (no beat) and being stuck (rows in flight, no answer) for one more tick."""
        seen = (self.memory.get(Word.HEARTBEAT), self.answered)
        self.silent_ns = 0 if seen[0] != self._seen[0] else self.silent_ns + step_ns
        moved = seen[1] != self._seen[1] or not self.in_flight
        self.stuck_ns = 0 if moved else self.stuck_ns + step_ns
        self._seen = seen

    def kill(self) -> None:
        """Send SIGKILL; the process is gone when `reap` says so."""
        self.killed = True
        self._process.kill()

    def ask_to_stop(self) -> None:
        """Ask the worker to end after the row it is at."""
        self.memory.put(Word.STOP, 1)
        os.eventfd_write(self._wake_fd, 1)

    def reap(self) -> bool:
        """Say whether the process has ended; takes its exit status the first time."""
        return self._process.poll() is not None

    def close(self) -> None:
        """Give back memory and descriptors of a process that has ended."""
        self._give_back()

    def _give_back(self) -> None:
        self.memory.close()
        os.close(self._wake_fd)
        self._orders.close()
        self._reports.close()


def open_log(path: Path | None, limit_bytes: int) -> BinaryIO:
    """Open the log children write to; one that has reached half its limit becomes `NAME.1` first.

    Without a path the output goes nowhere. The limit itself is kept by the kernel in each child
    (RLIMIT_FSIZE), so that a worker that never stops talking cannot fill the disk.
    """
    if path is None:
        return open(os.devnull, "ab")
    if path.exists() and path.stat().st_size >= limit_bytes // 2:
        path.replace(path.with_name(path.name + ".1"))
    return path.open("ab")


def child_environment() -> dict[str, str]:
    """Give what a child of the session inherits: the modules of this process, and no secrets."""
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    roots = [str(Path(entry).parent) for entry in pipeline.__path__]
    return {**kept, "PYTHONPATH": os.pathsep.join(roots), "OMP_NUM_THREADS": "1"}
