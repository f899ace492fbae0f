"""Runs a simulated venue on loopback in real time: one asyncio loop, one port for everything.

The market moves with the wall clock, event by event; whatever a client sends is handled after all that was
due before it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from pipeline.sim.connection import VenueConnection
from pipeline.sim.protocol.hub import MarketSession
from pipeline.sim.protocol.link import Link
from pipeline.sim.protocol.rest import HttpAnswer, HttpRequest
from pipeline.sim.protocol.venue import Session, SimVenue

LOOPBACK = "127.0.0.1"
_LONGEST_S = 0.5
_SHORTEST_S = 0.001
GOING_AWAY = 1_001


class VenueHost:
    """Owns the venue's clock and its connections."""

    def __init__(self, venue: SimVenue, clock_ns: Callable[[], int] = time.time_ns) -> None:
        """Host a venue; `clock_ns` is the time it lives in, which must be the one it was opened in."""
        self.venue = venue
        self._clock_ns = clock_ns
        self._connections: dict[VenueConnection, None] = {}
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pinger: asyncio.TimerHandle | None = None

    async def start(self, port: int = 0) -> int:
        """Listen on loopback and let the market move; give the port.

        Raises:
            OSError: the port is taken.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: VenueConnection(self), LOOPBACK, port)
        self._tick()
        self._pinger = loop.call_later(self.venue.dialect.ping_s, self._ping)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Say goodbye to every client and close."""
        for timer in (self._timer, self._pinger):
            if timer is not None:
                timer.cancel()
        if self._server is not None:
            self._server.close()
        self.venue.close_all(GOING_AWAY, "going away")
        for _ in range(20):
            if not self._connections:
                break
            await asyncio.sleep(0.01)
        for connection in list(self._connections):
            connection.abort()
        await asyncio.sleep(0)

    def opened(self, connection: VenueConnection) -> None:
        """Take note of a new connection."""
        self._connections[connection] = None

    def closed(self, connection: VenueConnection) -> None:
        """Forget a connection."""
        self._connections.pop(connection, None)
        if connection.http_number:
            self.venue.log.closed(connection.http_number, self._clock_ns())

    def may_connect(self) -> bool:
        """Count an attempt to open a session; say whether the venue lets it in."""
        return self.venue.may_connect(self._clock_ns())

    def number_of(self, path: str, agent: str) -> int:
        """Give the number of a new connection that speaks plain HTTP."""
        return self.venue.log.opened(path, agent, self._clock_ns())

    def open_session(self, link: Link, path: str, query: str, agent: str) -> Session | None:
        """Open a session at a path; None where there is nothing."""
        session = self.venue.open(link, path, query, self._clock_ns(), agent)
        self._schedule()
        return session

    def leave(self, session: Session) -> None:
        """Forget a session."""
        self.venue.leave(session)

    def receive(self, session: Session, frame: bytes) -> None:
        """Hand over a client's message."""
        self.venue.receive(session, frame, self._clock_ns())
        self._schedule()

    def http(self, request: HttpRequest) -> HttpAnswer | None:
        """Answer a REST request; None to cut the connection."""
        answer = self.venue.http(request, self._clock_ns())
        self._schedule()
        return answer

    def counts_too_many(self, session: Session) -> bool:
        """Count a client's ping or pong; say whether it was one too many."""
        return isinstance(session, MarketSession) and session.counts_too_many(self._clock_ns())

    def _tick(self) -> None:
        self._timer = None
        self.venue.advance(self._clock_ns())
        self._schedule()

    def _schedule(self) -> None:
        """Come back when something is due; a due time that came nearer replaces the one waited for."""
        next_ns = self.venue.next_ns
        wait_s = _LONGEST_S if next_ns is None else (next_ns - self._clock_ns()) / 1e9
        wait_s = min(max(wait_s, _SHORTEST_S), _LONGEST_S)
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._timer.when() <= loop.time() + wait_s:
                return
            self._timer.cancel()
        self._timer = loop.call_later(wait_s, self._tick)

    def _ping(self) -> None:
        dialect = self.venue.dialect
        for connection in list(self._connections):
            if connection.unanswered_pings >= int(dialect.pong_within_s / dialect.ping_s):
                connection.abort()
            else:
                connection.ping()
        self._pinger = asyncio.get_running_loop().call_later(dialect.ping_s, self._ping)
