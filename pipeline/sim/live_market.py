"""The exchange with its street and its feeds, moved through time: nothing happens but in `advance`.

Time is an argument, so the same seed and the same orders at the same times give the same market, whether
the time is the wall clock's or a test's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.ledger import Ledger
from pipeline.sim.exchange.listing import Listing
from pipeline.sim.exchange.margin_house import MarginHouse
from pipeline.sim.exchange.order import AccountEvent, TradePrint
from pipeline.sim.order_flow import FlowParams, OrderFlow
from pipeline.sim.symbol_feed import Feed, Publisher, SymbolFeed
from pipeline.sim.usdm_feed import UsdmFeed

__all__ = ["AccountEvent", "LiveMarket"]


class LiveMarket:
    """Every listed symbol trading; customers' orders go to `exchange`, then call `publish`."""

    def __init__(
        self,
        listings: Sequence[Listing],
        seed: int,
        now_ns: int,
        publisher: Publisher,
        on_account: Callable[[AccountEvent], None],
        flow: FlowParams | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        """Open the markets at a time; `on_account` gets what concerns customers, in order."""
        on_margin = any(listing.instrument.margin for listing in listings)
        self.exchange = Exchange(listings, ledger, MarginHouse() if on_margin else None)
        self._on_account = on_account
        symbols = list(self.exchange.markets)
        # Symbols differ in their seed, so that their news does.
        self.flows = {
            symbol: OrderFlow(self.exchange, symbol, seed + 7_919 * n, now_ns, flow)
            for n, symbol in enumerate(symbols)
        }
        self.exchange.take_events()
        feed = UsdmFeed if on_margin else SymbolFeed
        self.feeds: dict[str, Feed] = {
            symbol: feed(self.exchange.market(symbol), publisher, now_ns) for symbol in symbols
        }

    @property
    def listings(self) -> Sequence[Listing]:
        """Give what is listed."""
        return [market.listing for market in self.exchange.markets.values()]

    def is_trading(self, symbol: str) -> bool:
        """Say whether a listed symbol takes orders."""
        return self.exchange.markets[symbol].is_open

    def snapshot(self, symbol: str, limit: int) -> str:
        """Print a symbol's book as it stands, at most `limit` levels a side.

        Raises:
            VenueError: the symbol is not listed.
        """
        self.exchange.market(symbol)
        return self.feeds[symbol].snapshot(limit)

    @property
    def next_ns(self) -> int:
        """Give when something happens next."""
        feeds, flows = self.feeds.values(), self.flows.values()
        return min(min(feed.next_ns for feed in feeds), min(flow.next_ns for flow in flows))

    def advance(self, now_ns: int) -> None:
        """Let everything happen that is due up to a time, in order; frames before events of the same time."""
        while (at_ns := self.next_ns) <= now_ns:
            for feed in self.feeds.values():
                if feed.next_ns == at_ns:
                    feed.on_beat()
            for symbol, flow in self.flows.items():
                if flow.next_ns == at_ns:
                    flow.act()
                    self.publish(symbol, at_ns)

    def publish(self, symbol: str, now_ns: int) -> None:
        """Send out what the orders of a symbol did; call after each of a customer's."""
        events = self.exchange.take_events()
        feed = self.feeds[symbol]
        if events:
            feed.on_trades([event for event in events if isinstance(event, TradePrint)])
            for event in events:
                if not isinstance(event, TradePrint):
                    self._on_account(event)
        feed.on_book(now_ns)
