"""A journal in memory with the disk's two faces: what was appended, and what would survive a power loss."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.rehearsal.crash import Fuse
from pipeline.runtime.journal_format import Record, RecordKind


@dataclass(slots=True)
class Disk:
    """What one process wrote; it outlives the process."""

    records: list[Record]
    durable: int = 0
    """How many records a power loss would leave."""


class MemoryJournal:
    """The writer's side; `JournalLike` for the pump, `Durability` for the order parking."""

    def __init__(self, disk: Disk, fuse: Fuse, now_ns: Callable[[], int], sync_ns: int) -> None:
        self._disk = disk
        self._fuse = fuse
        self._now_ns = now_ns
        self._sync_ns = sync_ns
        self._syncs: deque[tuple[int, int]] = deque()
        self.healthy = True

    @property
    def written(self) -> int:
        """Give how many records were appended."""
        return len(self._disk.records)

    def append(
        self, kind: RecordKind, ts_ns: int, payload: bytes, epoch: int = 0, codec: int = 0, source: int = 0
    ) -> int:
        """Append one record; give its sequence number."""
        self._fuse.point(f"before a journal write: {kind.name}")
        sequence = len(self._disk.records)
        self._disk.records.append(Record(kind, sequence, ts_ns, payload, epoch, codec, source))
        self._fuse.point(f"after a journal write: {kind.name}")
        return sequence

    def barrier(self) -> int:
        """Begin to make everything appended so far durable."""
        written = self.written
        if not self._syncs or self._syncs[-1][1] < written:
            self._syncs.append((self._now_ns() + self._sync_ns, written))
        return written

    def durable(self, token: int) -> bool:
        """Say whether what stood before a barrier is safe."""
        while self._syncs and self._syncs[0][0] <= self._now_ns():
            self._disk.durable = max(self._disk.durable, self._syncs.popleft()[1])
        return self._disk.durable >= token
