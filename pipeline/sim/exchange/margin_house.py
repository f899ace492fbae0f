"""The house of the USD-M futures: positions instead of balances, margin instead of locks, reduce-only.

Accounts and street together always hold a position of zero, and the cash of all fills adds up to zero: a
wallet changes by what its account realises and by commissions only. A reduce-only order never turns a
position round: it is cut at its entry, and whenever the position shrinks under those that wait, the newest
of them end.
"""

from __future__ import annotations

from pipeline.core.types import Side
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.admission import check_quotas
from pipeline.sim.exchange.clearing import commission
from pipeline.sim.exchange.errors import VenueError
from pipeline.sim.exchange.house import Admitted, Cleared
from pipeline.sim.exchange.listing import Listing
from pipeline.sim.exchange.margin_account import margin_view, views, wallet_e8
from pipeline.sim.exchange.margin_rules import margin_terms
from pipeline.sim.exchange.market import Market
from pipeline.sim.exchange.order import (
    NO_TRADE,
    ClientOrder,
    NewOrder,
    OrderKind,
    OrderReport,
    PositionReport,
    TimeInForce,
    VenueEvent,
)
from pipeline.sim.exchange.order_store import OrderStore
from pipeline.sim.exchange.quotas import Quota, usdm_order_quotas
from pipeline.sim.exchange.rules import Terms

FOK_REFUSED = (
    "Due to the order could not be filled immediately, the FOK order has been rejected. "
    "The order will not be recorded in the order history"
)
GTX_REFUSED = (
    "Due to the order could not be executed as maker, the Post Only order will be rejected. "
    "The order will not be recorded in the order history"
)


class MarginHouse:
    """Rules and till of the futures."""

    settles_each_fill = True
    gives_back_filled = False

    def __init__(self) -> None:
        self.street: dict[str, int] = {}
        """The street's position by symbol in 1e-8 of the base, and its cash by quote asset."""
        self.commissions: dict[str, int] = {}
        self._markets: dict[str, Market] = {}
        """Every market an order was sent to, so every one with a position or an open order."""

    def order_quotas(self) -> tuple[Quota, ...]:
        """Give the limits on the new orders of an account."""
        return usdm_order_quotas()

    def admit(
        self,
        market: Market,
        orders: OrderStore,
        account: Account,
        wanted: NewOrder,
        order_id: int,
        now_ns: int,
    ) -> Admitted:
        """Judge a new order.

        Raises:
            VenueError: it is refused.
        """
        check_quotas(account, now_ns)
        if not market.is_open:
            raise VenueError(-1122, "Invalid symbol status.")
        terms = margin_terms(market.listing, wanted, market.last_ticks)
        self._markets[market.listing.symbol] = market
        _check_account(market, orders, account, wanted)
        order = _order(market, account, wanted, terms, order_id, now_ns)
        _check_book(market, order)
        if order.reduce_only:
            return Admitted(order, 0, True, _reducing(account, orders, order))
        self._check_margin(market, orders, account, order)
        return Admitted(order, 0, True, order.lots)

    def _check_margin(self, market: Market, orders: OrderStore, account: Account, order: ClientOrder) -> None:
        """Refuse an order that needs more margin than is left; what needs no more may come in."""
        waiting = orders.open_orders(account.owner, order.listing.symbol)
        more_e8 = (
            margin_view(account, market, waiting, (order.side, order.lots)).margin_e8
            - margin_view(account, market, waiting).margin_e8
        )
        found = views(account, self._markets.values(), orders).values()
        worth_e8 = wallet_e8(account, order.listing.instrument.quote) + sum(v.unrealised_e8 for v in found)
        if more_e8 > 0 and more_e8 > worth_e8 - sum(view.margin_e8 for view in found):
            raise VenueError(-2019, "Margin is insufficient.")

    def reserve(self, _account: Account, _order: ClientOrder, _amount_e8: int) -> None:
        """Do nothing: the margin of open orders is worked out, not locked."""

    def release(self, _account: Account, _order: ClientOrder) -> None:
        """Do nothing, as in `reserve`."""

    def fill(self, account: Account, order: ClientOrder, ticks: int, lots: int, maker: bool) -> Cleared:
        """Move the position, and put what that realised, less the commission, into the wallet."""
        listing = order.listing
        notional_e8 = listing.notional_e8(ticks, lots)
        realised_e8 = account.position(listing.symbol).take(order.side, lots, notional_e8)
        asset, commission_e8 = listing.instrument.quote, commission(listing, notional_e8, maker)
        account.receive(asset, realised_e8 - commission_e8)
        self.commissions[asset] = self.commissions.get(asset, 0) + commission_e8
        return Cleared(
            order.side * lots * listing.lot_e8,
            realised_e8 - commission_e8,
            commission_e8,
            asset,
            realised_e8,
        )

    def street_fill(self, listing: Listing, side: Side, ticks: int, lots: int) -> None:
        """Count a fill of the street's; `side` is the street's own."""
        symbol, asset = listing.symbol, listing.instrument.quote
        self.street[symbol] = self.street.get(symbol, 0) + side * lots * listing.lot_e8
        self.street[asset] = self.street.get(asset, 0) - side * listing.notional_e8(ticks, lots)

    def surplus(self, account: Account, orders: OrderStore, symbol: str) -> list[ClientOrder]:
        """Give the resting reduce-only orders beyond the position; the oldest may stay first."""
        position = account.position(symbol)
        room = {side: position.closable(side) for side in (Side.BUY, Side.SELL)}
        found = []
        for order in orders.open_orders(account.owner, symbol):
            if not order.reduce_only or order.resting is None:
                continue
            if order.leaves_lots > room[order.side]:
                found.append(order)
            else:
                room[order.side] -= order.leaves_lots
        return found

    def told(self, account: Account, report: OrderReport) -> list[VenueEvent]:
        """Give the report; before that of a fill wallet and position as the fill left them."""
        if report.trade_id == NO_TRADE:
            return [report]
        listing = report.order.listing
        position = account.position(listing.symbol)
        position.updated_ns = report.ts_ns
        worth_e8 = listing.notional_e8(report.last_ticks, abs(position.lots))
        moved = PositionReport(
            account.owner,
            listing.symbol,
            wallet_e8(account, listing.instrument.quote),
            position.lots,
            position.entry_e8(listing.lot_e8),
            position.realised_e8,
            position.unrealised_e8(worth_e8),
            report.ts_ns,
        )
        return [moved, report]


