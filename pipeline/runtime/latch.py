"""The latch: a file named KILL that counts by existence, whatever it holds and whoever made it.

Each kill adds one JSON line to it. A release takes away exactly the latch it was shown: a kill that arrives
meanwhile changes the file, or makes a new one, and stays. What is taken away is kept beside it as
`KILL.released-N`, as evidence.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

LATCH_NAME = "KILL"
_MAX_READ = 64 * 1024
_ATTEMPTS = 8
_ENGAGE_FLAGS = (
    os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
)
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class LatchRecord(msgspec.Struct, frozen=True):
    """One kill, as its line in the latch file says it."""

    who: str
    tty: str
    reason: str
    ts_ns: int
    pid: int


@dataclass(frozen=True, slots=True)
class Latch:
    """A latch file as it was at one moment; a release names the one it was shown."""

    path: str
    inode: int
    size: int
    mtime_ns: int
    records: tuple[LatchRecord, ...]
    """Oldest first; lines that are no record (a file made by hand) are left out."""


class LatchDir:
    """A directory that may hold a latch. Keeps the directory open; nothing here waits for a lock."""

    def __init__(self, path: Path) -> None:
        """Open the directory.

        Raises:
            OSError: when it is not there.
        """
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def detach(self) -> None:
        """Close the directory."""
        os.close(self._descriptor)

    def present(self) -> bool:
        """Say whether the latch is there; anything but a clear "no such file" counts as there."""
        try:
            os.stat(LATCH_NAME, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True

    def engage(self, record: LatchRecord) -> bool:
        """Make the latch or add to the one that is there; True when it is there afterwards. Never raises."""
        for _ in range(_ATTEMPTS):
            try:
                descriptor = os.open(LATCH_NAME, _ENGAGE_FLAGS, 0o600, dir_fd=self._descriptor)
            except OSError:
                break
            with contextlib.suppress(OSError):
                _add_line(descriptor, record)
            inode = os.fstat(descriptor).st_ino
            os.close(descriptor)
            # A release may have taken the file away before the line was in it: then make it again.
            status = self._status()
            if status is not None and status.st_ino == inode:
                return True
        return self.present()

    def sync(self) -> bool:
        """Make the latch survive a power loss; False when the disk refuses. May wait for the disk."""
        try:
            descriptor = os.open(LATCH_NAME, _READ_FLAGS, dir_fd=self._descriptor)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.fsync(self._descriptor)
        except OSError:
            return False
        return True

    def read(self) -> Latch | None:
        """Give the latch with its records, None where there is none."""
        status = self._status()
        if status is None:
            return None
        path = str(self.path / LATCH_NAME)
        return Latch(path, status.st_ino, status.st_size, status.st_mtime_ns, self._records())

    def remove(self, shown: Latch, ts_ns: int) -> bool:
        """Take the latch away if it is still the one shown; False, with a latch in place, if it is not."""
        aside = f"{LATCH_NAME}.released-{ts_ns}-{os.getpid()}"
        try:
            self._rename(LATCH_NAME, aside)
            status = os.stat(aside, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return True
        if (status.st_ino, status.st_size, status.st_mtime_ns) == (shown.inode, shown.size, shown.mtime_ns):
            return True
        self._put_back(aside)
        return False

    def _put_back(self, aside: str) -> None:
        try:
            os.link(aside, LATCH_NAME, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        except FileExistsError:
            return  # a newer kill made its own
        except OSError:
            self._rename(aside, LATCH_NAME)  # a directory cannot be linked
        else:
            os.unlink(aside, dir_fd=self._descriptor)

    def _rename(self, source: str, target: str) -> None:
        os.rename(source, target, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    def _status(self) -> os.stat_result | None:
        try:
            return os.stat(LATCH_NAME, dir_fd=self._descriptor, follow_symlinks=False)
        except OSError:
            return None

    def _records(self) -> tuple[LatchRecord, ...]:
        try:
            descriptor = os.open(LATCH_NAME, _READ_FLAGS, dir_fd=self._descriptor)
        except OSError:
            return ()
        try:
            text = os.read(descriptor, _MAX_READ)
        except OSError:
            return ()
        finally:
            os.close(descriptor)
        records = []
        for line in text.splitlines():
            with contextlib.suppress(msgspec.DecodeError):
                records.append(msgspec.json.decode(line, type=LatchRecord))
        return tuple(records)


def _add_line(descriptor: int, record: LatchRecord) -> None:
    # A full disk takes no line; the changed time then tells a release that this is not the latch it saw.
    status = os.fstat(descriptor)
    os.utime(descriptor, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    os.write(descriptor, msgspec.json.encode(record) + b"\n")
