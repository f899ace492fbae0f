"""Single-producer single-consumer rings of fixed slots in memory two processes share.

A slot is one 8-byte word and a payload. The producer copies the payload and then stores the word, which
holds the slot's turn (32 bits) and the payload's CRC-32: the consumer takes the slot when the turn is the
one it waits for and the copy it made has that CRC. So a payload that is not wholly visible yet, as a
processor with weak memory order may show it, is simply not there yet. No lock, nothing blocks.

What depth costs. Memory, by `ring_memory_bytes`: a request slot takes 24 bytes plus 4 a number, a result
slot 72. Rows are as wide as the features this build has (28), so that another model fits into the rings of a
running worker; depth 64 then needs 20 KiB a worker with its page of counters, depth 1024 216 KiB.
Delay: a row at the end of a full ring waits for all before it; at 15 us a row (small logistic) 64 rows are
1 ms and 1024 rows 15 ms, at 1 ms a row (DeepLOB size) 64 ms and 1 s. A market row is worth nothing once a
newer one of its symbol exists, so depth only has to cover one burst across the symbols of a worker; past
that the pool keeps the newest row per symbol and counts what it replaced.
"""

from __future__ import annotations

import mmap
import struct
from zlib import crc32

LINE = 64
"""Words of different writers stand on different cache lines."""

_WORD = 8
_TURN_MASK = 0xFFFF_FFFF

PAGE = 4096
"""Bytes of counters and text before the rings of one worker."""

TICKET = struct.Struct("<QQ")
"""A request starts with its ticket and the generation of its model; the row follows as float32."""

ROW_AT = TICKET.size

RESULT = struct.Struct("<QqqdddIIQ")
"""Ticket, start and finish (monotonic ns), p_down, p_flat, p_up, 1 if the answer is valid, else 0, and of the
model that answered its generation and 64 bits of its schema hash."""


def is_depth(depth: int) -> bool:
    """Say whether `depth` may be a ring's depth: a power of two from 1 to 65536."""
    return 1 <= depth <= 65_536 and depth & (depth - 1) == 0


def request_struct(width: int, room: int = 0) -> struct.Struct:
    """Give the layout of a request: ticket, generation, `width` float32, zeros up to a multiple of 8.

    `room` pads it to a ring made for rows of so many numbers.
    """
    room = max(room, width)
    return struct.Struct(f"<QQ{width}f{4 * (room - width + room % 2)}x")


def ring_bytes(depth: int, payload: int) -> int:
    """Give the bytes one ring takes: a line for the consumer's word, then the slots, in whole lines."""
    return LINE + -(-depth * (_WORD + payload) // LINE) * LINE


def worker_memory_bytes(depth: int, width: int) -> int:
    """Give the shared memory of one worker process: page of counters, request ring, result ring."""
    used = PAGE + ring_bytes(depth, request_struct(width).size) + ring_bytes(depth, RESULT.size)
    return -(-used // mmap.PAGESIZE) * mmap.PAGESIZE


def ring_memory_bytes(depth: int, width: int, workers: int) -> int:
    """Give the shared memory of `workers` processes (spares count) with rows of `width` features.

    >>> ring_memory_bytes(64, 10, 1)
    16384
    """
    return workers * worker_memory_bytes(depth, width)


class Ring:
    """One direction of a worker's rings; an instance is the producer's or the consumer's end, never both.

    `memory` is a writable byte view of the shared mapping and `offset` a multiple of 64. Both ends are built
    with equal arguments over zeroed memory, once for the life of the mapping.
    """

    def __init__(self, memory: memoryview, offset: int, depth: int, payload: int) -> None:
        """Lay the ring over `ring_bytes(depth, payload)` bytes of `memory` from `offset`.

        Raises:
            ValueError: `depth` is no power of two, or `payload` no multiple of 8.
        """
        if not is_depth(depth) or payload % _WORD:
            raise ValueError(f"depth {depth}, payload {payload}: want a power of two and a multiple of 8")
        self.depth = depth
        self._memory = memory
        self._words = memory.cast("Q")
        self._tail_at = offset // _WORD
        self._slots_at = offset + LINE
        self._stride = _WORD + payload
        self._payload = payload
        self._mask = depth - 1
        self._turn = 0

    def push(self, payload: bytes) -> bool:
        """Publish one payload of the ring's size; False, and nothing written, when the ring is full.

        Raises:
            ValueError: the payload has another size.
        """
        turn = self._turn
        if turn - self._words[self._tail_at] >= self.depth:
            return False
        at = self._slots_at + (turn & self._mask) * self._stride
        self._memory[at + _WORD : at + self._stride] = payload
        self._turn = turn + 1
        self._words[at // _WORD] = (self._turn & _TURN_MASK) << 32 | crc32(payload)
        return True

    def ready(self) -> bool:
        """Say whether the next slot has been published."""
        at = self._slots_at + (self._turn & self._mask) * self._stride
        return self._words[at // _WORD] >> 32 == (self._turn + 1) & _TURN_MASK

    def pop(self) -> bytes | None:
        """Take the oldest payload; None when there is none that is wholly visible."""
        turn = self._turn + 1
        at = self._slots_at + (self._turn & self._mask) * self._stride
        word = self._words[at // _WORD]
        if word >> 32 != turn & _TURN_MASK:
            return None
        payload = bytes(self._memory[at + _WORD : at + self._stride])
        if crc32(payload) != word & _TURN_MASK:
            return None
        self._turn = turn
        self._words[self._tail_at] = turn
        return payload

    def release(self) -> None:
        """Give back the views of the mapping, so that it can be closed; the ring is unusable after."""
        self._words.release()
        self._memory.release()