def _check_account(market: Market, orders: OrderStore, account: Account, wanted: NewOrder) -> None:
    bearer = orders.by_client_id(account.owner, wanted.symbol, wanted.client_order_id)
    if bearer is not None and bearer.is_open:
        raise VenueError(-4116, "ClientOrderId is duplicated.")
    if len(orders.open_orders(account.owner, wanted.symbol)) >= market.listing.max_open_orders:
        raise VenueError(-2025, "Reach max open order limit.")


def _check_book(market: Market, order: ClientOrder) -> None:
    """Refuse what its time in force forbids as the book stands: such orders are never recorded."""
    if order.time_in_force is TimeInForce.GTX and market.book.would_take(order.side, order.ticks):
        raise VenueError(-5022, GTX_REFUSED)
    if order.time_in_force is TimeInForce.FOK:
        offers = market.takeable(order.owner, order.side, order.ticks, order.self_trade)
        if sum(lots for _, lots in offers) < order.lots:
            raise VenueError(-5021, FOK_REFUSED)


def _reducing(account: Account, orders: OrderStore, order: ClientOrder) -> int:
    """Give how much of a reduce-only order may trade.

    A market order stops where the position is flat; a limit order must fit beside those that wait already.
    """
    room = account.position(order.listing.symbol).closable(order.side)
    if order.kind is not OrderKind.MARKET:
        waiting = [
            one.leaves_lots
            for one in orders.open_orders(account.owner, order.listing.symbol)
            if one.reduce_only and one.side is order.side
        ]
        room = room - sum(waiting) if order.lots <= room - sum(waiting) else 0
    if not room:
        raise VenueError(-2022, "ReduceOnly Order is rejected.")
    return min(order.lots, room)


def _order(
    market: Market, account: Account, wanted: NewOrder, terms: Terms, order_id: int, now_ns: int
) -> ClientOrder:
    return ClientOrder(
        order_id=order_id,
        owner=account.owner,
        client_order_id=wanted.client_order_id or f"venue{order_id}",
        listing=market.listing,
        side=wanted.side,
        kind=wanted.kind,
        time_in_force=wanted.time_in_force,
        ticks=terms.ticks,
        lots=terms.lots,
        self_trade=wanted.self_trade,
        created_ns=now_ns,
        reduce_only=wanted.reduce_only,
        updated_ns=now_ns,
    )
