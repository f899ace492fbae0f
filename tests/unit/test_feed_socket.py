"""The transport: stamped messages out of a WebSocket on loopback, and how each kind of end is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from pipeline.runtime.clock import SessionClock
from pipeline.runtime.feed_socket import ConnectError, Socket, open_socket


class Ear:
    """A receiver that keeps everything."""

    def __init__(self) -> None:
        self.socket: Socket | None = None
        self.messages: list[bytes] = []
        self.stamps: list[int] = []
        self.lost: list[str] = []

    def on_open(self, socket: Socket) -> None:
        self.socket = socket

    def on_message(self, payload: bytes, ts_recv_ns: int, received: int) -> None:
        assert received > 0
        self.messages.append(payload)
        self.stamps.append(ts_recv_ns)

    def on_lost(self, reason: str) -> None:
        self.lost.append(reason)


class Venue:
    """A server whose connections the test drives."""

    def __init__(self) -> None:
        self.port = 0
        self.connections: list[ServerConnection] = []

    async def serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        await connection.wait_closed()


@contextlib.asynccontextmanager
async def venue() -> AsyncIterator[Venue]:
    found = Venue()
    async with serve(found.serve, "127.0.0.1", 0) as server:
        found.port = next(iter(server.sockets)).getsockname()[1]
        yield found


async def connected(at: Venue, max_bytes: int = 1_000_000) -> tuple[Ear, ServerConnection]:
    ear = Ear()
    await open_socket(f"ws://127.0.0.1:{at.port}/stream?streams=a", ear, SessionClock(), max_bytes)
    await until(lambda: bool(at.connections))
    return ear, at.connections[-1]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def test_messages_come_whole_and_in_order_with_rising_stamps() -> None:
    async with venue() as at:
        ear, connection = await connected(at)
        sent = [f"message {number}" for number in range(500)]
        for text in sent:
            await connection.send(text)
        await connection.send(["in ", "three ", "pieces"])
        await connection.send("x" * 300_000)
        await until(lambda: len(ear.messages) == 502)
    assert ear.messages[:500] == [text.encode() for text in sent]
    assert ear.messages[500] == b"in three pieces"
    assert len(ear.messages[501]) == 300_000
    assert all(later - earlier >= 2 for earlier, later in zip(ear.stamps, ear.stamps[1:], strict=False))


async def test_a_ping_is_answered_and_ours_is_heard_of() -> None:
    async with venue() as at:
        ear, connection = await connected(at)
        async with asyncio.timeout(5):
            await (await connection.ping())
        assert ear.socket is not None
        before_ns = ear.socket.heard_ns
        ear.socket.ping()
        await until(lambda: ear.socket is not None and ear.socket.heard_ns > before_ns)
    assert ear.messages == []


async def test_an_oversized_message_ends_the_connection_and_nothing_of_it_arrives() -> None:
    async with venue() as at:
        ear, connection = await connected(at, max_bytes=1_000)
        await connection.send("x" * 1_000)
        with contextlib.suppress(ConnectionClosed):
            await connection.send("x" * 1_001)
        await until(lambda: bool(ear.lost))
    assert ear.lost == ["a message over 1000 bytes"]
    assert ear.messages == [b"x" * 1_000]


async def test_an_oversized_message_in_pieces_ends_the_connection_as_well() -> None:
    async with venue() as at:
        ear, connection = await connected(at, max_bytes=1_000)
        with contextlib.suppress(ConnectionClosed):
            await connection.send(["x" * 600, "x" * 600])
        await until(lambda: bool(ear.lost))
    assert ear.lost == ["a message over 1000 bytes"]
    assert ear.messages == []


async def test_an_end_without_a_word_and_one_in_good_order_are_told_apart() -> None:
    async with venue() as at:
        ear, connection = await connected(at)
        connection.transport.abort()
        await until(lambda: bool(ear.lost))
        assert ear.lost[0].startswith("connection lost")
        ear, connection = await connected(at)
        await connection.close(1012, "\x1b[2Jrestart")
        await until(lambda: bool(ear.lost))
    assert ear.lost == ["closed by the venue (1012)"]


async def test_bytes_that_are_no_websocket_break_the_connection_only() -> None:
    async with venue() as at:
        ear, connection = await connected(at)
        connection.transport.write(b"\xff\xff\xff\xff garbage")
        await until(lambda: bool(ear.lost))
    assert ear.lost == ["protocol broken (1002)"]


async def test_after_our_close_nothing_is_delivered_and_nobody_is_told() -> None:
    async with venue() as at:
        ear, connection = await connected(at)
        assert ear.socket is not None
        ear.socket.close()
        with contextlib.suppress(ConnectionClosed):
            await connection.send("late")
        async with asyncio.timeout(5):
            await connection.wait_closed()
        assert connection.close_code == 1000
        await asyncio.sleep(0)
    assert ear.messages == []
    assert ear.lost == []


@contextlib.asynccontextmanager
async def somebody(answer: bytes) -> AsyncIterator[int]:
    """Serve one answer to whoever comes, and hang up; give the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4_096)
        writer.write(answer)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("scheme", "answer", "words"),
    [
        (
            "ws",
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            "HTTP 404 instead of a WebSocket: is it this venue's server?",
        ),
        (
            "ws",
            b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
            "HTTP 200 instead of a WebSocket: is it this venue's server?",
        ),
        ("ws", b"\x00\x01\x1b[2J garbage \xff\r\n\r\n", "no WebSocket server there"),
        ("wss", b"HTTP/1.1 400 Bad Request\r\n\r\n", "no TLS at 127.0.0.1:PORT"),
    ],
)
async def test_a_server_that_is_no_venue_is_an_error_in_plain_words(
    scheme: str, answer: bytes, words: str
) -> None:
    ear = Ear()
    async with somebody(answer) as port:
        with pytest.raises(ConnectError) as refused:
            await open_socket(f"{scheme}://127.0.0.1:{port}/", ear, SessionClock(), 1_000)
    assert str(refused.value) == words.replace("PORT", str(port))
    assert ear.socket is None
    assert ear.lost == []


