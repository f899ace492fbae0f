"""The signed requests: orders, fills and balances of one account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.errors import UNKNOWN_CANCEL, VenueError
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.order import ClientOrder, OrderStatus
from pipeline.sim.protocol import answers
from pipeline.sim.protocol.exchange_info import used_limit
from pipeline.sim.protocol.order_requests import answer_form, new_order, order_reference
from pipeline.sim.protocol.parameters import Parameters
from pipeline.sim.protocol.venue_market import VenueMarket

MOST_FOUND = 1_000
_RESTRICTIONS = {
    "": (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED),
    "ONLY_NEW": (OrderStatus.NEW,),
    "ONLY_PARTIALLY_FILLED": (OrderStatus.PARTIALLY_FILLED,),
}


LateFill = Callable[[str, ClientOrder, int], None]
"""May fill an order right before a request (its name) to cancel it is carried out: a fault."""


class OrderMethods:
    """One method a request; each takes the parameters, the account and the time and gives the result."""

    def __init__(self, market: VenueMarket, late_fill: LateFill) -> None:
        self._market = market
        self._late_fill = late_fill
        self._exchange: Exchange = market.exchange

    def place(self, params: Parameters, account: Account, now_ns: int) -> Any:
        """Place an order."""
        wanted = new_order(params)
        form = answer_form(params, wanted.kind)
        reports = self._exchange.place(account, wanted, now_ns)
        self._market.publish(wanted.symbol, now_ns)
        return answers.order_answer(reports, form)

    def test(self, params: Parameters, account: Account, now_ns: int) -> Any:
        """Judge an order without placing it."""
        self._exchange.check(account, new_order(params), now_ns)
        return {}

    def cancel(self, params: Parameters, account: Account, now_ns: int) -> Any:
        """Cancel an order."""
        symbol, reference = params.text("symbol"), order_reference(params)
        restriction = params.optional("cancelRestrictions")
        if restriction not in _RESTRICTIONS:
            raise VenueError(-1130, "Invalid data sent for parameter 'cancelRestrictions'.")
        order = self._open_order(account, symbol, *reference)
        if order.status not in _RESTRICTIONS[restriction]:
            raise VenueError(-2011, "Order was not canceled due to cancel restrictions.")
        own_id = params.optional("newClientOrderId", f"cancel{order.order_id}")
        self._late_fill("order.cancel", order, now_ns)
        report = self._exchange.cancel(order, now_ns, own_id)
        self._market.publish(symbol, now_ns)
        return answers.canceled_answer(report)

    def cancel_all(self, params: Parameters, account: Account, now_ns: int) -> Any:
        """Cancel every open order of a symbol."""
        symbol = params.text("symbol")
        for order in self._exchange.orders.open_orders(account.owner, symbol):
            self._late_fill("openOrders.cancelAll", order, now_ns)
        reports = self._exchange.cancel_all(account, symbol, now_ns)
        self._market.publish(symbol, now_ns)
        return [answers.canceled_answer(report) for report in reports]

    def status(self, params: Parameters, account: Account, _now_ns: int) -> Any:
        """Find an order."""
        order = self._exchange.find(account, params.text("symbol"), *order_reference(params))
        return answers.found_order(order)

    def open_orders(self, params: Parameters, account: Account, _now_ns: int) -> Any:
        """List the open orders, of one symbol or of all."""
        symbol = params.optional("symbol")
        if symbol:
            self._exchange.market(symbol)
        return [answers.found_order(one) for one in self._exchange.orders.open_orders(account.owner, symbol)]

    def all_orders(self, params: Parameters, account: Account, _now_ns: int) -> Any:
        """List the newest orders of a symbol, from an order id on where one is given."""
        symbol, first_id = params.text("symbol"), params.optional_number("orderId")
        self._exchange.market(symbol)
        known = self._exchange.orders.all_orders(account.owner, symbol)
        found = [answers.found_order(one) for one in known if one.order_id >= first_id]
        return _newest(found, params) if not first_id else found[: _limit(params)]

    def trades(self, params: Parameters, account: Account, _now_ns: int) -> Any:
        """List the newest fills of a symbol: of one order, from a trade id on, or since a time."""
        symbol = params.text("symbol")
        self._exchange.market(symbol)
        order_id, first_id = params.optional_number("orderId"), params.optional_number("fromId")
        start_ms = params.optional_number("startTime")
        found = [
            answers.found_trade(one)
            for one in self._exchange.orders.fills
            if (one.order.owner, one.order.listing.symbol) == (account.owner, symbol)
            and order_id in (0, one.order.order_id)
            and one.trade_id >= first_id
            and one.ts_ns // answers.MS_NS >= start_ms
        ]
        return _newest(found, params) if not (first_id or start_ms) else found[: _limit(params)]

    def account(self, params: Parameters, account: Account, _now_ns: int) -> Any:
        """Give the balances."""
        omit_zero = params.optional("omitZeroBalances") == "true"
        return answers.account_answer(self._exchange, account, omit_zero)

    def commission(self, params: Parameters, _account: Account, _now_ns: int) -> Any:
        """Give the commission rates of a symbol."""
        return answers.commission_answer(self._exchange.market(params.text("symbol")).listing)

    def order_limits(self, _params: Parameters, account: Account, now_ns: int) -> Any:
        """Give how many of the orders allowed are used."""
        return [used_limit(quota, now_ns) for quota in account.order_quotas]

    def _open_order(self, account: Account, symbol: str, order_id: int, client_id: str) -> ClientOrder:
        """Find the order to cancel; by the client's id only open ones count."""
        try:
            return self._exchange.find(account, symbol, order_id, client_id)
        except VenueError as error:
            if error.code != -2013:
                raise
            raise VenueError(-2011, UNKNOWN_CANCEL) from None


def _limit(params: Parameters) -> int:
    return min(params.optional_number("limit", 500), MOST_FOUND)


def _newest(found: list[Any], params: Parameters) -> list[Any]:
    return found[-_limit(params) :]
