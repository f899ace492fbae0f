"""Binance spot's requests (VENUES 1.3, 1.6 to 1.8): each with its REST route, weight and security."""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.errors import VenueError
from pipeline.sim.exchange.quotas import Quota
from pipeline.sim.protocol.exchange_info import exchange_info
from pipeline.sim.protocol.methods import Method, Security, depth_weight, weighs
from pipeline.sim.protocol.order_methods import LateFill, OrderMethods
from pipeline.sim.protocol.parameters import Parameters
from pipeline.sim.protocol.venue_market import VenueMarket

MOST_LEVELS = 5_000
SUBSCRIBE = "userDataStream.subscribe.signature"
_ROOT = "/api/v3/"
_DEPTH_STEPS = ((100, 5), (500, 25), (1_000, 50), (5_000, 250))
_REFERENCE = ("orderId", "origClientOrderId")
_ORDER_NEEDS = ("symbol", "side", "type")
_ORDER_TAKES = (
    *("timeInForce", "price", "quantity", "quoteOrderQty", "newClientOrderId"),
    *("newOrderRespType", "selfTradePreventionMode"),
)


class SpotMethods:
    """The public requests, and the table of all of them."""

    def __init__(self, market: VenueMarket, quotas: tuple[Quota, ...], late_fill: LateFill) -> None:
        self._market = market
        self._quotas = quotas
        self._orders = OrderMethods(market, late_fill)

    def table(self) -> tuple[Method, ...]:
        """Give every request."""
        return (*self._public(), *self._trading(), *self._account())

    def _public(self) -> tuple[Method, ...]:
        none = Security.NONE
        return (
            Method("ping", none, *weighs(1), "Nothing.", _get("ping"), public=lambda _params, _now: {}),
            Method("time", none, *weighs(1), "The venue's time.", _get("time"), public=server_time),
            Method(
                *("exchangeInfo", none, *weighs(20), "Limits, symbols and filters.", _get("exchangeInfo")),
                takes=("symbol", "symbols"),
                public=self._exchange_info,
            ),
            Method(
                *("depth", none, *depth_weight(_DEPTH_STEPS, 100), "The book as it stands.", _get("depth")),
                needs=("symbol",),
                takes=("limit",),
                public=self._depth,
            ),
        )

    def _trading(self) -> tuple[Method, ...]:
        signed, orders = Security.SIGNED, self._orders
        return (
            Method(
                *("order.place", signed, *weighs(0), "Place an order.", (("POST", _ROOT + "order"),)),
                *(_ORDER_NEEDS, _ORDER_TAKES),
                account=orders.place,
                counts_orders=True,
            ),
            Method(
                *("order.test", signed, *weighs(1), "Judge an order, place none."),
                *((("POST", _ROOT + "order/test"),), _ORDER_NEEDS, _ORDER_TAKES),
                account=orders.test,
                counts_orders=True,
            ),
            Method(
                *("order.cancel", signed, *weighs(0), "Cancel an order.", (("DELETE", _ROOT + "order"),)),
                needs=("symbol",),
                takes=(*_REFERENCE, "newClientOrderId", "cancelRestrictions"),
                account=orders.cancel,
                counts_orders=True,
            ),
            Method(
                *("openOrders.cancelAll", signed, *weighs(0), "Cancel every order of a symbol."),
                *((("DELETE", _ROOT + "openOrders"),), ("symbol",)),
                account=orders.cancel_all,
            ),
        )

    def _account(self) -> tuple[Method, ...]:
        signed, orders = Security.SIGNED, self._orders
        symbol, paged = ("symbol",), ("orderId", "limit")
        return (
            Method(
                *("order.status", signed, *weighs(4), "Find an order.", _get("order"), symbol, _REFERENCE),
                account=orders.status,
                counts_orders=True,
            ),
            Method(
                *("openOrders.status", signed, lambda params: 6 if params.optional("symbol") else 80),
                *("6 of one symbol, 80 of all", "List the open orders.", _get("openOrders")),
                takes=symbol,
                account=orders.open_orders,
            ),
            Method(
                *("allOrders", signed, *weighs(20), "List orders.", _get("allOrders"), symbol, paged),
                account=orders.all_orders,
            ),
            Method(
                *("myTrades", signed, *weighs(20), "List fills.", _get("myTrades"), symbol),
                takes=("orderId", "fromId", "startTime", "limit"),
                account=orders.trades,
            ),
            Method(
                *("account.status", signed, *weighs(20), "Balances and rates.", _get("account")),
                takes=("omitZeroBalances",),
                account=orders.account,
            ),
            Method(
                *("account.commission", signed, *weighs(20), "Commission rates of a symbol."),
                *(_get("account/commission"), symbol),
                account=orders.commission,
            ),
            Method(
                *("account.rateLimits.orders", signed, *weighs(40), "Order counts."),
                _get("rateLimit/order"),
                account=orders.order_limits,
            ),
            Method(
                *(SUBSCRIBE, signed, *weighs(2), "Begin the user data stream on this connection."),
                account=_owner,
            ),
        )

    def _exchange_info(self, params: Parameters, now_ns: int) -> Any:
        known = {listing.symbol: listing for listing in self._market.listings}
        names = _named_symbols(params) or list(known)
        if any(name not in known for name in names):
            raise VenueError(-1121, "Invalid symbol.")
        listed = [(known[name], self._market.is_trading(name)) for name in names]
        return exchange_info(listed, self._quotas, now_ns)

    def _depth(self, params: Parameters, _now_ns: int) -> Any:
        limit = min(max(params.optional_number("limit", 100), 1), MOST_LEVELS)
        return msgspec.Raw(self._market.snapshot(params.text("symbol"), limit).encode())


def server_time(_params: Parameters, now_ns: int) -> Any:
    """Give the venue's time in milliseconds."""
    return {"serverTime": now_ns // 1_000_000}


def _owner(_params: Parameters, account: Account, _now_ns: int) -> int:
    return account.owner


def _named_symbols(params: Parameters) -> list[str]:
    """Give the symbols a request names, by either parameter; [] for none.

    Raises:
        VenueError: `symbols` is no list of texts, or an empty one.
    """
    if not params.optional("symbols"):
        wanted = params.optional("symbol")
        return [wanted] if wanted else []
    try:
        names = msgspec.json.decode(params.text("symbols"), type=list[str])
    except msgspec.MsgspecError:
        raise VenueError(-1100, "Illegal characters found in parameter 'symbols'.") from None
    if not names:
        raise VenueError(-1121, "Invalid symbol.")
    return names


def _get(path: str) -> tuple[tuple[str, str], ...]:
    return (("GET", _ROOT + path),)
