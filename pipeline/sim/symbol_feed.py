"""What a symbol's market looks like from outside: streams of frames made from its book and its trades.

Depth updates come each 100 ms and hold what changed since the one before; the slow stream has the same each
second. Tickers come when the best levels changed, trades as they happen. A frame is made only where somebody
listens, the chain of update ids goes on regardless.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Protocol

from pipeline.core.types import Side
from pipeline.sim import market_frames
from pipeline.sim.exchange.market import Market
from pipeline.sim.exchange.order import TradePrint

DEPTH_NS = 100_000_000
SLOW_EVERY = 10
"""Fast depth updates to one slow one."""

FIRST_AGG_ID = 4_000_000_000


class Publisher(Protocol):
    """Where frames go."""

    def wants(self, stream: str) -> bool:
        """Say whether anybody listens to a stream."""
        ...

    def publish(self, stream: str, frame: str, at_ns: int) -> None:
        """Send a frame to everybody who listens."""
        ...


class Feed(Protocol):
    """The streams of one symbol."""

    next_ns: int

    def on_beat(self) -> None:
        """Publish what is due at `next_ns`."""
        ...

    def on_trades(self, trades: Sequence[TradePrint]) -> None:
        """Publish the trades one order made."""
        ...

    def on_book(self, at_ns: int) -> None:
        """Publish what changed in the book."""
        ...

    def snapshot(self, limit: int) -> str:
        """Print the best levels of the book as it stands, at most `limit` a side."""
        ...


class DepthStream:
    """One depth stream: the levels changed since its last frame."""

    def __init__(self, stream: str, update_id: int) -> None:
        self.stream = stream
        self.last_id = update_id
        self.changed: dict[Side, dict[int, None]] = {Side.BUY: {}, Side.SELL: {}}

    def note(self, bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]]) -> None:
        """Remember the prices of these levels as changed."""
        self.changed[Side.BUY].update(dict.fromkeys([ticks for ticks, _ in bids]))
        self.changed[Side.SELL].update(dict.fromkeys([ticks for ticks, _ in asks]))

    def take(self, last_id: int) -> dict[Side, dict[int, None]]:
        """Give the prices that changed since the last call, for a frame that ends at this id."""
        changed, self.changed = self.changed, {Side.BUY: {}, Side.SELL: {}}
        self.last_id = last_id
        return changed


class SymbolFeed:
    """Watches one market and publishes its streams."""

    def __init__(self, market: Market, publisher: Publisher, now_ns: int) -> None:
        """Begin with the book as it stands; the first depth update comes 100 ms from now."""
        self._market = market
        self._publisher = publisher
        name = market.listing.symbol.lower()
        self._ticker_stream = f"{name}@bookTicker"
        self._trade_stream = f"{name}@trade"
        self._agg_stream = f"{name}@aggTrade"
        self._fast = DepthStream(f"{name}@depth@100ms", market.book.update_id)
        self._slow = DepthStream(f"{name}@depth", market.book.update_id)
        market.book.take_changes()
        self._top = market.book.top
        self._beats = 0
        self._agg_id = FIRST_AGG_ID
        self.next_ns = now_ns + DEPTH_NS

    def on_beat(self) -> None:
        """Publish the depth updates due at `next_ns`."""
        self._beats += 1
        bids, asks = self._market.book.take_changes()
        for depth in (self._fast, self._slow):
            depth.note(bids, asks)
        self._publish_depth(self._fast)
        if self._beats % SLOW_EVERY == 0:
            self._publish_depth(self._slow)
        self.next_ns += DEPTH_NS

    def on_trades(self, trades: Sequence[TradePrint]) -> None:
        """Publish the trades one order made."""
        listing = self._market.listing
        if self._publisher.wants(self._trade_stream):
            for one in trades:
                self._publisher.publish(self._trade_stream, market_frames.trade(listing, one), one.ts_ns)
        for _, merged in groupby(trades, key=lambda one: (one.ticks, one.aggressor)):
            self._agg_id += 1
            if self._publisher.wants(self._agg_stream):
                same = list(merged)
                frame = market_frames.agg_trade(listing, self._agg_id, same)
                self._publisher.publish(self._agg_stream, frame, same[0].ts_ns)

    def on_book(self, at_ns: int) -> None:
        """Publish the best levels if they changed."""
        top = self._market.book.top
        if top == self._top:
            return
        self._top = top
        if top[0] and top[2] and self._publisher.wants(self._ticker_stream):
            frame = market_frames.book_ticker(self._market.listing, self._market.book.update_id, top)
            self._publisher.publish(self._ticker_stream, frame, at_ns)

    def snapshot(self, limit: int) -> str:
        """Print the best levels of the book as it stands, at most `limit` a side."""
        book = self._market.book
        return market_frames.depth_snapshot(
            self._market.listing, book.update_id, book.bids.ladder(limit), book.asks.ladder(limit)
        )

    def _publish_depth(self, depth: DepthStream) -> None:
        book = self._market.book
        first_id, last_id = depth.last_id + 1, book.update_id
        if last_id < first_id:
            return
        changed = depth.take(last_id)
        if not self._publisher.wants(depth.stream):
            return
        bids = [(ticks, book.bids.lots_at(ticks)) for ticks in sorted(changed[Side.BUY], reverse=True)]
        asks = [(ticks, book.asks.lots_at(ticks)) for ticks in sorted(changed[Side.SELL])]
        frame = market_frames.depth_update(self._market.listing, self.next_ns, first_id, last_id, bids, asks)
        self._publisher.publish(depth.stream, frame, self.next_ns)
