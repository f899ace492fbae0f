"""Feed parts on a clock the test moves: settings, sockets in memory, and a sink that keeps everything."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec

from pipeline.core.inputs import FeedStatusChanged
from pipeline.core.params import SECOND
from pipeline.runtime.clock import SessionClock
from pipeline.runtime.feed_endpoints import RoutePlan, plan_routes
from pipeline.runtime.feed_params import FeedParams
from pipeline.runtime.feed_route import Route
from pipeline.runtime.feed_socket import ConnectError, Receiver

START_NS = 1_700_000_000_000_000_000
PARAMS = FeedParams(stream_url="ws://venue", rest_url="http://venue")


def feed_params(**changes: Any) -> FeedParams:
    """Give the shipped settings with changes."""
    return msgspec.structs.replace(PARAMS, **changes)


class Times:
    """Session time in the test's hands."""

    def __init__(self) -> None:
        self.steady_ns = 0
        self.clock = SessionClock(lambda: START_NS, lambda: self.steady_ns)

    def pass_s(self, seconds: float) -> int:
        """Let time pass; give the session's now."""
        self.steady_ns += int(seconds * SECOND)
        return self.clock.now_ns()


@dataclass(eq=False)
class FakeSocket:
    """A connection in memory; the test is the venue."""

    receiver: Receiver
    clock: SessionClock
    url: str
    heard_ns: int = 0
    pings: int = 0
    closed: bool = False
    waiting_bytes: int = 0
    sent: list[bytes] = field(default_factory=list)

    def ping(self) -> None:
        self.pings += 1

    def send(self, message: bytes) -> None:
        self.sent.append(message)

    def close(self) -> None:
        self.closed = True

    def say(self, message: bytes) -> None:
        """Deliver a message, as long as we have not closed the connection."""
        if not self.closed:
            self.heard_ns = self.clock.now_ns()
            self.receiver.on_message(message, self.heard_ns, 0)

    def end(self, reason: str = "connection lost") -> None:
        """End the connection from the venue's side."""
        if not self.closed:
            self.closed = True
            self.receiver.on_lost(reason)


class FakeVenue:
    """Opens fake sockets, or refuses to."""

    def __init__(self) -> None:
        self.sockets: list[FakeSocket] = []
        self.attempts = 0
        self.refuses = False
        self.wait_s = 0

    async def connect(self, url: str, receiver: Receiver, clock: SessionClock, _: int) -> None:
        self.attempts += 1
        if self.refuses:
            raise ConnectError("nothing listens at venue:80", self.wait_s)
        socket = FakeSocket(receiver, clock, url, heard_ns=clock.now_ns())
        self.sockets.append(socket)
        receiver.on_open(socket)

    @property
    def open(self) -> list[FakeSocket]:
        return [socket for socket in self.sockets if not socket.closed]


@dataclass(eq=False)
class Sink:
    """Keeps what a feed delivers."""

    frames: list[tuple[bytes, int]] = field(default_factory=list)
    """Message and epoch."""
    statuses: list[FeedStatusChanged] = field(default_factory=list)
    believes: bool = True

    def frame(self, payload: bytes, ts_recv_ns: int, epoch: int, source: int = 0, received: int = 0) -> bool:
        assert ts_recv_ns > 0
        assert source >= 0
        assert received >= 0
        self.frames.append((payload, epoch))
        return self.believes

    def status(self, status: FeedStatusChanged) -> None:
        self.statuses.append(status)

    @property
    def said(self) -> list[tuple[str, bool, str]]:
        """Give channel, up and reason of every status."""
        return [(status.channel, status.up, status.reason) for status in self.statuses]


class RouteBench:
    """One route of one symbol, of Binance spot unless another venue is named, with sink and clock."""

    def __init__(self, chance: float = 0.5, venue: str = "binance", **changes: Any) -> None:
        self.times = Times()
        self.venue = FakeVenue()
        self.sink = Sink()
        params = feed_params(**{"notice_age_ms": 0, **changes})
        self.plan: RoutePlan = plan_routes(venue, ["BTCUSDT"], params)[0]
        self.route = Route(self.plan, params, self.times.clock, self.sink, self.venue.connect, lambda: chance)

    async def pass_s(self, seconds: float, step_s: float = 0.1) -> None:
        """Let time pass, with a tick at each step."""
        left = seconds
        while left > 1e-9:
            now_ns = self.times.pass_s(min(step_s, left))
            left -= step_s
            self.route.tick(now_ns)
            await settle()

    async def opened(self) -> FakeSocket:
        """Start the route and give its first connection."""
        self.route.start()
        await self.pass_s(0.1)
        return self.venue.sockets[0]


async def settle() -> None:
    """Let what is ready run."""
    for _ in range(5):
        await asyncio.sleep(0)


def message(stream: str, body: str = "{}") -> bytes:
    """Give a message of a combined stream."""
    return f'{{"stream":"{stream}","data":{body}}}'.encode()


def depth_frame(last: int, symbol: str = "btcusdt") -> bytes:
    """Give a spot depth message over one id."""
    return message(f"{symbol}@depth@100ms", f'{{"e":"depthUpdate","U":{last},"u":{last},"b":[],"a":[]}}')


def trade_frame(trade_id: int, symbol: str = "btcusdt") -> bytes:
    """Give a spot trade message."""
    return message(f"{symbol}@trade", f'{{"e":"trade","t":{trade_id},"a":1}}')


def ticker_frame(last: int, symbol: str = "btcusdt") -> bytes:
    """Give a spot ticker message."""
    return message(f"{symbol}@bookTicker", f'{{"u":{last},"b":"1","a":"2"}}')