@pytest.mark.parametrize(
    ("head", "wait_s"),
    [
        (b"429 Too Many Requests\r\nRetry-After: 25", 25),
        (b"418 I'm a teapot", 60),
        (b"429 Too Many Requests\r\nRetry-After: 99999999", 3_600),
        (b"429 Too Many Requests\r\nRetry-After: soon", 60),
        (b"503 Service Unavailable\r\nRetry-After: 25", 0),
    ],
)
async def test_a_venue_that_had_too_much_says_how_long_it_wants_to_be_left_alone(
    head: bytes, wait_s: int
) -> None:
    async with somebody(b"HTTP/1.1 " + head + b"\r\nContent-Length: 0\r\n\r\n") as port:
        with pytest.raises(ConnectError) as refused:
            await open_socket(f"ws://127.0.0.1:{port}/", Ear(), SessionClock(), 1_000)
    assert refused.value.wait_s == wait_s
    assert str(refused.value).endswith("the venue wants fewer connections") is (wait_s > 0)


async def test_nobody_there_is_an_error_that_names_the_place() -> None:
    with pytest.raises(ConnectError, match=r"nothing listens at 127\.0\.0\.1:1$"):
        await open_socket("ws://127.0.0.1:1/", Ear(), SessionClock(), 1_000)


async def test_what_waits_unread_is_known_until_the_end() -> None:
    async with venue() as at:
        ear, connection = await connected(at)
        assert ear.socket is not None
        connection.transport.write(b"\x81\x05hello" * 100)
        assert ear.socket.waiting_bytes in (0, 700)
        await until(lambda: len(ear.messages) == 100)
        assert ear.socket.waiting_bytes == 0
        connection.transport.abort()
        await until(lambda: bool(ear.lost))
        assert ear.socket.waiting_bytes == 0
