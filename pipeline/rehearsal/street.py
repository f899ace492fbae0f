"""A cheap market of a few symbols: a few levels a side, a mid that walks, takers that eat into the book.

It is a real `Exchange` with real streams; only the street's orders are simpler than `order_flow`'s, because a
rehearsal wants many fills, moves and sweeps a second of processor time, not a market worth trading.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.core.types import Side
from pipeline.sim.chance import Chance
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.ledger import Entry, Ledger
from pipeline.sim.exchange.listing import Listing
from pipeline.sim.exchange.order import STREET, AccountEvent, TradePrint
from pipeline.sim.protocol.hub import MarketHub
from pipeline.sim.symbol_feed import SymbolFeed

LEVELS = 4
HALF_SPREAD_TICKS = 1
ACT_NS = 40_000_000
"""Time between two acts of the street."""


class _Street:
    """What the street does in one symbol."""

    def __init__(
        self, exchange: Exchange, listing: Listing, chance: Chance, hub: MarketHub, now_ns: int
    ) -> None:
        self.next_ns = now_ns
        self.mid_ticks = listing.open_ticks
        self._exchange = exchange
        self._chance = chance
        self._symbol = listing.symbol
        self._book = exchange.market(self._symbol).book
        self._unit = max(1, listing.touch_lots // 80)
        self._quote(now_ns)
        exchange.take_events()
        self.feed = SymbolFeed(exchange.market(self._symbol), hub, now_ns)

    def act(self, now_ns: int, *, calm: bool) -> None:
        """Do one thing: refresh a far level, take, or move."""
        chance = self._chance
        drawn = chance.unit()
        if drawn < 0.3 or calm:
            # A size at a far price changes, so that the book lives though its touch rests.
            self._refresh(Side.BUY if drawn < 0.15 else Side.SELL, now_ns)
            return
        if drawn < 0.65:
            side = Side.BUY if chance.unit() < 0.5 else Side.SELL
            limit = self.mid_ticks + side * (HALF_SPREAD_TICKS + chance.below(LEVELS))
            lots = chance.between(self._unit // 30, 5 * self._unit // 3)
            self._exchange.street_order(self._symbol, side, limit, lots, now_ns, rests=False)
        elif drawn < 0.9:
            self.mid_ticks += chance.between(-3, 3)
        self._quote(now_ns)

    def _refresh(self, side: Side, now_ns: int) -> None:
        ticks = self.mid_ticks - side * (HALF_SPREAD_TICKS + LEVELS)
        self._remove(side, ticks)
        lots = self._chance.between(self._unit // 15, self._unit)
        self._exchange.street_order(self._symbol, side, ticks, lots, now_ns)

    def _quote(self, now_ns: int) -> None:
        """Quote around the mid: what stands where it should not goes, missing levels come."""
        for side in (Side.BUY, Side.SELL):
            wanted = [self.mid_ticks - side * (HALF_SPREAD_TICKS + n) for n in range(LEVELS)]
            for ticks in list(self._book.on(side).levels):
                if ticks not in wanted:
                    self._remove(side, ticks)
        for side in (Side.BUY, Side.SELL):
            for n in range(LEVELS):
                ticks = self.mid_ticks - side * (HALF_SPREAD_TICKS + n)
                missing = self._unit - self._book.on(side).lots_at(ticks)
                if missing > 0:
                    self._exchange.street_order(self._symbol, side, ticks, missing, now_ns)

    def _remove(self, side: Side, ticks: int) -> None:
        level = self._book.on(side).levels.get(ticks)
        for order in list(level.orders.values()) if level is not None else ():
            if order.owner == STREET:
                self._exchange.street_cancel(self._symbol, order)


class StreetMarket:
    """A `VenueMarket` that moves by its own chance; `calm` stops takers and walk."""

    def __init__(
        self,
        listings: Sequence[Listing],
        chance: Chance,
        now_ns: int,
        hub: MarketHub,
        inbox: list[AccountEvent],
        sink: Callable[[Entry], None],
    ) -> None:
        self.exchange = Exchange(listings, Ledger(sink))
        self.calm = False
        self._inbox = inbox
        self._streets = {one.symbol: _Street(self.exchange, one, chance, hub, now_ns) for one in listings}

    @property
    def listings(self) -> Sequence[Listing]:
        """Give what is listed."""
        return [market.listing for market in self.exchange.markets.values()]

    def mid_ticks(self, symbol: str) -> int:
        """Give the price the street quotes around."""
        return self._streets[symbol].mid_ticks

    @property
    def next_ns(self) -> int:
        """Give when something happens next."""
        return min(min(one.next_ns, one.feed.next_ns) for one in self._streets.values())

    def is_trading(self, symbol: str) -> bool:
        """Say whether a listed symbol takes orders."""
        return symbol in self._streets

    def snapshot(self, symbol: str, limit: int) -> str:
        """Print the book as it stands.

        Raises:
            VenueError: the symbol is not listed.
        """
        self.exchange.market(symbol)
        return self._streets[symbol].feed.snapshot(limit)

    def advance(self, now_ns: int) -> None:
        """Let everything happen that is due up to a time."""
        while (at_ns := self.next_ns) <= now_ns:
            for symbol, street in self._streets.items():
                if street.feed.next_ns == at_ns:
                    street.feed.on_beat()
                elif street.next_ns == at_ns:
                    street.next_ns += ACT_NS * len(self._streets)
                    street.act(at_ns, calm=self.calm)
                    self.publish(symbol, at_ns)

    def publish(self, symbol: str, now_ns: int) -> None:
        """Send out what orders did."""
        events, feed = self.exchange.take_events(), self._streets[symbol].feed
        if events:
            feed.on_trades([event for event in events if isinstance(event, TradePrint)])
            self._inbox += [event for event in events if not isinstance(event, TradePrint)]
        feed.on_book(now_ns)
