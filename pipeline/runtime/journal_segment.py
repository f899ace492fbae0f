"""One segment file while it is written: its space reserved, mapped, stored to without a system call."""

from __future__ import annotations

import contextlib
import mmap
import os
from pathlib import Path

from pipeline.runtime.journal_format import JournalError, segment_name


class Segment:
    """A mapped file with `capacity` bytes of reserved space. The writer stores; a thread does the rest."""

    def __init__(self, path: Path, index: int, descriptor: int, capacity: int) -> None:
        """Map a file that has `capacity` bytes; use `prepare`."""
        self.path = path
        self.index = index
        self.capacity = capacity
        self.used = 0
        """Bytes stored; set when the segment is full or the writer closes."""
        self.map = mmap.mmap(descriptor, capacity)
        self._descriptor = descriptor

    @classmethod
    def prepare(cls, directory: Path, run: int, index: int, capacity: int) -> Segment:
        """Make an empty segment and reserve its space, so that no store can meet a full disk.

        Raises:
            JournalError: when the disk is full or refuses.
        """
        path = directory / segment_name(run, index)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(path, flags, 0o600)
        except OSError as problem:
            raise JournalError(f"cannot make {path}: {problem.strerror}") from problem
        try:
            os.fchmod(descriptor, 0o600)
            os.posix_fallocate(descriptor, 0, capacity)
            os.fsync(descriptor)
            sync_directory(directory)
            return cls(path, index, descriptor, capacity)
        except (OSError, ValueError) as problem:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                path.unlink()
            text = problem.strerror if isinstance(problem, OSError) else str(problem)
            raise JournalError(
                f"cannot reserve {capacity / 2**20:.4g} MiB for {path}: {text}; free some space"
            ) from problem

    @property
    def finished(self) -> bool:
        """Say whether the file is synced for good and let go of."""
        return self._descriptor < 0

    def sync(self) -> None:
        """Wait until everything stored so far is on the disk.

        Raises:
            OSError: when the disk fails; the pages it failed on are lost.
        """
        os.fdatasync(self._descriptor)

    def finish(self) -> None:
        """Cut the file to what was stored, and let go of it.

        Raises:
            OSError: when the disk fails.
        """
        try:
            os.ftruncate(self._descriptor, self.used)
            os.fsync(self._descriptor)
        finally:
            self.drop()

    def drop(self) -> None:
        """Let go of the file as it is; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            self.map.close()
            os.close(descriptor)


def sync_directory(directory: Path) -> None:
    """Make new and renamed names in a directory survive a power loss.

    Raises:
        OSError: when the disk fails.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
