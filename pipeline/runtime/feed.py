"""A venue's public data for one session: connections, snapshots, what became of each; no orders.

The engine's requests for books go to `want_snapshot`, everything that arrives goes to one sink: raw messages
with their receive time, epoch and source, and the feed's own state as inputs. URLs, routes and channels are
in `feed_endpoints`, one route's life in `feed_route`, books by request in `feed_snapshots`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from time import perf_counter_ns

import httpx

from pipeline.core.inputs import FeedStatusChanged
from pipeline.core.params import MS
from pipeline.core.snapshot import FeedView
from pipeline.runtime.clock import SessionClock
from pipeline.runtime.feed_endpoints import depth_url, depth_weight, plan_routes, venue_feed
from pipeline.runtime.feed_params import FeedParams
from pipeline.runtime.feed_route import FeedSink, Route
from pipeline.runtime.feed_snapshots import SnapshotFetcher, WeightBudget
from pipeline.runtime.feed_socket import Connect, open_socket, tls_context
from pipeline.runtime.summary import FeedCounts

_LOOK_NS = 100 * MS
_SNAPSHOTS = "snapshots"


class Feed:
    """The public data of some symbols of one venue; on the event loop, one owner."""

    def __init__(
        self,
        venue: str,
        symbols: Sequence[str],
        params: FeedParams,
        clock: SessionClock,
        sink: FeedSink,
        *,
        connect: Connect = open_socket,
        chance: Callable[[], float] = random.random,
        requests: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare; nothing is opened before `start`.

        Raises:
            FeedError: unknown venue, or a book deeper than it gives.
        """
        self._clock = clock
        self._sink = sink
        self._sources = {symbol: number for number, symbol in enumerate(symbols, 1)}
        self.routes = tuple(
            Route(plan, params, clock, sink, connect, chance) for plan in plan_routes(venue, symbols, params)
        )
        self._fetcher = self._make_fetcher(venue, params, requests)
        """None where whole books come in the stream."""
        self._serving: asyncio.Task[None] | None = None
        self._next_look_ns = 0

    def start(self) -> None:
        """Begin to connect and to serve snapshots; needs a running event loop."""
        if self._fetcher is not None:
            self._serving = asyncio.ensure_future(self._fetcher.serve())
        for route in self.routes:
            route.start()

    def tick(self, now_ns: int) -> None:
        """Look after every route; cheap when called more often than it looks.

        Raises:
            BaseException: whatever ended the task that serves snapshots.
        """
        if now_ns < self._next_look_ns:
            return
        self._next_look_ns = now_ns + _LOOK_NS
        for route in self.routes:
            route.tick(now_ns)
        if self._serving is not None and self._serving.done():
            self._serving.result()

    def want_snapshot(self, symbol: str, epoch: int) -> None:
        """Ask for a symbol's whole book; it arrives as a frame of that epoch, or not at all."""
        if self._fetcher is not None:
            self._fetcher.want(symbol, epoch)
            return
        for route in self.routes:
            route.renew(symbol, epoch)

    async def close(self) -> None:
        """End everything in good order."""
        for route in self.routes:
            route.close()
        if self._serving is not None:
            self._serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._serving

    def counts(self) -> FeedCounts:
        """Give what happened so far, over all routes."""
        counts = [route.counts for route in self.routes]
        fetcher = self._fetcher
        return FeedCounts(
            attempts=sum(one.attempts for one in counts),
            connections=sum(one.connections for one in counts),
            lost=sum(one.lost for one in counts),
            bridged=sum(one.bridged for one in counts),
            duplicates=sum(one.duplicates for one in counts),
            snapshots=sum(one.renewals for one in counts) + (fetcher.answered if fetcher else 0),
            snapshots_failed=fetcher.failed if fetcher else 0,
            most_waiting_bytes=max((one.most_waiting_bytes for one in counts), default=0),
        )

    def _make_fetcher(
        self, venue: str, params: FeedParams, requests: httpx.AsyncBaseTransport | None
    ) -> SnapshotFetcher | None:
        feed = venue_feed(venue)
        if not feed.depth_path:
            return None
        share = feed.weight_per_minute * params.snapshot_share_percent // 100
        return SnapshotFetcher(
            lambda symbol: depth_url(venue, symbol, params),
            depth_weight(venue, params.snapshot_limit),
            WeightBudget(share),
            self._clock,
            self._deliver_book,
            self._report_snapshots,
            timeout_ms=params.snapshot_timeout_ms,
            max_bytes=params.max_frame_bytes,
            tls=tls_context() if params.rest_url.startswith("https") else None,
            transport=requests,
        )

    def views(self) -> tuple[FeedView, ...]:
        """Give how each route stands, and last the service of whole books."""
        now_ns = self._clock.now_ns()
        routes = tuple(route.view(now_ns) for route in self.routes)
        return routes if self._fetcher is None else (*routes, self._fetcher.view(_SNAPSHOTS, now_ns))

    def _deliver_book(self, symbol: str, body: bytes, epoch: int) -> None:
        self._sink.frame(body, self._clock.now_ns(), epoch, self._sources[symbol], perf_counter_ns())

    def _report_snapshots(self, works: bool, reason: str) -> None:
        now_ns = self._clock.now_ns()
        self._sink.status(FeedStatusChanged(_SNAPSHOTS, works, 0, reason, now_ns, depth=False))
