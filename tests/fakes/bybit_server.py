"""Bybit's public stream on loopback: subscriptions by message, whole books in the stream, pings answered.

It plays frames in the order given, recorded or made, and keeps every book itself, so that who subscribes in
the middle is told the book as it stands then. What goes wrong is up to the test.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from tests.fakes.market_builders import compact

Book = tuple[dict[str, str], dict[str, str]]
"""Sizes by price of bids and asks, as printed."""


@dataclass(eq=False)
class _Topic:
    """One topic and what was last said of it."""

    newest: dict[str, Any] = field(default_factory=dict)
    book: Book = field(default_factory=lambda: ({}, {}))

    def take(self, message: dict[str, Any]) -> None:
        self.newest = message
        data = message["data"]
        if message["type"] == "snapshot":
            self.book = {}, {}
        for side, changes in zip(self.book, (data["b"], data["a"]), strict=True):
            for price, size in changes:
                side[price] = size
                if float(size) == 0:
                    del side[price]

    def snapshot(self) -> bytes:
        bids, asks = ([[price, size] for price, size in side.items()] for side in self.book)
        data = {**self.newest["data"], "b": bids, "a": asks}
        return compact({**self.newest, "type": "snapshot", "data": data})


class BybitServer:
    """Serves frames to whoever subscribed to their topic; use `async with`."""

    def __init__(self, frames: Iterable[bytes]) -> None:
        self._frames = iter(frames)
        self._topics: dict[str, _Topic] = {}
        self._clients: dict[ServerConnection, set[str]] = {}
        self._stack = contextlib.AsyncExitStack()
        self.port = 0
        self.heard: list[dict[str, Any]] = []
        """Every message of every client, in order."""
        self.paths: list[str] = []
        self.dropped = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def topics(self) -> set[str]:
        """Give what all clients together are subscribed to."""
        return set().union(*self._clients.values())

    async def __aenter__(self) -> BybitServer:
        server = await self._stack.enter_async_context(serve(self._serve, "127.0.0.1", 0, ping_interval=None))
        self.port = next(iter(server.sockets)).getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        await self._stack.aclose()

    def cut(self) -> None:
        """End every connection without a word."""
        for socket in [*self._clients]:
            socket.transport.abort()

    def step(self, *, drop: bool = False) -> bool:
        """Play the next frame, or lose it on the way; False when there is none."""
        frame = next(self._frames, None)
        if frame is None:
            return False
        message = json.loads(frame)
        name = message.get("topic", "")
        if name.startswith("orderbook"):
            self._topics.setdefault(name, _Topic()).take(message)
        if not drop:
            broadcast([one for one, topics in self._clients.items() if name in topics], frame.decode())
        self.dropped += drop
        return True

    async def play(self, frames: int, *, hz: float = 400.0) -> bool:
        """Play so many frames at a pace; False when they came to their end."""
        for _ in range(frames):
            if not self.step():
                return False
            await asyncio.sleep(1 / hz)
        return True

    async def wait_for_topics(self, count: int, timeout_s: float = 20.0) -> None:
        """Come back when so many topics are subscribed to."""
        async with asyncio.timeout(timeout_s):
            while len(self.topics) < count:
                await asyncio.sleep(0.01)

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.paths.append(socket.request.path)
        self._clients[socket] = set()
        try:
            with contextlib.suppress(ConnectionClosed):
                async for text in socket:
                    await self._answer(socket, json.loads(text))
        finally:
            del self._clients[socket]

    async def _answer(self, socket: ServerConnection, request: dict[str, Any]) -> None:
        self.heard.append(request)
        topics, args = self._clients[socket], request.get("args", [])
        answer = {"success": len(args) <= 10, "ret_msg": "", "conn_id": "c", "op": request["op"]}
        if request["op"] == "ping":
            answer["ret_msg"] = "pong"
        await socket.send(json.dumps(answer))
        if request["op"] == "unsubscribe":
            topics.difference_update(args)
        elif request["op"] == "subscribe" and answer["success"]:
            topics.update(args)
            books = [self._topics[name].snapshot() for name in args if name in self._topics]
            for book in books:
                await socket.send(book.decode())
