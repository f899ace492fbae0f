"""What a futures market looks like from outside: depth at four paces, tickers, trades merged in batches.

`@depth@0ms` brings each change as it happens, the others every 100, 250 and 500 ms what changed since the
frame before. Each stream has its own chain of `pu`. A frame is made only where somebody listens, the chain
goes on regardless.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from pipeline.core.types import Side
from pipeline.sim import usdm_frames
from pipeline.sim.exchange.market import Market
from pipeline.sim.exchange.order import TradePrint
from pipeline.sim.symbol_feed import FIRST_AGG_ID, DepthStream, Publisher

BEAT_NS = 50_000_000
PACES = (("@depth@100ms", 2), ("@depth", 5), ("@depth@500ms", 10))
"""Streams and the beats between two of their frames."""
_AGG_EVERY = 2


class UsdmFeed:
    """Watches one market and publishes its streams."""

    def __init__(self, market: Market, publisher: Publisher, now_ns: int) -> None:
        """Begin with the book as it stands."""
        self._market = market
        self._publisher = publisher
        name = market.listing.symbol.lower()
        change = market.book.update_id
        self._ticker_stream = f"{name}@bookTicker"
        self._trade_stream = f"{name}@trade"
        self._agg_stream = f"{name}@aggTrade"
        self._live = DepthStream(f"{name}@depth@0ms", change)
        self._paced = [(DepthStream(name + stream, change), beats) for stream, beats in PACES]
        market.book.take_changes()
        self._top = market.book.top
        self._beats = 0
        self._agg_id = FIRST_AGG_ID
        self._batch: list[TradePrint] = []
        self._at_ns = now_ns
        self.next_ns = now_ns + BEAT_NS

    def on_beat(self) -> None:
        """Publish what is due at `next_ns`."""
        self._beats += 1
        self._at_ns = self.next_ns
        for depth, beats in self._paced:
            if self._beats % beats == 0:
                self._publish_depth(depth, self.next_ns)
        if self._beats % _AGG_EVERY == 0:
            self._publish_batch(self.next_ns)
        self.next_ns += BEAT_NS

    def on_trades(self, trades: Sequence[TradePrint]) -> None:
        """Publish the trades one order made, and keep them for the batch."""
        self._batch += trades
        if self._publisher.wants(self._trade_stream):
            for one in trades:
                frame = usdm_frames.trade(self._market.listing, one)
                self._publisher.publish(self._trade_stream, frame, one.ts_ns)

    def on_book(self, at_ns: int) -> None:
        """Publish what changed in the book."""
        self._at_ns = at_ns
        bids, asks = self._market.book.take_changes()
        if not bids and not asks:
            return
        for depth in (self._live, *(one for one, _ in self._paced)):
            depth.note(bids, asks)
        self._publish_ticker(at_ns)
        self._publish_depth(self._live, at_ns)

    def snapshot(self, limit: int) -> str:
        """Print the best levels of the book as it stands, at most `limit` a side."""
        book = self._market.book
        return usdm_frames.depth_snapshot(
            *(self._market.listing, self._at_ns, book.update_id),
            book.bids.ladder(limit),
            book.asks.ladder(limit),
        )

    def _publish_ticker(self, at_ns: int) -> None:
        top = self._market.book.top
        if top == self._top:
            return
        self._top = top
        if top[0] and top[2] and self._publisher.wants(self._ticker_stream):
            change = self._market.book.update_id
            frame = usdm_frames.book_ticker(self._market.listing, at_ns, change, top)
            self._publisher.publish(self._ticker_stream, frame, at_ns)

    def _publish_depth(self, depth: DepthStream, at_ns: int) -> None:
        book = self._market.book
        before, last = depth.last_id, book.update_id
        if last <= before:
            return
        changed = depth.take(last)
        if not self._publisher.wants(depth.stream):
            return
        bids = [(ticks, book.bids.lots_at(ticks)) for ticks in sorted(changed[Side.BUY], reverse=True)]
        asks = [(ticks, book.asks.lots_at(ticks)) for ticks in sorted(changed[Side.SELL])]
        listing = self._market.listing
        frame = usdm_frames.depth_update(listing, at_ns, (before + 1, last, before), bids, asks)
        self._publisher.publish(depth.stream, frame, at_ns)

    def _publish_batch(self, at_ns: int) -> None:
        batch, self._batch = self._batch, []
        for _, merged in groupby(batch, key=lambda one: (one.ticks, one.aggressor)):
            self._agg_id += 1
            if self._publisher.wants(self._agg_stream):
                frame = usdm_frames.agg_trade(self._market.listing, at_ns, self._agg_id, list(merged))
                self._publisher.publish(self._agg_stream, frame, at_ns)
