"""The journal's writer: an append is a copy into mapped memory and never waits for the disk.

One thread calls `append`; `journal_keeper` syncs behind it, `journal_recovery` tidies what a dead run left,
`journal_reader` reads, `journal_format` has the bytes. What is appended survives the death of this process
at once; it survives a power loss when it is durable.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import msgspec

from pipeline.runtime.journal_format import (
    BLOCK_NS,
    BLOCK_RECORDS,
    CRC,
    END_BYTES,
    HEAD,
    HEAD_BYTES,
    MAX_PAYLOAD_BYTES,
    SEAL_BYTES,
    SEGMENT_HEADER_BYTES,
    Chain,
    EndReason,
    JournalError,
    JournalHeader,
    RecordKind,
    SegmentHeader,
    pack_record,
)
from pipeline.runtime.journal_keeper import Keeper
from pipeline.runtime.journal_pack import Packer
from pipeline.runtime.journal_recovery import Recovery, recover_journal
from pipeline.runtime.journal_segment import Segment
from pipeline.runtime.journal_state import JournalState, JournalStats, SyncPolicy

__all__ = [
    "JournalError",
    "JournalHeader",
    "JournalState",
    "JournalStats",
    "JournalWriter",
    "RecordKind",
    "SyncPolicy",
]

SEGMENT_BYTES = 64 * 1024 * 1024
_RESERVED = SEAL_BYTES + END_BYTES + SEAL_BYTES
"""Kept free for the seal of a block and for the end of the segment."""


class JournalWriter:
    """Appends records to the newest run of a journal; use `create`."""

    def __init__(
        self,
        first: Segment,
        header: JournalHeader,
        recovery: Recovery,
        prepare: Callable[[int], Segment],
        policy: SyncPolicy,
        interval_s: float,
        packer: Packer | None,
    ) -> None:
        """Begin a run in its first segment."""
        self.recovery = recovery
        """What the start found of earlier runs; a torn tail is to be shown to the operator."""
        self.lost = 0
        self._policy = policy
        self._packer = packer
        self._header = header
        self._run = recovery.last_run + 1
        self._sequence = 0
        self._payload_bytes = 0
        self._newest_ts_ns = header.created_ns
        self._head = recovery.head
        self._failure = ""
        self._closed = False
        self._segment = first
        self._map = first.map
        self._offset = self._limit = self._block_ts_ns = 0
        self._chain = Chain(b"")
        self._enter(first)
        self._store(pack_record(RecordKind.HEADER, 0, header.created_ns, msgspec.msgpack.encode(header)))
        self._seal()
        finished = packer.add if packer is not None else _ignore
        self._keeper = Keeper(first, prepare, lambda: self._sequence, interval_s, finished)
        self._keeper.wake()

    @classmethod
    def create(
        cls,
        directory: Path,
        header: JournalHeader,
        *,
        policy: SyncPolicy = SyncPolicy.GROUPED,
        segment_bytes: int = SEGMENT_BYTES,
        interval_s: float = 0.5,
        pack: bool = True,
        after_pack: Callable[[], None] | None = None,
    ) -> JournalWriter:
        """Begin a new run in `directory`, after setting aside what a dead run left torn.

        The directory must exist and have one writer: the caller holds the session's lock. `after_pack` runs
        in a thread after each packed segment (retention).

        Raises:
            JournalError: when the disk is full or refuses, or the header does not fit a segment.
        """
        recovery = recover_journal(directory)

        def prepare(index: int) -> Segment:
            return Segment.prepare(directory, recovery.last_run + 1, index, segment_bytes)

        need = SEGMENT_HEADER_BYTES + HEAD_BYTES + len(msgspec.msgpack.encode(header)) + _RESERVED
        if segment_bytes < need:
            raise JournalError(f"segments of {segment_bytes} bytes are too small, the header needs {need}")
        first = prepare(1)
        packer = Packer(after_pack) if pack else None
        return cls(first, header, recovery, prepare, policy, interval_s, packer)

    def append(
        self,
        kind: int,
        ts_ns: int,
        payload: bytes | memoryview,
        epoch: int = 0,
        codec: int = 0,
        source: int = 0,
    ) -> int:
        """Append one record and give its sequence number (from 1 on), or 0 when it was lost.

        Never waits for the disk and does not raise for it. `epoch`, `codec` and `source` belong to frames;
        `codec` and `source` are indexes into the header's tables, at most 255 and 65535.
        """
        size = len(payload)
        end = self._offset + HEAD_BYTES + size
        if end > self._limit:
            if not self._roll(HEAD_BYTES + size):
                self.lost += 1
                return 0
            end = self._offset + HEAD_BYTES + size
        sequence = self._sequence + 1
        head = HEAD.pack(size, kind, codec, source, epoch, sequence, ts_ns)
        record = b"".join((head, CRC.pack(crc32(payload, crc32(head))), payload))
        self._map[self._offset : end] = record
        self._offset = end
        self._sequence = sequence
        self._payload_bytes += size
        self._newest_ts_ns = ts_ns
        chain = self._chain
        chain.add(record)
        chain.records += 1
        if chain.records == 1:
            self._block_ts_ns = ts_ns
        elif chain.records >= BLOCK_RECORDS or ts_ns - self._block_ts_ns >= BLOCK_NS:
            self._seal()
        return sequence

    def beat(self, ts_ns: int) -> None:
        """Seal a block that has been open for 100 ms; to be called when nothing was appended for a while."""
        if self._chain.records and ts_ns - self._block_ts_ns >= BLOCK_NS and not self._failure:
            self._seal()

    def barrier(self) -> int:
        """Give a token for everything appended so far; with `ORDER` a sync begins at once."""
        if self._policy is SyncPolicy.ORDER and self._sequence > self._keeper.durable:
            self._keeper.wake()
        return self._sequence

    def durable(self, token: int) -> bool:
        """Say whether what stood before the barrier is safe by policy; never once the journal failed."""
        if self.state is JournalState.FAILED:
            return False
        return self._policy is SyncPolicy.GROUPED or token <= self._keeper.durable

    def fileno(self) -> int:
        """Give a descriptor that becomes readable when `durable` or `state` may have changed.

        For `loop.add_reader`; the reader calls `clear_notice` first. Remove the reader before `close`.
        """
        return self._keeper.notice

    def clear_notice(self) -> None:
        """Make the descriptor unreadable again."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._keeper.notice)

    def head(self) -> str:
        """Give the digest of the newest sealed block in hex; it leaves the box as evidence."""
        return self._head.hex()

    @property
    def sequence(self) -> int:
        """Newest sequence number appended."""
        return self._sequence

    @property
    def run(self) -> int:
        """Number of this run within the journal's directory, from 1 on."""
        return self._run

    @property
    def state(self) -> JournalState:
        """What may be done on the strength of this journal."""
        if self._failure or self._keeper.failure:
            return JournalState.FAILED
        return JournalState.LOW if self._keeper.shortage else JournalState.OK

    @property
    def healthy(self) -> bool:
        """Say whether new orders may be sent."""
        return self.state is JournalState.OK

    def stats(self) -> JournalStats:
        """Read the counters."""
        keeper = self._keeper
        times = sorted(keeper.sync_ns) or [0]
        return JournalStats(
            state=self.state,
            reason=self._failure or keeper.failure or keeper.shortage,
            appended=self._sequence,
            lost=self.lost,
            payload_bytes=self._payload_bytes,
            segments=self._segment.index,
            syncs=keeper.syncs,
            sync_p50_ns=times[len(times) // 2],
            sync_p99_ns=times[len(times) * 99 // 100],
            sync_max_ns=times[-1],
            made_inline=keeper.made_inline,
            unpacked=self._packer.failures if self._packer is not None else 0,
        )

    def close(self) -> None:
        """End the run: seal, sync, cut, pack. Waits for the disk; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if not self._failure:
            self._end(EndReason.CLOSED)
            self._fail("the journal is closed")
        self._keeper.stop()
        if self._packer is not None:
            self._packer.stop()

    def _enter(self, segment: Segment) -> None:
        header = SegmentHeader(self._run, segment.index, self._sequence + 1, self._newest_ts_ns, self._head)
        packed = header.pack()
        self._segment = segment
        self._map = segment.map
        self._map[: len(packed)] = packed
        self._offset = len(packed)
        self._limit = segment.capacity - _RESERVED
        self._chain = Chain(packed)
        self._block_ts_ns = self._newest_ts_ns

    def _roll(self, needed: int) -> bool:
        """Go on in the next segment; False when there is none or the record fits no segment."""
        if self._failure:
            return False
        if needed > min(self._segment.capacity - SEGMENT_HEADER_BYTES - _RESERVED, MAX_PAYLOAD_BYTES):
            return self._fail(f"a record of {needed} bytes does not fit a segment of {self._segment.path}")
        following = self._keeper.next_segment()
        if following is None:
            return self._fail(self._keeper.shortage)
        self._end(EndReason.ROLLED)
        self._keeper.switch(following)
        self._enter(following)
        return True

    def _end(self, reason: EndReason) -> None:
        self._store(pack_record(RecordKind.END, self._sequence, self._newest_ts_ns, b"", codec=reason))
        self._seal()

    def _seal(self) -> None:
        chain, digest = self._chain, self._chain.digest()
        seal = pack_record(RecordKind.SEAL, self._sequence, self._newest_ts_ns, digest, epoch=chain.records)
        end = self._offset + len(seal)
        self._map[self._offset : end] = seal
        self._offset = self._segment.used = end
        self._head = digest
        chain.begin_block(seal)

    def _store(self, record: bytes) -> None:
        end = self._offset + len(record)
        self._map[self._offset : end] = record
        self._offset = end
        self._chain.add(record)
        self._chain.records += 1

    def _fail(self, reason: str) -> bool:
        """Take no more records: the limit sends every later append to `_roll`, which refuses."""
        if self._chain.records:
            self._seal()
        self._failure = self._failure or reason
        self._limit = 0
        return False


def _ignore(_path: Path) -> None:
    """Leave a full segment as it is."""
