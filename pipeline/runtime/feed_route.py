"""One route of a feed kept open: connect, watch, replace, bridge.

Theory of operation. A route has a *live* connection or waits for the next attempt (`feed_backoff`). A lost
connection is replaced by one of a new epoch, at which every book on it starts anew. A live connection that
grows old, or whose venue announces its end, is bridged: a *rising* one is opened beside it, both pass through
a `Handover`, and when every channel has moved the old one is closed; the epoch stays, no book is lost. The
handover stays until nothing the new one brings can be a repeat. A rising connection that never gets there is
given up and tried again later; a live one that dies meanwhile is replaced by the rising one, in the same
epoch only if the books' channels had moved.

`tick` is called about ten times a second; every decision is taken there or in a socket's callback.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Protocol

from pipeline.core.inputs import CONNECTING, FeedStatusChanged
from pipeline.core.params import MS
from pipeline.core.snapshot import FeedView
from pipeline.runtime.clock import SessionClock
from pipeline.runtime.feed_backoff import Backoff
from pipeline.runtime.feed_channels import ChannelNews, ChannelWatch
from pipeline.runtime.feed_endpoints import RoutePlan
from pipeline.runtime.feed_handover import Handover
from pipeline.runtime.feed_params import FeedParams
from pipeline.runtime.feed_socket import Connect, ConnectError, Socket
from pipeline.runtime.feed_talk import Talk
from pipeline.wire.venue import ChannelKind

_SHUTDOWN = b"serverShutdown"
_ROTATE_JITTER = 0.02
_NEVER_NS = 1 << 62


class FeedSink(Protocol):
    """Who the feed delivers to."""

    def frame(self, payload: bytes, ts_recv_ns: int, epoch: int, source: int = 0, received: int = 0) -> bool:
        """Take one raw message; False when the codec refused it.

        `source` 0 names no symbol, the others count the session's from 1; `received` is the
        `perf_counter_ns` at which the bytes were read.
        """
        ...

    def status(self, status: FeedStatusChanged) -> None:
        """Take what became of a connection, a channel or the snapshot service."""
        ...


@dataclass(slots=True)
class RouteCounts:
    """What happened on one route."""

    messages: int = 0
    attempts: int = 0
    connections: int = 0
    lost: int = 0
    bridged: int = 0
    duplicates: int = 0
    renewals: int = 0
    """Books asked for anew in their stream."""
    most_waiting_bytes: int = 0
    """Highest reading of what the kernel held for us."""


class _Connection:
    """One connection and its receiver."""

    def __init__(self, route: Route, opened_ns: int, rotate_ns: int) -> None:
        self.route = route
        self.watch = ChannelWatch(route.plan.channels, route.params, opened_ns, route.silent)
        self.channels = self.watch.channels
        self.rotate_ns = rotate_ns
        self.socket: Socket | None = None
        self.talk: Talk | None = None
        self.pinged_ns = 0
        self.refused: deque[int] = deque(maxlen=route.params.refused_most)

    def on_open(self, socket: Socket) -> None:
        self.socket = socket
        self.route.on_open(self)

    def on_message(self, payload: bytes, ts_recv_ns: int, received: int) -> None:
        self.route.on_message(self, payload, ts_recv_ns, received)

    def on_lost(self, reason: str) -> None:
        self.route.on_lost(self, reason)

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()


class Route:
    """Keeps one connection of a feed open; single-threaded, on the event loop."""

    def __init__(
        self,
        plan: RoutePlan,
        params: FeedParams,
        clock: SessionClock,
        sink: FeedSink,
        connect: Connect,
        chance: Callable[[], float],
    ) -> None:
        self.plan = plan
        self.params = params
        self.epoch = 0
        self.counts = RouteCounts()
        self.silent: dict[str, None] = {}
        """Channels whose silence was reported and has not ended."""
        self._clock = clock
        self._sink = sink
        self._connect = connect
        self._chance = chance
        self._backoff = Backoff(params, chance)
        self._live: _Connection | None = None
        self._rising: _Connection | None = None
        self._handover: Handover | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._up = False
        self._reason = ""
        self._closed = False

    def start(self) -> None:
        """Say that there is no connection yet; the next tick opens one."""
        self._say(up=False, reason=CONNECTING)

    # --- each beat ----------------------------------------------------------------------------------------

    def tick(self, now_ns: int) -> None:
        """Look what time has brought."""
        live = self._live
        if self._closed:
            return
        if live is None:
            if self._attempt is None and self._backoff.is_due(now_ns):
                self._try(now_ns)
            return
        if live.talk is not None:
            live.talk.tick(now_ns)
        for news in live.watch.news(now_ns):
            self._say_channel(news, now_ns)
        if live.socket is not None:
            waiting = live.socket.waiting_bytes
            self.counts.most_waiting_bytes = max(self.counts.most_waiting_bytes, waiting)
        reason = live.watch.deaf(now_ns) or self._no_sign_of_life(live, now_ns)
        if reason:
            self._lose(live, reason)
        else:
            self._bridge(live, now_ns)

    def renew(self, symbol: str, epoch: int) -> None:
        """Ask for a symbol's book to begin anew in its stream, unless that epoch's connection is gone."""
        live = self._live
        if live is not None and live.talk is not None and epoch == self.epoch:
            self.counts.renewals += live.talk.renew(symbol, self._clock.now_ns())

    def view(self, now_ns: int) -> FeedView:
        """Give how it stands: up, or why not and when it is tried again."""
        waits = self._live is None and self._attempt is None
        retry_ms = max(0, self._backoff.due_ns - now_ns) // MS if waits else -1
        return FeedView(self.plan.name, self._up, self._reason, retry_ms, tuple(self.silent))

    def close(self) -> None:
        """End every connection; nothing is delivered after this."""
        self._closed = True
        if self._attempt is not None:
            self._attempt.cancel()
        for connection in (self._live, self._rising):
            if connection is not None:
                connection.close()

    def _no_sign_of_life(self, connection: _Connection, now_ns: int) -> str:
        socket = connection.socket
        if socket is None or now_ns - socket.heard_ns < self.params.ping_after_ms * MS:
            connection.pinged_ns = 0
        elif not connection.pinged_ns:
            connection.pinged_ns = now_ns
            socket.ping()
        elif now_ns - connection.pinged_ns >= self.params.ping_answer_ms * MS:
            return "no answer to a ping"
        return ""

    def _bridge(self, live: _Connection, now_ns: int) -> None:
        handover = self._handover
        overdue = handover is not None and now_ns - handover.began_ns >= self.params.overlap_ms * MS
        if handover is None:
            if now_ns >= live.rotate_ns and self._attempt is None and self._backoff.is_due(now_ns):
                self._try(now_ns)
        elif self._rising is None:
            if handover.is_over or overdue:
                self._end_handover()
        elif handover.is_settled(now_ns):
            self._promote(continuous=True)
        elif overdue:
            self._give_up_rising(now_ns)

    # --- connecting ---------------------------------------------------------------------------------------

    def _try(self, now_ns: int) -> None:
        self.counts.attempts += 1
        self._backoff.tried(now_ns)
        self._attempt = asyncio.ensure_future(self._open())

    async def _open(self) -> None:
        lifetime_ns = int(self.params.rotate_ms * MS * (1 - _ROTATE_JITTER * self._chance()))
        now_ns = self._clock.now_ns()
        connection = _Connection(self, now_ns, now_ns + lifetime_ns if self.plan.bridged else _NEVER_NS)
        try:
            async with asyncio.timeout(self.params.connect_ms / 1000):
                await self._connect(self.plan.url, connection, self._clock, self.params.max_frame_bytes)
        except (ConnectError, TimeoutError) as problem:
            wait_s = problem.wait_s if isinstance(problem, ConnectError) else 0
            self._backoff.failed(self._clock.now_ns(), wait_s)
            if self._live is None:
                late = f"no answer within {self.params.connect_ms / 1000:g} s"
                reason = str(problem) if isinstance(problem, ConnectError) else late
                self._say(up=False, reason=reason)
        finally:
            self._attempt = None

    def on_open(self, connection: _Connection) -> None:
        """Take a connection whose handshake is done, as the live one or beside it."""
        if self._closed:
            connection.close()
            return
        self.counts.connections += 1
        connection.watch.opened_ns = now_ns = self._clock.now_ns()
        if self._live is None:
            self.epoch += 1
            self._live = connection
        if connection.socket is not None:
            connection.talk = Talk(self.plan, connection.socket, now_ns)
        if self._live is connection:
            return
        self._rising = connection
        newest = {name: channel.newest for name, channel in self._live.channels.items()}
        self._handover = Handover(newest, self._clock.now_ns())

    # --- messages -----------------------------------------------------------------------------------------

    def on_message(self, connection: _Connection, payload: bytes, ts_recv_ns: int, received: int) -> None:
        """Take one message of one of the route's connections."""
        name_at = payload.find(self.plan.channel_key) + len(self.plan.channel_key)
        name = payload[name_at : payload.find(b'"', name_at)]
        channel = connection.channels.get(name)
        if channel is not None:
            channel.last_ns = ts_recv_ns
            channel.newest = payload
        elif self.plan.bridged and _SHUTDOWN in payload[:100]:
            earliest_ns = connection.watch.opened_ns + self.params.notice_age_ms * MS
            connection.rotate_ns = min(connection.rotate_ns, max(ts_recv_ns, earliest_ns))
        if connection is not self._live and connection is not self._rising:
            return
        if self._handover is None:
            self._pass_on(connection, payload, ts_recv_ns, received)
            return
        newcomer = self._rising or self._live
        for passed in self._handover.take(name, payload, rising=connection is newcomer):
            self._pass_on(connection, passed, ts_recv_ns, received)
            if connection is not self._live and connection is not self._rising:
                return

    def _pass_on(self, connection: _Connection, payload: bytes, ts_recv_ns: int, received: int) -> None:
        if not self._up:
            self._say(up=True, reason="")
        self.counts.messages += 1
        if not self._sink.frame(payload, ts_recv_ns, self.epoch, received=received):
            self._refused(connection, ts_recv_ns)

    def _refused(self, connection: _Connection, now_ns: int) -> None:
        refused = connection.refused
        refused.append(now_ns)
        within = now_ns - refused[0] <= self.params.refused_window_ms * MS
        if len(refused) == self.params.refused_most and within:
            self._lose(connection, f"{len(refused)} messages refused")

    # --- endings ------------------------------------------------------------------------------------------

    def on_lost(self, connection: _Connection, reason: str) -> None:
        """Learn that a connection ended by itself."""
        self._lose(connection, reason)

    def _lose(self, connection: _Connection, reason: str) -> None:
        now_ns = self._clock.now_ns()
        connection.close()
        if connection is self._rising:
            self._give_up_rising(now_ns)
            return
        if connection is not self._live:
            return
        self.counts.lost += 1
        if self._handover is not None and self._rising is not None:
            moved = all(
                self._handover.has_moved(channel.stream.encode())
                for channel in self.plan.channels
                if channel.kind is ChannelKind.DEPTH
            )
            if not moved:
                self._say(up=False, reason=reason)
            self._promote(continuous=moved)
            return
        self._live = None
        self._end_handover()
        self._backoff.lost(now_ns, connection.watch.opened_ns)
        self._say(up=False, reason=reason)

    def _promote(self, *, continuous: bool) -> None:
        """Let the rising connection be the live one, and pass on what it brought ahead of the old."""
        handover, new = self._handover, self._rising
        if handover is None or new is None:
            return
        old, self._live, self._rising = self._live, new, None
        if old is not None:
            old.close()
        if continuous:
            self.counts.bridged += 1
        else:
            self.epoch += 1
        for payload in handover.old_is_gone():
            self._pass_on(new, payload, self._clock.now_ns(), perf_counter_ns())

    def _end_handover(self) -> None:
        if self._handover is not None:
            self.counts.duplicates += self._handover.dropped
        self._handover = None

    def _give_up_rising(self, now_ns: int) -> None:
        if self._rising is not None:
            self._rising.close()
        self._rising = None
        self._end_handover()
        self._backoff.failed(now_ns)
        if self._live is not None:
            self._live.rotate_ns = now_ns + self.params.overlap_retry_ms * MS

    def _say(self, *, up: bool, reason: str) -> None:
        self._up, self._reason = up, reason
        now_ns = self._clock.now_ns()
        depth = self.plan.carries_depth
        self._sink.status(FeedStatusChanged(self.plan.name, up, self.epoch, reason, now_ns, depth=depth))

    def _say_channel(self, news: ChannelNews, now_ns: int) -> None:
        plan = news.plan
        depth = plan.kind is ChannelKind.DEPTH
        self._sink.status(
            FeedStatusChanged(plan.stream, news.up, self.epoch, news.reason, now_ns, plan.symbol, depth)
        )
