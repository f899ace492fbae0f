"""Packing of full segments with zstd, in a thread of its own at low priority.

It is not the syncing thread, because an order waits for that one and packing takes a large part of a second.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import zstandard

from pipeline.runtime.journal_format import PACKED_SUFFIX, SUFFIX
from pipeline.runtime.journal_segment import sync_directory

LEVEL = 3
DRAFT_SUFFIX = ".draft"
_CHUNK = 256 * 1024
_NICENESS = 10


def pack_segment(path: Path) -> Path:
    """Pack a finished segment, put the result in its place, and give the new path.

    Raises:
        OSError: when the disk fails; the segment is then still there as it was.
    """
    packed = path.with_name(path.name.removesuffix(SUFFIX) + PACKED_SUFFIX)
    draft = packed.with_name(packed.name + DRAFT_SUFFIX)
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    try:
        with path.open("rb") as source, open(draft, "wb", opener=_private) as target:
            size = os.fstat(source.fileno()).st_size
            compressor.copy_stream(source, target, size=size, read_size=_CHUNK, write_size=_CHUNK)
            target.flush()
            os.fsync(target.fileno())
        os.rename(draft, packed)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    sync_directory(path.parent)
    path.unlink()
    return packed


class Packer:
    """Packs segments in the order they were finished; `after` runs in its thread after each."""

    def __init__(self, after: Callable[[], None] | None) -> None:
        """Start the thread."""
        self.failures = 0
        """Segments left unpacked, because the disk refused."""
        self._after = after
        self._queue: SimpleQueue[Path | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal-pack", daemon=True)
        self._thread.start()

    def add(self, path: Path) -> None:
        """Queue a finished segment; never waits."""
        self._queue.put(path)

    def stop(self) -> None:
        """Pack what is queued, then end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        while (path := self._queue.get()) is not None:
            try:
                pack_segment(path)
            except OSError:
                self.failures += 1
            if self._after is not None:
                self._after()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
