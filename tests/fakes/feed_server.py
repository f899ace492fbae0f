"""A venue on loopback for feed tests: combined streams and whole books, with faults the test injects.

What goes wrong is drawn from a seed, once a connection and frame, so that two connections of one client may
differ as they do in life.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.fakes.feed_market import FeedMarket


@dataclass
class Faults:
    """Shares of frames each fault hits; `silent` channels are accepted and bring nothing."""

    drop: float = 0.0
    repeat: float = 0.0
    reorder: float = 0.0
    garbage: float = 0.0
    silent: set[str] = field(default_factory=set)
    snapshot_status: int = 200
    snapshots_behind: int = 0
    snapshot_delay_s: float = 0.0


@dataclass(eq=False)
class _Client:
    socket: ServerConnection
    streams: frozenset[str]
    chance: random.Random
    held: list[bytes] = field(default_factory=list)


class FeedServer:
    """Serves markets to every client; use `async with`."""

    def __init__(self, markets: Sequence[FeedMarket], seed: int = 1) -> None:
        self.markets = {market.symbol: market for market in markets}
        self.faults = Faults()
        self.connections = 0
        self.snapshots_asked: list[str] = []
        self.paths: list[str] = []
        self.lag_of_new = 0
        """Frames a connection is behind the others from its start (a slower server of the venue)."""
        self._seed = seed
        self._clients: list[_Client] = []
        self._stack = contextlib.AsyncExitStack()
        self.port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def __aenter__(self) -> FeedServer:
        server = await self._stack.enter_async_context(
            serve(self._serve, "127.0.0.1", 0, process_request=self._answer, ping_interval=None)
        )
        self.port = next(iter(server.sockets)).getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        await self._stack.aclose()

    @property
    def clients(self) -> int:
        return len(self._clients)

    async def run(self, hz: float, seconds: float, *, steps: int = 1) -> None:
        """Move every market `steps` updates, `hz` times a second; late on a busy machine, but all of them."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for turn in range(int(hz * seconds)):
            for _ in range(steps):
                self.step()
            await asyncio.sleep(max(0.0, began_s + (turn + 1) / hz - loop.time()))

    def step(self) -> None:
        """Move every market by one update and send what tells of it."""
        for market in self.markets.values():
            for stream, frame in market.step():
                self.send(stream, frame)

    def send(self, stream: str, frame: bytes) -> None:
        """Send one frame to whoever subscribed to its stream, through the faults."""
        if stream in self.faults.silent:
            return
        for client in [*self._clients]:
            if stream in client.streams:
                for one in self._through(client, frame):
                    self._push(client, one)

    def say(self, message: str | bytes) -> None:
        """Send a message to everybody, whatever they subscribed to."""
        broadcast([client.socket for client in self._clients], message)

    def cut(self) -> None:
        """End every connection without a word."""
        for client in [*self._clients]:
            client.socket.transport.abort()

    async def close_all(self, code: int = 1001) -> None:
        """End every connection in good order."""
        await asyncio.gather(*(client.socket.close(code) for client in [*self._clients]))

    async def wait_for_clients(self, count: int, timeout_s: float = 20.0) -> None:
        """Come back when so many connections stand."""
        async with asyncio.timeout(timeout_s):
            while len(self._clients) < count:
                await asyncio.sleep(0.01)

    def _through(self, client: _Client, frame: bytes) -> Iterable[bytes]:
        faults, chance = self.faults, client.chance
        if len(client.held) < self.lag_of_new and client is self._clients[-1] and len(self._clients) > 1:
            client.held.append(frame)
            return ()
        if self.lag_of_new and client.held:
            client.held.append(frame)
            return (client.held.pop(0),)
        if chance.random() < faults.drop:
            return ()
        if chance.random() < faults.repeat:
            return (frame, frame)
        if chance.random() < faults.garbage:
            return (frame[: chance.randrange(1, len(frame))],)
        if chance.random() < faults.reorder:
            client.held.append(frame)
            return ()
        held, client.held = client.held, []
        return (frame, *held)

    def _push(self, client: _Client, frame: bytes) -> None:
        broadcast([client.socket], frame.decode())

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        parts = urlsplit(socket.request.path)
        names = parse_qs(parts.query).get("streams", [""])[0]
        self.connections += 1
        self.paths.append(parts.path)
        streams = frozenset(unquote(name) for name in names.split("/"))
        client = _Client(socket, streams, random.Random(self._seed * 1_000 + self.connections))
        self._clients.append(client)
        try:
            with contextlib.suppress(ConnectionClosed):
                async for _ in socket:
                    pass
        finally:
            self._clients.remove(client)

    async def _answer(self, socket: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        if not parts.path.endswith("/depth"):
            return None
        symbol = parse_qs(parts.query)["symbol"][0]
        self.snapshots_asked.append(symbol)
        body = self.markets[symbol].snapshot(self.faults.snapshots_behind)
        status = self.faults.snapshot_status
        await asyncio.sleep(self.faults.snapshot_delay_s)
        return socket.respond(status, body.decode() if status == 200 else "no")
