"""Sends the chain's head out of the box: to the system's log, to a program of the user's.

Whoever rewrites a journal can make a new chain; a head that was kept elsewhere betrays it. Sending is the
business of a thread: the session hands a head over and never waits, and one that hangs is given up in time.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import subprocess
import threading
from dataclasses import dataclass
from queue import SimpleQueue

from pipeline.runtime.head_params import HeadParams

_USER_INFO = 8 + 6
"""Facility and severity of the line, as syslog numbers them."""
_LAST_WAIT_S = 2.0
"""How long the end of a session waits for its last head to be out."""


@dataclass(frozen=True, slots=True)
class Head:
    """A head and where it stands."""

    session: str
    run: int
    sequence: int
    """Newest record appended; the head is of the newest sealed block, at most 100 ms older."""
    digest: str

    @property
    def words(self) -> str:
        """Give the line that is sent."""
        return f"session={self.session} run={self.run} record={self.sequence} head={self.digest}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one head."""

    head: Head
    trouble: str
    """Empty where it is out."""


class HeadOut:
    """One session's sender; everything here is called by its loop and returns at once."""

    def __init__(self, params: HeadParams) -> None:
        self._params = params
        self._next_s = 0.0
        self._busy = False
        self._heads: SimpleQueue[Head | None] = SimpleQueue()
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def is_due(self, now_s: float) -> bool:
        """Say whether it is time for the next head; the first is due one period after the start."""
        if not self._params.wanted:
            return False
        if not self._next_s:
            self._next_s = now_s + self._params.every_s
        return now_s >= self._next_s

    def send(self, head: Head, now_s: float) -> Outcome | None:
        """Hand a head over; gives the trouble where the last one is still on its way after a whole period."""
        self._next_s = now_s + self._params.every_s
        if self._busy:
            return Outcome(head, "the one before it is still on its way")
        self._begin(head)
        return None

    def outcome(self) -> Outcome | None:
        """Give what became of the head that was handed over, once."""
        if self._outcomes.empty():
            return None
        self._busy = False
        return self._outcomes.get()

    def close(self, head: Head) -> str:
        """Send the last head, waiting a moment for it; give the trouble, empty where it is out."""
        if not self._params.wanted:
            return ""
        self._begin(head)
        self._heads.put(None)
        if self._thread is not None:
            self._thread.join(_LAST_WAIT_S)
        outcome = None
        while not self._outcomes.empty():
            outcome = self._outcomes.get()
        if outcome is None or outcome.head != head:
            return f"not out after {_LAST_WAIT_S:g} s"
        return outcome.trouble

    def _begin(self, head: Head) -> None:
        self._busy = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="head-out", daemon=True)
            self._thread.start()
        self._heads.put(head)

    def _run(self) -> None:
        while (head := self._heads.get()) is not None:
            troubles = (self._to_syslog(head), self._to_hook(head))
            self._outcomes.put(Outcome(head, "; ".join(filter(None, troubles))))

    def _to_syslog(self, head: Head) -> str:
        if not self._params.syslog:
            return ""
        try:
            _log_line(self._params.syslog, head.words, self._params.timeout_s)
        except OSError as problem:
            return f"{self._params.syslog}: {problem.strerror or problem}"
        return ""

    def _to_hook(self, head: Head) -> str:
        hook = self._params.hook
        if not hook:
            return ""
        command = (hook, head.session, str(head.run), str(head.sequence), head.digest)
        try:
            status = _ran(command, self._params.timeout_s)
        except OSError as problem:
            return f"{hook}: {problem.strerror or problem}"
        if status is None:
            return f"{hook}: no end after {self._params.timeout_s:g} s"
        return f"{hook}: exit status {status}" if status else ""


def _log_line(address: str, line: str, timeout_s: float) -> None:
    """Give the system's log one line, over whichever kind of socket it has.

    Raises:
        OSError: it takes none, or not in time.
    """
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_UNIX, kind) as log:
            log.settimeout(timeout_s)
            try:
                log.connect(address)
            except OSError as problem:
                if problem.errno == errno.EPROTOTYPE and kind is socket.SOCK_DGRAM:
                    continue
                raise
            log.sendall(f"<{_USER_INFO}>lobdeck: {line}\0".encode())
            return


def _ran(command: tuple[str, ...], timeout_s: float) -> int | None:
    """Run a program and give its exit status; None where it had to be ended, with what it started."""
    nothing = subprocess.DEVNULL
    with subprocess.Popen(
        command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True, cwd="/"
    ) as process:
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return None
