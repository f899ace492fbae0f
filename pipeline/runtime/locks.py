"""One instance at a time: an flock'd file that says who holds it.

The lock is the kernel's and dies with its holder; the record inside is for people and for signals. The file
stays when the lock is released, because removing a locked file would let two holders in.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
from pathlib import Path
from types import TracebackType

import msgspec

_ATTEMPTS = 20
_RETRY_S = 0.005
"""`is_held` takes the lock for some microseconds to look; an acquirer outlasts such a look."""

_START_FIELD = 19
"""Index of starttime in /proc/PID/stat, counted after the command name."""


class LockOwner(msgspec.Struct, frozen=True):
    """Who holds a lock, or held it last."""

    pid: int
    start_ticks: int
    """Start of that process in clock ticks since boot; with `pid` it names the process for good."""
    host: str
    who: str
    since_ns: int


class LockHeldError(Exception):
    """Another instance holds the lock; `owner` is its record, None where it cannot be read."""

    def __init__(self, path: Path, owner: LockOwner | None) -> None:
        """Name the file and its holder in one line."""
        self.owner = owner
        holder = f"pid {owner.pid} ({owner.who}) on {owner.host}" if owner else "another process"
        super().__init__(f"{path} is held by {holder}; stop that one first, or use another name")


class InstanceLock:
    """A held lock; `release` or the end of the process gives it up. Exec'd children do not inherit it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Wrap a descriptor that holds the lock; use `acquire`."""
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, path: Path, who: str, since_ns: int) -> InstanceLock:
        """Take the lock and write the owner's record; waits at most 0.1 s.

        Raises:
            LockHeldError: when another open file holds it, in this process or another.
            OSError: when the file cannot be opened or written.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            if not _flock_soon(descriptor):
                raise LockHeldError(path, read_owner(path))
            record = LockOwner(os.getpid(), start_ticks(os.getpid()), socket.gethostname(), who, since_ns)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, msgspec.json.encode(record) + b"\n", 0)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, descriptor)

    @property
    def held(self) -> bool:
        """Say whether `release` has not been called yet."""
        return self._descriptor >= 0

    def release(self) -> None:
        """Give the lock up; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> InstanceLock:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release."""
        self.release()


def hold_if_free(path: Path) -> InstanceLock | None:
    """Take a lock nobody holds without writing a record, for tidying up; None while somebody holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return InstanceLock(path, descriptor)


def is_held(path: Path) -> bool:
    """Say whether somebody holds the lock; a missing file is not held."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def read_owner(path: Path) -> LockOwner | None:
    """Read the record of the holder, or of the last one; None where there is none to read."""
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(path.read_bytes(), type=LockOwner)
    return None


def start_ticks(pid: int) -> int:
    """Give a process's start in clock ticks since boot; 0 where there is no such process."""
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return int(text.rpartition(")")[2].split()[_START_FIELD])
    return 0


def _flock_soon(descriptor: int) -> bool:
    for attempt in range(_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt + 1 < _ATTEMPTS:
                time.sleep(_RETRY_S)
        else:
            return True
    return False
