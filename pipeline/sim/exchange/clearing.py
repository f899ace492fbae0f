"""Who pays whom for a fill, exactly, and what the venue keeps.

A buyer has the price of its limit locked and gets back what a better price leaves; the commission is taken
from what an order receives, rounded to 1e-8 in the customer's favour.
"""

from __future__ import annotations

from pipeline.core.types import E6, Side
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.admission import admit
from pipeline.sim.exchange.house import Admitted, Cleared
from pipeline.sim.exchange.listing import Listing
from pipeline.sim.exchange.market import Market
from pipeline.sim.exchange.order import (
    BalanceReport,
    ClientOrder,
    NewOrder,
    OrderKind,
    OrderReport,
    VenueEvent,
)
from pipeline.sim.exchange.order_store import OrderStore
from pipeline.sim.exchange.quotas import Quota, order_quotas


class Clearing:
    """Moves the money of fills, and counts what the street and the venue have by asset."""

    settles_each_fill = False
    gives_back_filled = True

    def __init__(self) -> None:
        self.street: dict[str, int] = {}
        """What the background trading won or lost of each asset, in 1e-8."""
        self.commissions: dict[str, int] = {}

    def order_quotas(self) -> tuple[Quota, ...]:
        """Give spot's limits on new orders."""
        return order_quotas()

    def admit(
        self,
        market: Market,
        orders: OrderStore,
        account: Account,
        wanted: NewOrder,
        order_id: int,
        now_ns: int,
    ) -> Admitted:
        """Judge a new order by spot's filters.

        Raises:
            VenueError: it is refused.
        """
        return admit(market, orders, account, wanted, order_id, now_ns)

    def surplus(self, _account: Account, _orders: OrderStore, _symbol: str) -> list[ClientOrder]:
        """Give nothing: every open order has locked what it may have to give."""
        return []

    def told(self, account: Account, report: OrderReport) -> list[VenueEvent]:
        """Give the report and the balances of both assets right after it."""
        instrument = report.order.listing.instrument
        balances = account.holds(instrument.base, instrument.quote)
        return [report, BalanceReport(account.owner, balances, report.ts_ns)]

    def reserve(self, account: Account, order: ClientOrder, amount_e8: int) -> None:
        """Lock what an order may have to give.

        Raises:
            VenueError: the account has not so much free.
        """
        account.lock(order.pays_with, amount_e8)
        order.locked_e8 = amount_e8

    def release(self, account: Account, order: ClientOrder) -> None:
        """Unlock what an order that ended still had locked."""
        account.unlock(order.pays_with, order.locked_e8)
        order.locked_e8 = 0

    def fill(self, account: Account, order: ClientOrder, ticks: int, lots: int, maker: bool) -> Cleared:
        """Book one fill in the account."""
        listing = order.listing
        quote_e8, base_e8 = listing.notional_e8(ticks, lots), lots * listing.lot_e8
        buys = order.side is Side.BUY
        gives_e8, gets_e8 = (quote_e8, base_e8) if buys else (base_e8, quote_e8)
        reserved_e8 = gives_e8
        if buys and order.kind is not OrderKind.MARKET:
            reserved_e8 = listing.notional_e8(order.ticks, lots)
        commission_e8 = commission(listing, gets_e8, maker)
        account.pay_locked(order.pays_with, gives_e8)
        account.unlock(order.pays_with, reserved_e8 - gives_e8)
        order.locked_e8 -= reserved_e8
        account.receive(order.receives, gets_e8 - commission_e8)
        self.commissions[order.receives] = self.commissions.get(order.receives, 0) + commission_e8
        if buys:
            return Cleared(gets_e8 - commission_e8, -gives_e8, commission_e8, order.receives)
        return Cleared(-gives_e8, gets_e8 - commission_e8, commission_e8, order.receives)

    def street_fill(self, listing: Listing, side: Side, ticks: int, lots: int) -> None:
        """Count a fill of the street's; `side` is the street's own."""
        base, quote = listing.instrument.base, listing.instrument.quote
        self.street[base] = self.street.get(base, 0) + side * lots * listing.lot_e8
        self.street[quote] = self.street.get(quote, 0) - side * listing.notional_e8(ticks, lots)


def commission(listing: Listing, gets_e8: int, maker: bool) -> int:
    """Give the venue's share, rounded in the customer's favour; negative is a rebate."""
    fees = listing.instrument.fees
    return gets_e8 * (fees.maker_e6 if maker else fees.taker_e6) // E6
