"""One symbol's market: its listing, its book, the last price, and the number of the next trade."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.types import Side
from pipeline.sim.exchange.listing import Listing
from pipeline.sim.exchange.matching import ANY_PRICE, MatchingBook
from pipeline.sim.exchange.order import BookOrder, ClientOrder, SelfTrade

FIRST_UPDATE_ID = 60_000_000_000
FIRST_TRADE_ID = 5_000_000_000


@dataclass(slots=True, eq=False)
class Market:
    """What trades in one symbol."""

    listing: Listing
    book: MatchingBook
    last_ticks: int
    """Price of the newest trade; before the first one, the price the market opened with."""
    trade_id: int = FIRST_TRADE_ID
    is_open: bool = True

    @classmethod
    def opened(cls, listing: Listing) -> Market:
        """Open the market with an empty book."""
        return cls(listing, MatchingBook(FIRST_UPDATE_ID), listing.open_ticks)

    def takeable(self, owner: int, side: Side, ticks: int, self_trade: SelfTrade) -> list[tuple[int, int]]:
        """Give the (ticks, lots) a taker of this owner would meet, best first, its own orders considered."""
        found = []
        for maker in self.book.queue_for(side, ticks):
            if maker.owner != owner or self_trade is SelfTrade.NONE:
                found.append((maker.ticks, maker.lots))
            elif self_trade is not SelfTrade.EXPIRE_MAKER:
                break
        return found

    def cost_e8(self, offers: list[tuple[int, int]], lots: int) -> int:
        """Give the money so many lots trade for along these offers; what is not offered costs nothing."""
        cost = 0
        for ticks, offered in offers:
            part = min(lots, offered)
            cost += self.listing.notional_e8(ticks, part)
            lots -= part
            if not lots:
                break
        return cost

    def lots_for(self, offers: list[tuple[int, int]], money_e8: int) -> int:
        """Give the most lots that money buys, or that raise no more than it, along these offers."""
        lots = 0
        for ticks, offered in offers:
            part = min(offered, money_e8 // self.listing.notional_e8(ticks, 1))
            lots += part
            money_e8 -= self.listing.notional_e8(ticks, part)
            if part < offered:
                break
        return lots

    def any_price(self, side: Side) -> int:
        """Give the limit of an order without one."""
        return ANY_PRICE[side]

    def taker(self, order: ClientOrder, lots: int) -> BookOrder:
        """Give the book's picture of so many lots of a new order."""
        limit = order.ticks or ANY_PRICE[order.side]
        return BookOrder(order.order_id, order.owner, order.side, limit, lots)
