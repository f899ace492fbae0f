"""Whether a new order is let in: quotas, filters, ids, what it would do to the book, what it must lock.

Nothing here changes anything; the money is locked by the caller.
"""

from __future__ import annotations

import re

from pipeline.core.types import Side
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.errors import (
    DUPLICATE,
    MARKET_CLOSED,
    TOO_MANY,
    WOULD_TAKE,
    VenueError,
    filter_failure,
    rejected,
)
from pipeline.sim.exchange.house import Admitted
from pipeline.sim.exchange.market import Market
from pipeline.sim.exchange.order import ClientOrder, NewOrder, OrderKind, TimeInForce
from pipeline.sim.exchange.order_store import OrderStore
from pipeline.sim.exchange.rules import Terms, terms_of

CLIENT_ID = r"^[.A-Z:/a-z0-9_-]{1,36}$"
_CLIENT_ID = re.compile(CLIENT_ID)


def admit(
    market: Market, orders: OrderStore, account: Account, wanted: NewOrder, order_id: int, now_ns: int
) -> Admitted:
    """Judge a new order in the venue's order of checks.

    Raises:
        VenueError: it is refused.
    """
    check_quotas(account, now_ns)
    if wanted.client_order_id and not _CLIENT_ID.match(wanted.client_order_id):
        raise VenueError(
            -1100,
            f"Illegal characters found in parameter 'newClientOrderId'; legal range is '{CLIENT_ID}'.",
        )
    if not market.is_open:
        raise rejected(MARKET_CLOSED)
    terms = terms_of(market.listing, wanted, market.last_ticks)
    _check_account(market, orders, account, wanted)
    order = _order(market, account, wanted, terms, order_id, now_ns)
    if wanted.kind is OrderKind.MARKET:
        return _market_order(market, order)
    if wanted.kind is OrderKind.LIMIT_MAKER and market.book.would_take(order.side, order.ticks):
        raise rejected(WOULD_TAKE)
    may_trade = True
    if wanted.time_in_force is TimeInForce.FOK:
        offers = market.takeable(order.owner, order.side, order.ticks, order.self_trade)
        may_trade = sum(lots for _, lots in offers) >= order.lots
    return Admitted(order, _worth(market, order), may_trade, order.lots)


def check_quotas(account: Account, now_ns: int) -> None:
    """Refuse an order beyond the order count of a window.

    Raises:
        VenueError: -1015, with when the next window begins.
    """
    for quota in account.order_quotas:
        if not quota.has_room(1, now_ns):
            raise VenueError(
                -1015,
                f"Too many new orders; current limit is {quota.limit} orders per "
                f"{quota.interval_num} {quota.interval}.",
                TOO_MANY,
                quota.next_window_ns(now_ns),
            )


def _check_account(market: Market, orders: OrderStore, account: Account, wanted: NewOrder) -> None:
    bearer = orders.by_client_id(account.owner, wanted.symbol, wanted.client_order_id)
    if bearer is not None and bearer.is_open:
        raise rejected(DUPLICATE)
    if len(orders.open_orders(account.owner, wanted.symbol)) >= market.listing.max_open_orders:
        raise filter_failure("MAX_NUM_ORDERS")


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
        quote_quantity_e8=wanted.quote_quantity_e8,
        updated_ns=now_ns,
    )


def _market_order(market: Market, order: ClientOrder) -> Admitted:
    """Lock what the book as it stands would cost, or the whole quantity to sell."""
    offers = market.takeable(order.owner, order.side, market.any_price(order.side), order.self_trade)
    if order.quote_quantity_e8:
        order.lots = market.lots_for(offers, order.quote_quantity_e8)
        if not order.lots:
            raise filter_failure("LOT_SIZE")
    cost_e8 = market.cost_e8(offers, order.lots)
    reserve_e8 = cost_e8 if order.side is Side.BUY else order.lots * market.listing.lot_e8
    return Admitted(order, reserve_e8, True, order.lots)


def _worth(market: Market, order: ClientOrder) -> int:
    if order.side is Side.BUY:
        return market.listing.notional_e8(order.ticks, order.lots)
    return order.lots * market.listing.lot_e8
