"""A whole feed on a virtual clock: routes, snapshots, engine, and a venue that breaks by seed.

The feed is the product's, its sockets and requests go to a simulated venue in memory. One seed gives one
history: which frames are lost, when connections end, how long the waits are.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from pipeline.core.params import MS, SECOND
from pipeline.core.types import Authority, BookState, Instrument, VenueMode
from pipeline.runtime.clock import SessionClock
from pipeline.runtime.feed import Feed
from pipeline.runtime.feed_socket import Receiver
from pipeline.runtime.gateway import PaperGateway
from pipeline.runtime.live_run import LiveRun
from pipeline.sim.opening import SimOptions, open_replay
from pipeline.sim.paper import PaperVenue
from pipeline.sim.protocol.faults import parse_fault
from pipeline.sim.protocol.rest import HttpRequest
from pipeline.sim.protocol.venue import Session, SimVenue
from pipeline.wire.venues import codec_for
from tests.fakes.believed_books import CheckedEngine, MarketTruth, Proof
from tests.fakes.engines import engine_params
from tests.fakes.feed_market import FeedMarket
from tests.fakes.feeds import Times, feed_params, settle

STEP_NS = 10 * MS
LEVELS = 100
MOST_LAG_NS = 150 * MS
"""Three updates."""

Frames = list[tuple[int, bytes]]


def market_frames(market: FeedMarket, updates: int, every_ns: int = 50 * MS) -> Frames:
    """Give a capture of a market the test made: its book, then the frames of its updates."""
    ts_ns = 1_000 * SECOND
    frames: Frames = [(ts_ns, market.snapshot())]
    for _ in range(updates):
        ts_ns += every_ns
        frames += [(ts_ns + number, frame) for number, (_, frame) in enumerate(market.step())]
    return frames


@dataclass(eq=False)
class VirtualSocket:
    """One connection of the feed to the venue; what is sent waits until the venue's turn is over."""

    receiver: Receiver
    clock: SessionClock
    venue: SimVenue
    max_bytes: int
    lag_ns: int
    """How far this server of the venue is behind."""
    heard_ns: int = 0
    session: Session | None = None
    waiting: deque[tuple[int, bytes]] = field(default_factory=deque)
    ended: str = ""
    closed: bool = False
    waiting_bytes: int = 0

    # --- the venue's side ---------------------------------------------------------------------------------

    def send(self, frame: bytes) -> None:
        self.waiting.append((self.clock.now_ns() + self.lag_ns, frame))

    def abort(self) -> None:
        self.ended = self.ended or "connection lost"

    # --- the feed's side ----------------------------------------------------------------------------------

    def ping(self) -> None:
        self.heard_ns = self.clock.now_ns()

    def close(self, code: int = 0, reason: str = "") -> None:
        """End it: the feed without arguments, the venue with code and reason."""
        if code:
            self.ended = self.ended or f"closed by the venue ({code}) {reason}"
        else:
            self.closed = True

    def deliver(self) -> None:
        """Hand over what has come."""
        while self.waiting and not self.closed:
            self.heard_ns = self.clock.now_ns()
            due_ns, frame = self.waiting[0]
            if due_ns > self.heard_ns:
                break
            self.waiting.popleft()
            if len(frame) > self.max_bytes:
                self.ended, self.waiting = "a message too long", deque()
                break
            self.receiver.on_message(frame, self.heard_ns, 0)
        if self.ended and not self.closed:
            self.closed = True
            self.receiver.on_lost(self.ended)


class VirtualFeed:
    """A session's feed and engine on a market the test made, through a venue with faults."""

    def __init__(
        self,
        market: FeedMarket,
        params: Mapping[str, int],
        *,
        seed: int = 1,
        updates: int = 400,
        faults: Sequence[str] = (),
        lifetime_s: float = 86_400.0,
    ) -> None:
        self.times = Times()
        self.clock = self.times.clock
        self.proof = Proof()
        self.sockets: list[VirtualSocket] = []
        self._lags = random.Random(-seed)
        instrument = market.instrument
        frames = market_frames(market, updates)
        self.venue = self._open(frames, instrument, seed, faults, int(lifetime_s * SECOND))
        self.run = self._run(market)
        self.feed = Feed(
            instrument.venue,
            (market.symbol,),
            feed_params(**{"snapshot_limit": 100, "max_frame_bytes": 1 << 20, **params}),
            self.clock,
            self.run,
            connect=self._connect,
            chance=random.Random(seed).random,
            requests=httpx.MockTransport(self._answer),
        )
        self.run.want_snapshot = self.feed.want_snapshot

    @property
    def state(self) -> BookState:
        (symbol,) = self.run.engine.symbols
        synced = self.run.engine.synced_book(symbol)
        assert synced is not None
        return synced.state

    async def pass_s(self, seconds: float) -> None:
        """Let time pass, ten milliseconds at a time; every input is checked on its way."""
        for _ in range(round(seconds * SECOND / STEP_NS)):
            now_ns = self.times.pass_s(STEP_NS / SECOND)
            self.venue.advance(now_ns)
            for socket in [*self.sockets]:
                socket.deliver()
                if socket.closed:
                    self._leave(socket)
            self.run.beat(0)
            self.feed.tick(self.clock.now_ns())
            await settle()

    async def __aenter__(self) -> VirtualFeed:
        self.feed.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.feed.close()

    def _open(
        self, frames: Frames, instrument: Instrument, seed: int, faults: Sequence[str], lifetime_ns: int
    ) -> SimVenue:
        options = SimOptions(
            seed=seed,
            faults=tuple(parse_fault(text) for text in faults),
            lifetime_ns=lifetime_ns,
            notice_ns=min(600 * SECOND, lifetime_ns // 4),
        )

        def open_frames() -> Iterator[tuple[int, bytes]]:
            return iter(frames)

        listed = {instrument.symbol: instrument}
        return open_replay(options, open_frames, listed, self.clock.now_ns(), times_now=False)[0]

    def _run(self, market: FeedMarket) -> LiveRun:
        instrument = market.instrument
        params = engine_params(
            mode=VenueMode.PAPER, authority=Authority.OBSERVE, model=None, instruments=(instrument,)
        )
        truths = {market.symbol: MarketTruth(market)}
        paper = PaperVenue((instrument,), ack_latency_ns=MS, cancel_latency_ns=MS)
        return LiveRun(
            engine=CheckedEngine(params, truths, self.proof, LEVELS),
            codec=codec_for(instrument.venue, {market.symbol: instrument}),
            gateway=PaperGateway(paper, None),
            pool=None,
            journal=None,
            sources=("", market.symbol),
            clock=self.clock,
        )

    async def _connect(self, url: str, receiver: Receiver, clock: SessionClock, max_bytes: int) -> None:
        await asyncio.sleep(0)
        lag_ns = self._lags.randrange(MOST_LAG_NS)
        socket = VirtualSocket(receiver, clock, self.venue, max_bytes, lag_ns, heard_ns=clock.now_ns())
        parts = urlsplit(url)
        socket.session = self.venue.open(socket, parts.path, parts.query, clock.now_ns())
        assert socket.session is not None
        self.sockets.append(socket)
        receiver.on_open(socket)

    def _leave(self, socket: VirtualSocket) -> None:
        self.sockets.remove(socket)
        if socket.session is not None:
            self.venue.leave(socket.session)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        asked = HttpRequest(request.method, request.url.path, request.url.query.decode())
        answer = self.venue.http(asked, self.clock.now_ns())
        if answer is None:
            raise httpx.ReadError("cut")
        return httpx.Response(answer.status, content=answer.body, headers=dict(answer.headers))
