"""The exchange: accounts and their orders on one side, matching books on the other, the street in between.

Every call happens at the given time and is complete when it returns: what it caused is in the answer and,
for everybody else, in `take_events`. The street is all background trading together; it has no account, and
what it holds is only counted, so that no money is made or lost: accounts + street + commissions is constant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.core.types import Side
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.admission import admit
from pipeline.sim.exchange.clearing import Clearing
from pipeline.sim.exchange.errors import NO_SUCH_ORDER, UNKNOWN_CANCEL, VenueError
from pipeline.sim.exchange.ledger import Ledger
from pipeline.sim.exchange.listing import Listing
from pipeline.sim.exchange.market import Market
from pipeline.sim.exchange.matching import Fill
from pipeline.sim.exchange.order import (
    STREET,
    BookOrder,
    ClientOrder,
    ExecutionType,
    NewOrder,
    OrderReport,
    OrderStatus,
    TradePrint,
    VenueEvent,
)
from pipeline.sim.exchange.order_store import OrderStore
from pipeline.sim.exchange.reporting import Reporter


class Exchange:
    """All markets and accounts; orders of accounts by `place` and `cancel`, the street's by `street_*`."""

    def __init__(self, listings: Iterable[Listing], ledger: Ledger | None = None) -> None:
        """Open the markets of these listings, empty."""
        self.markets = {listing.symbol: Market.opened(listing) for listing in listings}
        self.ledger = ledger if ledger is not None else Ledger()
        self.clearing = Clearing()
        self.orders = OrderStore()
        self.accounts: dict[int, Account] = {}
        self._reporter = Reporter(self.ledger)
        self._order_id = 0

    def open_account(
        self, name: str, api_key: str, secret: str, balances: Mapping[str, int], now_ns: int
    ) -> Account:
        """Open an account with balances in 1e-8 by asset."""
        account = Account.opened(len(self.accounts) + 1, name, api_key, secret, balances)
        account.updated_ns = now_ns
        self.accounts[account.owner] = account
        self._reporter.opened(account, now_ns)
        return account

    def market(self, symbol: str) -> Market:
        """Give the market of a symbol.

        Raises:
            VenueError: it is not listed.
        """
        found = self.markets.get(symbol)
        if found is None:
            raise VenueError(-1121, "Invalid symbol.")
        return found

    def place(self, account: Account, wanted: NewOrder, now_ns: int) -> list[OrderReport]:
        """Take a new order: rest it, trade it, or both; give what happened to it, NEW first.

        Raises:
            VenueError: the order is refused; nothing changed but the ledger.
        """
        try:
            market = self.market(wanted.symbol)
            admitted = admit(market, self.orders, account, wanted, self._order_id + 1, now_ns)
            order = admitted.order
            self.clearing.reserve(account, order, admitted.reserve_e8)
        except VenueError as error:
            listed = wanted.symbol if wanted.symbol in self.markets else ""
            self._reporter.refused(account, wanted, listed, error, now_ns)
            raise
        self._order_id += 1
        for quota in account.order_quotas:
            quota.use(1, now_ns)
        self.orders.add(order)
        reports = [self._reporter.changed(account, order, ExecutionType.NEW, now_ns)]
        if admitted.may_trade:
            return reports + self._take(market, order, now_ns)
        return [*reports, self._end(order, ExecutionType.EXPIRED, OrderStatus.EXPIRED, now_ns)]

    def check(self, account: Account, wanted: NewOrder, now_ns: int) -> None:
        """Judge an order as `place` does, without placing it.

        Raises:
            VenueError: the order would be refused.
        """
        market = self.market(wanted.symbol)
        admitted = admit(market, self.orders, account, wanted, self._order_id + 1, now_ns)
        account.lock(admitted.order.pays_with, admitted.reserve_e8)
        account.unlock(admitted.order.pays_with, admitted.reserve_e8)

    def cancel(self, order: ClientOrder, now_ns: int, cancel_client_id: str = "") -> OrderReport:
        """Cancel an open order.

        Raises:
            VenueError: it is not open any more.
        """
        if not order.is_open:
            raise VenueError(-2011, UNKNOWN_CANCEL)
        return self._end(order, ExecutionType.CANCELED, OrderStatus.CANCELED, now_ns, cancel_client_id)

    def cancel_all(self, account: Account, symbol: str, now_ns: int) -> list[OrderReport]:
        """Cancel every open order of an account in a symbol.

        Raises:
            VenueError: the symbol is not listed, or no order is open.
        """
        self.market(symbol)
        found = self.orders.open_orders(account.owner, symbol)
        if not found:
            raise VenueError(-2011, UNKNOWN_CANCEL)
        return [self.cancel(order, now_ns) for order in found]

    def find(self, account: Account, symbol: str, order_id: int, client_order_id: str) -> ClientOrder:
        """Give an order by the venue's id, or by the client's where that is 0.

        Raises:
            VenueError: no such symbol or order.
        """
        self.market(symbol)
        order = (
            self.orders.by_id(account.owner, symbol, order_id)
            if order_id
            else self.orders.by_client_id(account.owner, symbol, client_order_id)
        )
        if order is None:
            raise VenueError(-2013, NO_SUCH_ORDER)
        return order

    def street_order(
        self, symbol: str, side: Side, ticks: int, lots: int, now_ns: int, *, rests: bool = True
    ) -> int:
        """Let the street trade up to a price and, if it `rests`, queue what is left; give the lots traded."""
        market = self.markets[symbol]
        self._order_id += 1
        taker = BookOrder(self._order_id, STREET, side, ticks, lots)
        for fill in market.book.match(taker).fills:
            self._settle(market, fill, None, side, now_ns)
        traded = lots - taker.lots
        if rests and taker.lots:
            market.book.rest(taker)
        return traded

    def street_cancel(self, symbol: str, order: BookOrder) -> None:
        """Cancel a resting order of the street's."""
        self.markets[symbol].book.remove(order)

    def take_events(self) -> list[VenueEvent]:
        """Give what happened since the last call, in order."""
        events, self._reporter.events = self._reporter.events, []
        return events

    def _take(self, market: Market, order: ClientOrder, now_ns: int) -> list[OrderReport]:
        """Trade a new order, then rest or end what is left of it."""
        taker = market.taker(order)
        match = market.book.match(taker, order.self_trade)
        reports = [self._settle(market, fill, order, order.side, now_ns) for fill in match.fills]
        for maker in match.gave_way:
            self._give_way(self.orders.resting(maker.order_id), now_ns)
        if match.taker_gives_way:
            reports.append(self._give_way(order, now_ns))
        elif taker.lots and order.rests:
            order.resting = taker
            market.book.rest(taker)
        elif taker.lots:
            reports.append(self._end(order, ExecutionType.EXPIRED, OrderStatus.EXPIRED, now_ns))
        return [report for report in reports if report is not None]

    def _give_way(self, order: ClientOrder, now_ns: int) -> OrderReport:
        """End an order that would have traded with its own account; the book has let go of it already."""
        order.resting = None
        return self._end(order, ExecutionType.TRADE_PREVENTION, OrderStatus.EXPIRED_IN_MATCH, now_ns)

    def _end(
        self,
        order: ClientOrder,
        execution: ExecutionType,
        status: OrderStatus,
        now_ns: int,
        cancel_client_id: str = "",
    ) -> OrderReport:
        account = self.accounts[order.owner]
        if order.resting is not None:
            self.markets[order.listing.symbol].book.remove(order.resting)
            order.resting = None
        order.status, order.updated_ns = status, now_ns
        self.clearing.release(account, order)
        self.orders.finish(order)
        return self._reporter.changed(account, order, execution, now_ns, cancel_client_id)

    def _settle(
        self, market: Market, fill: Fill, taker: ClientOrder | None, side: Side, now_ns: int
    ) -> OrderReport | None:
        """Clear one match on both sides; give the taker's report where the taker is an account."""
        market.trade_id += 1
        market.last_ticks = fill.ticks
        self._reporter.events.append(
            TradePrint(market.listing.symbol, market.trade_id, fill.ticks, fill.lots, side, now_ns)
        )
        maker = None if fill.maker.owner == STREET else self.orders.resting(fill.maker.order_id)
        if maker is None:
            self.clearing.street_fill(market.listing, side.opposite, fill.ticks, fill.lots)
        else:
            self._fill(market, maker, fill, True, now_ns)
        if taker is None:
            self.clearing.street_fill(market.listing, side, fill.ticks, fill.lots)
            return None
        return self._fill(market, taker, fill, False, now_ns)

    def _fill(self, market: Market, order: ClientOrder, fill: Fill, maker: bool, now_ns: int) -> OrderReport:
        account = self.accounts[order.owner]
        if not order.filled_lots:
            # The venue counts unfilled orders: the first fill gives one back.
            for quota in account.order_quotas:
                quota.use(-1, now_ns)
        cleared = self.clearing.fill(account, order, fill.ticks, fill.lots, maker)
        order.filled_lots += fill.lots
        order.filled_quote_e8 += market.listing.notional_e8(fill.ticks, fill.lots)
        order.updated_ns = now_ns
        order.status = OrderStatus.PARTIALLY_FILLED if order.leaves_lots else OrderStatus.FILLED
        if not order.leaves_lots:
            order.resting = None
            self.clearing.release(account, order)
            self.orders.finish(order)
        report = self._reporter.filled(account, order, fill, cleared, market.trade_id, maker, now_ns)
        self.orders.fills.append(report)
        return report
