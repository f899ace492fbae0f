"""What travels between a session and its consoles, both ways."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

import app.config
import app.link
import pipeline.models.protobuf
import pipeline.runtime.journal_scan
import pipeline.runtime.link_server
import pipeline.runtime.venue_keys
import pipeline.wire.binance
import pipeline.wire.binance_answers
import pipeline.wire.binance_info
import pipeline.wire.bybit
import pipeline.wire.http_text
from app.link import SocketLink
from pipeline.core.inputs import Command, OperatorCommand
from pipeline.runtime.link_messages import (
    PROTOCOL_VERSION,
    Attach,
    CommandRequest,
    CommandResult,
    Hello,
    ReplayControl,
    SessionEnding,
    SetFrameRate,
    SnapshotFrame,
    StatusRequest,
)
from pipeline.runtime.link_server import Client, LinkServer
from pipeline.runtime.places import SessionPlace
from tests.fakes import snapshots
from tests.fuzz.target import Target


@cache
def _picture() -> Any:
    return snapshots.make_snapshot()


class _Host:
    """A session that says yes."""

    def hello(self) -> Hello:
        return Hello(PROTOCOL_VERSION, "1", "s", 1, "/g", True)

    def snapshot(self, _symbol: str) -> Any:
        return _picture()

    def command(self, request: CommandRequest, _client: object) -> CommandResult:
        return CommandResult(request.request_id, ok=True, text="")

    def replay(self, request: ReplayControl) -> CommandResult:
        return CommandResult(request.request_id, ok=True, text="")

    def stop(self, request: Any) -> CommandResult:
        return CommandResult(request.request_id, ok=True, text="")

    def status_json(self) -> bytes:
        return b"{}"

    def consoles_changed(self, _attached: int, *, detached_on_purpose: bool) -> None:
        del detached_on_purpose


class _Nowhere:
    """A socket that takes everything."""

    transport: _Nowhere

    def __init__(self) -> None:
        self.transport = self

    def write(self, data: bytes) -> None:
        del data

    def get_write_buffer_size(self) -> int:
        return 0


def _stream(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def _serve(data: bytes) -> None:
    """Read as `LinkServer` reads a console, and draw once."""
    server = LinkServer(_Host(), Path("/nowhere"), None)  # type: ignore[arg-type]  # nothing is bound
    client = Client(_Nowhere(), 0)  # type: ignore[arg-type]  # nothing of a real writer is used
    server._clients.append(client)
    with suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
        await pipeline.runtime.link_server._read_messages(
            _stream(data), lambda message: server._take(client, message)
        )
    server.tick(1.0)


async def _attached(data: bytes) -> None:
    """Read as `SocketLink` reads a session."""
    place = SessionPlace("x", Path("/nowhere/x"))
    link = SocketLink(place, Attach(PROTOCOL_VERSION, "ada", "", False, 5.0))
    reader = _stream(data)
    with suppress(OSError, EOFError, ValueError):
        while not link.lost:
            link._take(await app.link._read(reader))


def _framed(*messages: msgspec.Struct) -> bytes:
    texts = [msgspec.msgpack.encode(one) for one in messages]
    return b"".join(struct.pack(">I", len(one)) + one for one in texts)


def link_targets() -> Iterator[Target]:
    server, sockets = pipeline.runtime.link_server, app.link.SocketLink
    attach = Attach(PROTOCOL_VERSION, "ada", "/dev/pts/1", False, 5.0)
    press = CommandRequest(3, OperatorCommand(Command.HALT, "eve", "", "BTCUSDT", 0, 0, 0))
    said = (_framed(attach, press), _framed(StatusRequest(1)), _framed(attach, SetFrameRate(4.0)))
    slow = lambda frame_hz: 100 / frame_hz  # noqa: E731  a planted piece
    yield Target(
        "link-to-session", lambda data: asyncio.run(_serve(data)), said, (server, "_clamped_hz", slow)
    )
    hello = Hello(PROTOCOL_VERSION, "1", "s", 1, "/g", True)
    shown = (
        _framed(hello, SnapshotFrame(_picture())),
        _framed(hello, CommandResult(1, ok=True, text="x"), SessionEnding("over", 0)),
    )
    status = lambda _link, message: ("clean", "usage")[getattr(message, "exit_status", 0)]  # noqa: E731  as above
    yield Target(
        "link-to-console", lambda data: asyncio.run(_attached(data)), shown, (sockets, "_take", status)
    )
