"""What a session tells a worker about models while it runs, and what the worker reports back.

Both cross a pipe each, one packet a message (`O_DIRECT`): no socket, nothing to frame, nothing half read. The
session never waits: an order that finds the pipe full is given again with the next tick.
"""

from __future__ import annotations

import os

import msgspec

from pipeline.models.expectation import Expectation

MAX_PACKET = 4096
"""Bytes of one message; the kernel keeps packets of a pipe whole up to this."""


class ModelOrder(msgspec.Struct, frozen=True, tag=True):
    """Load a model, check it, warm it up, and answer rows of this generation with it from then on."""

    generation: int
    path: str
    expectation: Expectation
    """Its `sha256` is never empty: all workers load the same bytes."""


class DropOrder(msgspec.Struct, frozen=True, tag=True):
    """Let go of a generation no row in flight is for."""

    generation: int


class ModelReport(msgspec.Struct, frozen=True, tag=True):
    """What became of a `ModelOrder`."""

    generation: int
    model_id: str
    schema_hash: str
    why: str
    """Why it was refused, in one line; empty when it is loaded and warm."""
    load_ns: int


Order = ModelOrder | DropOrder

_encode = msgspec.msgpack.Encoder().encode
_decode_order: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_decode_report = msgspec.msgpack.Decoder(ModelReport)


class Packets:
    """A pipe of whole messages, both ends of it; whoever needs one end passes on its number."""

    def __init__(self) -> None:
        """Make the pipe.

        Raises:
            OSError: no descriptors, or a kernel without packet pipes.
        """
        self.read_fd, self.write_fd = os.pipe2(os.O_DIRECT | os.O_CLOEXEC | os.O_NONBLOCK)

    def close(self) -> None:
        """Close both ends."""
        os.close(self.read_fd)
        os.close(self.write_fd)


def send(write_fd: int, message: Order | ModelReport) -> bool:
    """Send one message without waiting; False when the pipe is full or nobody reads.

    Raises:
        ValueError: the message is larger than a packet.
    """
    payload = _encode(message)
    if len(payload) > MAX_PACKET:
        raise ValueError(f"a message of {len(payload)} bytes, at most {MAX_PACKET}")
    try:
        return os.write(write_fd, payload) == len(payload)
    except (BlockingIOError, BrokenPipeError):
        return False


def next_order(read_fd: int) -> Order | None:
    """Take the oldest order; None when there is none."""
    payload = _take(read_fd)
    return _decode_order.decode(payload) if payload else None


def next_report(read_fd: int) -> ModelReport | None:
    """Take the oldest report; None when there is none.

    Raises:
        msgspec.MsgspecError: what the worker wrote is no report.
    """
    payload = _take(read_fd)
    return _decode_report.decode(payload) if payload else None


def _take(read_fd: int) -> bytes:
    try:
        return os.read(read_fd, MAX_PACKET)
    except BlockingIOError:
        return b""


def schema_check(schema_hash: str) -> int:
    """Give the 64 bits of a schema hash that stand in every answer of a worker.

    >>> hex(schema_check("00ff00ff00ff00ff" + "0" * 48))
    '0xff00ff00ff00ff'
    """
    return int(schema_hash[:16], 16)
