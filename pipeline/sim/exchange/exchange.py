"""The exchange: accounts and their orders on one side, matching books on the other, the street in between.

Every call happens at the given time and is complete when it returns: what it caused is in the answer and,
for everybody else, in `take_events`. The street is all background trading together; it has no account, and
what it holds is only counted, so that no money is made or lost: accounts + street + commissions is constant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from pipeline.core.types import Side
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.clearing import Clearing
from pipeline.sim.exchange.errors import NO_SUCH_ORDER, UNKNOWN_CANCEL, VenueError
from pipeline.sim.exchange.house import House
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
    SelfTrade,
    TradePrint,
    VenueEvent,
)
from pipeline.sim.exchange.order_store import OrderStore
from pipeline.sim.exchange.reporting import Reporter


class Exchange:
    """All markets and accounts; orders of accounts by `place` and `cancel`, the street's by `street_*`."""

    def __init__(
        self, listings: Iterable[Listing], ledger: Ledger | None = None, house: House | None = None
    ) -> None:
        """Open the markets of these listings, empty; spot's rules unless another house is given."""
        self.markets = {listing.symbol: Market.opened(listing) for listing in listings}
        self.ledger = ledger if ledger is not None else Ledger()
        self.clearing: House = house if house is not None else Clearing()
        self.orders = OrderStore()
        self.accounts: dict[int, Account] = {}
        self._reporter = Reporter(self.ledger, self.clearing)
        self._order_id = 0

    def open_account(
        self, name: str, api_key: str, secret: str, balances: Mapping[str, int], now_ns: int
    ) -> Account:
        """Open an account with balances in 1e-8 by asset."""
        account = Account.opened(len(self.accounts) + 1, name, api_key, secret, balances)
        account.updated_ns = now_ns
        account.order_quotas = self.clearing.order_quotas()
        self.accounts[account.owner] = account
        self._reporter.opened(account, now_ns)
        return account

    @contextmanager
    def asked_by(self, connection: int) -> Iterator[None]:
        """Stamp what happens inside with the connection whose request it is."""
        self._reporter.connection = connection
        try:
            yield
        finally:
            self._reporter.connection = 0

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
            admitted = self.clearing.admit(market, self.orders, account, wanted, self._order_id + 1, now_ns)
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
            return reports + self._take(market, order, admitted.trades_lots, now_ns)
        return [*reports, self._end(order, ExecutionType.EXPIRED, OrderStatus.EXPIRED, now_ns)]

    def check(self, account: Account, wanted: NewOrder, now_ns: int) -> None:
        """Judge an order as `place` does, without placing it.

        Raises:
            VenueError: the order would be refused.
        """
        market = self.market(wanted.symbol)
        admitted = self.clearing.admit(market, self.orders, account, wanted, self._order_id + 1, now_ns)
        self.clearing.reserve(account, admitted.order, admitted.reserve_e8)
        self.clearing.release(account, admitted.order)

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
        reports = self.cancel_open(account, symbol, now_ns)
        if not reports:
            raise VenueError(-2011, UNKNOWN_CANCEL)
        return reports

    def cancel_open(self, account: Account, symbol: str, now_ns: int) -> list[OrderReport]:
        """Cancel what is open of an account in a symbol, be it nothing.

        Raises:
            VenueError: the symbol is not listed.
        """
        self.market(symbol)
        return [self.cancel(order, now_ns) for order in self.orders.open_orders(account.owner, symbol)]

    def fill_now(self, order: ClientOrder, lots: int, now_ns: int) -> None:
        """Let the street fill a resting order out of its turn: a match that had begun before."""
        assert order.resting is not None
        market = self.markets[order.listing.symbol]
        fill = market.book.fill_at_once(order.resting, min(lots, order.leaves_lots))
        self._settle(market, fill, None, order.side.opposite, now_ns)

    def find(self, account: Account, symbol: str, order_id: int, client_order_id: str) -> ClientOrder:
        """Give an order by the venue's id, or by the client's where that is 0; both must agree if given.

        Raises:
            VenueError: no such symbol or order.
        """
        self.market(symbol)
        order = (
            self.orders.by_id(account.owner, symbol, order_id)
            if order_id
            else self.orders.by_client_id(account.owner, symbol, client_order_id)
        )
        agrees = order is None or client_order_id in ("", order.client_order_id)
        if order is None or not agrees:
            raise VenueError(-2013, NO_SUCH_ORDER)
        return order

    def street_order(
        self, symbol: str, side: Side, ticks: int, lots: int, now_ns: int, *, rests: bool = True
    ) -> int:
        """Let the street trade up to a price and, if it `rests`, queue what is left; give the lots traded."""
        market = self.markets[symbol]
        self._order_id += 1
        taker = BookOrder(self._order_id, STREET, side, ticks, lots)
        self._trade(market, taker, None, side, now_ns)
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

    def _take(self, market: Market, order: ClientOrder, lots: int, now_ns: int) -> list[OrderReport]:
        """Trade so many lots of a new order, then rest or end what is left of it."""
        taker = market.taker(order, lots)
        reports, gives_way = self._trade(market, taker, order, order.side, now_ns)
        if gives_way:
            reports.append(self._give_way(order, now_ns))
        elif taker.lots and order.rests:
            order.resting = taker
            market.book.rest(taker)
        elif order.leaves_lots:
            reports.append(self._end(order, ExecutionType.EXPIRED, OrderStatus.EXPIRED, now_ns))
        return reports

    def _trade(
        self, market: Market, taker: BookOrder, order: ClientOrder | None, side: Side, now_ns: int
    ) -> tuple[list[OrderReport], bool]:
        """Match a taker and settle its fills; give its reports, and whether it gives way to its account."""
        self_trade = order.self_trade if order is not None else SelfTrade.NONE
        most = 1 if self.clearing.settles_each_fill else 1 << 30
        reports: list[OrderReport] = []
        while True:
            match = market.book.match(taker, self_trade, most)
            for fill in match.fills:
                report = self._settle(market, fill, order, side, now_ns)
                if report is not None:
                    reports.append(report)
            for maker in match.gave_way:
                self._give_way(self.orders.resting(maker.order_id), now_ns)
            if match.taker_gives_way or len(match.fills) < most:
                return reports, match.taker_gives_way

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
        report = None
        if taker is None:
            self.clearing.street_fill(market.listing, side, fill.ticks, fill.lots)
        else:
            report = self._fill(market, taker, fill, False, now_ns)
        if self.clearing.settles_each_fill:
            for one in (maker, taker):
                if one is not None:
                    self._shed(self.accounts[one.owner], market.listing.symbol, now_ns)
        return report

    def _shed(self, account: Account, symbol: str, now_ns: int) -> None:
        """End the orders that the account's position no longer allows."""
        for order in self.clearing.surplus(account, self.orders, symbol):
            self._end(order, ExecutionType.EXPIRED, OrderStatus.EXPIRED, now_ns)

    def _fill(self, market: Market, order: ClientOrder, fill: Fill, maker: bool, now_ns: int) -> OrderReport:
        account = self.accounts[order.owner]
        if not order.filled_lots and self.clearing.gives_back_filled:
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
