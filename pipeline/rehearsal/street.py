"""A cheap market of one symbol: a few levels a side, a mid that walks, takers that eat into the book.

It is a real `Exchange` with real streams; only the street's orders are simpler than `order_flow`'s, because a
rehearsal wants many fills, moves and sweeps a second of processor time, not a market worth trading.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.core.types import Side
from pipeline.sim.chance import Chance
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.ledger import Entry, Ledger
from pipeline.sim.exchange.listing import Listing, spot_listings
from pipeline.sim.exchange.order import STREET, AccountEvent, TradePrint
from pipeline.sim.protocol.hub import MarketHub
from pipeline.sim.symbol_feed import SymbolFeed

LEVELS = 4
HALF_SPREAD_TICKS = 1
ACT_NS = 40_000_000
"""Time between two acts of the street."""


class StreetMarket:
    """A `VenueMarket` that moves by its own chance; `calm` stops takers and walk."""

    def __init__(
        self,
        chance: Chance,
        now_ns: int,
        hub: MarketHub,
        inbox: list[AccountEvent],
        sink: Callable[[Entry], None],
    ) -> None:
        self.exchange = Exchange(spot_listings(), Ledger(sink))
        self.calm = False
        self._chance = chance
        self._inbox = inbox
        self._listing = self.listings[0]
        self._symbol = self._listing.symbol
        self._mid_ticks = self._listing.open_ticks
        self._next_ns = now_ns
        self._book = self.exchange.market(self._symbol).book
        self._quote(now_ns)
        self.exchange.take_events()
        self._feed = SymbolFeed(self.exchange.market(self._symbol), hub, now_ns)

    @property
    def listings(self) -> Sequence[Listing]:
        """Give what is listed."""
        return [market.listing for market in self.exchange.markets.values()]

    @property
    def mid_ticks(self) -> int:
        """Give the price the street quotes around."""
        return self._mid_ticks

    @property
    def next_ns(self) -> int:
        """Give when something happens next."""
        return min(self._next_ns, self._feed.next_ns)

    def is_trading(self, symbol: str) -> bool:
        """Say whether a listed symbol takes orders."""
        return symbol == self._symbol

    def snapshot(self, symbol: str, limit: int) -> str:
        """Print the book as it stands.

        Raises:
            VenueError: the symbol is not listed.
        """
        self.exchange.market(symbol)
        return self._feed.snapshot(limit)

    def advance(self, now_ns: int) -> None:
        """Let everything happen that is due up to a time."""
        while (at_ns := self.next_ns) <= now_ns:
            if self._feed.next_ns == at_ns:
                self._feed.on_beat()
            else:
                self._next_ns += ACT_NS
                self._act(at_ns)
                self.publish(self._symbol, at_ns)

    def publish(self, symbol: str, now_ns: int) -> None:  # noqa: ARG002  there is one symbol
        """Send out what orders did."""
        events = self.exchange.take_events()
        if events:
            self._feed.on_trades([event for event in events if isinstance(event, TradePrint)])
            self._inbox += [event for event in events if not isinstance(event, TradePrint)]
        self._feed.on_book(now_ns)

    def _act(self, now_ns: int) -> None:
        chance = self._chance
        drawn = chance.unit()
        if drawn < 0.3 or self.calm:
            # A size at a far price changes, so that the book lives though its touch rests.
            self._refresh(Side.BUY if drawn < 0.15 else Side.SELL, now_ns)
            return
        if drawn < 0.65:
            side = Side.BUY if chance.unit() < 0.5 else Side.SELL
            limit = self._mid_ticks + side * (HALF_SPREAD_TICKS + chance.below(LEVELS))
            lots = chance.between(50, 2_500)
            self.exchange.street_order(self._symbol, side, limit, lots, now_ns, rests=False)
        elif drawn < 0.9:
            self._mid_ticks += chance.between(-3, 3)
        self._quote(now_ns)

    def _refresh(self, side: Side, now_ns: int) -> None:
        ticks = self._mid_ticks - side * (HALF_SPREAD_TICKS + LEVELS)
        self._remove(side, ticks)
        self.exchange.street_order(self._symbol, side, ticks, self._chance.between(100, 900), now_ns)

    def _quote(self, now_ns: int) -> None:
        """Quote around the mid: what stands where it should not goes, missing levels come."""
        for side in (Side.BUY, Side.SELL):
            wanted = [self._mid_ticks - side * (HALF_SPREAD_TICKS + n) for n in range(LEVELS)]
            for ticks in list(self._book.on(side).levels):
                if ticks not in wanted:
                    self._remove(side, ticks)
        for side in (Side.BUY, Side.SELL):
            for n in range(LEVELS):
                ticks = self._mid_ticks - side * (HALF_SPREAD_TICKS + n)
                missing = 1_500 - self._book.on(side).lots_at(ticks)
                if missing > 0:
                    self.exchange.street_order(self._symbol, side, ticks, missing, now_ns)

    def _remove(self, side: Side, ticks: int) -> None:
        level = self._book.on(side).levels.get(ticks)
        for order in list(level.orders.values()) if level is not None else ():
            if order.owner == STREET:
                self.exchange.street_cancel(self._symbol, order)
