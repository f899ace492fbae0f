"""The requests of a futures account: orders, positions, the dead-man switch, keys to the user data stream."""

from __future__ import annotations

from typing import Any

from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.errors import UNKNOWN_CANCEL, VenueError, missing
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.margin_account import views
from pipeline.sim.exchange.order import ClientOrder, NewOrder, OrderKind, SelfTrade, TimeInForce
from pipeline.sim.exchange.rules import side_of
from pipeline.sim.protocol import usdm_answers
from pipeline.sim.protocol.answers import MS_NS
from pipeline.sim.protocol.countdowns import Countdowns
from pipeline.sim.protocol.exchange_info import used_limit
from pipeline.sim.protocol.listen_keys import ListenKeys
from pipeline.sim.protocol.order_methods import MOST_FOUND, LateFill
from pipeline.sim.protocol.order_requests import amount, order_reference, word
from pipeline.sim.protocol.parameters import Parameters
from pipeline.sim.protocol.venue_market import VenueMarket

MOST_COUNTDOWN_MS = 10**10
_KINDS = (OrderKind.LIMIT, OrderKind.MARKET)
_ALGO_KINDS = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
_SELF_TRADES = (SelfTrade.EXPIRE_TAKER, SelfTrade.EXPIRE_MAKER, SelfTrade.EXPIRE_BOTH)
_ALL_CANCELLED = {"code": 200, "msg": "The operation of cancel all open order is done."}


class UsdmOrders:
    """One method a request; each takes the parameters, the account and the time and gives the result."""

    def __init__(
        self,
        market: VenueMarket,
        late_fill: LateFill,
        countdowns: Countdowns,
        keys: ListenKeys,
    ) -> None:
        self._market = market
        self._exchange: Exchange = market.exchange
        self._late_fill = late_fill
        self._countdowns = countdowns
        self._keys = keys

    def place(self, params: Parameters, account: Account, now_ns: int) -> Any:
        """Place an order; ACK tells it as it came in, RESULT as it stands after it met the book."""
        wanted = new_order(params)
        form = params.optional("newOrderRespType", "ACK")
        if form not in ("ACK", "RESULT"):
            raise VenueError(-1136, "Invalid newOrderRespType.")
        reports = self._exchange.place(account, wanted, now_ns)
        self._market.publish(wanted.symbol, now_ns)
        return usdm_answers.order_answer(reports[0].order, reports[0 if form == "ACK" else -1])

    def test(self, params: Parameters, account: Account, now_ns: int) -> Any:
        """Judge an order without placing it."""
        self._exchange.check(account, new_order(params), now_ns)
        return {}

    def cancel(self, params: Parameters, account: Account, now_ns: int) -> Any:
        """Cancel an order; `orderId` prevails where both ids are sent."""
        symbol = params.text("symbol")
        try:
            order = self._found(account, symbol, params)
        except VenueError as error:
            if error.code != -2013:
                raise
            raise VenueError(-2011, UNKNOWN_CANCEL) from None
        self._late_fill("order.cancel", order, now_ns)
        report = self._exchange.cancel(order, now_ns)
        self._market.publish(symbol, now_ns)
        return usdm_answers.order_answer(order, report)

    def cancel_all(self, params: Parameters, account: Account, now_ns: int) -> Any:
        """Cancel every open order of a symbol, be there none; algo orders are another request's."""
        symbol = params.text("symbol")
        for order in self._exchange.orders.open_orders(account.owner, symbol):
            self._late_fill("allOpenOrders.cancel", order, now_ns)
        self._exchange.cancel_open(account, symbol, now_ns)
        self._market.publish(symbol, now_ns)
        return _ALL_CANCELLED

    def cancel_all_algo(self, params: Parameters, _account: Account, _now_ns: int) -> Any:
        """Cancel the algo orders of a symbol: there never are any here."""
        self._exchange.market(params.text("symbol"))
        return _ALL_CANCELLED

    def open_algo(self, _params: Parameters, _account: Account, _now_ns: int) -> Any:
        """List the open algo orders: there never are any here."""
        return []

    def place_algo(self, _params: Parameters, _account: Account, _now_ns: int) -> Any:
        """Refuse an algo order: the simulation has none."""
        raise VenueError(-1020, "This operation is not supported.")

    def status(self, params: Parameters, account: Account, _now_ns: int) -> Any:
        """Find an order."""
        return usdm_answers.found_order(self._found(account, params.text("symbol"), params))

    def open_order(self, params: Parameters, account: Account, _now_ns: int) -> Any:
        """Find an order that is still open."""
        order = self._found(account, params.text("symbol"), params)
        if not order.is_open:
            raise VenueError(-2013, "Order does not exist.")
        return usdm_answers.found_order(order)

    def open_orders(self, params: Parameters, account: Account, _now_ns: int) -> Any:
        """List the open orders, of one symbol or of all."""
        symbol = params.optional("symbol")
        if symbol:
            self._exchange.market(symbol)
        found = self._exchange.orders.open_orders(account.owner, symbol)
        return [usdm_answers.found_order(one) for one in found]

    def all_orders(self, params: Parameters, account: Account, _now_ns: int) -> Any:
        """List the newest orders of a symbol, from an order id on where one is given."""
        symbol, first_id = params.text("symbol"), params.optional_number("orderId")
        self._exchange.market(symbol)
        known = self._exchange.orders.all_orders(account.owner, symbol)
        found = [usdm_answers.found_order(one) for one in known if one.order_id >= first_id]
        return _page(found, params, from_start=bool(first_id))

    def trades(self, params: Parameters, account: Account, _now_ns: int) -> Any:
        """List the newest fills of a symbol: of one order, from a trade id on, or since a time."""
        symbol = params.text("symbol")
        self._exchange.market(symbol)
        order_id, first_id = params.optional_number("orderId"), params.optional_number("fromId")
        start_ms = params.optional_number("startTime")
        found = [
            usdm_answers.found_trade(one)
            for one in self._exchange.orders.fills
            if (one.order.owner, one.order.listing.symbol) == (account.owner, symbol)
            and order_id in (0, one.order.order_id)
            and one.trade_id >= first_id
            and one.ts_ns // MS_NS >= start_ms
        ]
        return _page(found, params, from_start=bool(first_id or start_ms))

    def every_position(self, params: Parameters, account: Account, _now_ns: int) -> Any:
        """Give the positions of all symbols, flat ones too, or of one symbol."""
        return self._positions(params, account, also_flat=True)

    def positions(self, params: Parameters, account: Account, _now_ns: int) -> Any:
        """Give the positions of the symbols with a position or open orders."""
        return self._positions(params, account, also_flat=False)

    def account(self, _params: Parameters, account: Account, _now_ns: int) -> Any:
        """Give wallet, margin and positions."""
        return usdm_answers.account_answer(account, self._exchange.markets.values(), self._exchange.orders)

    def balance(self, _params: Parameters, account: Account, _now_ns: int) -> Any:
        """Give the balance of each asset."""
        return usdm_answers.balance_answer(account, self._exchange.markets.values(), self._exchange.orders)

    def commission(self, params: Parameters, _account: Account, _now_ns: int) -> Any:
        """Give the commission rates of a symbol."""
        return usdm_answers.commission_answer(self._exchange.market(params.text("symbol")).listing)

    def brackets(self, params: Parameters, _account: Account, _now_ns: int) -> Any:
        """Give the one leverage bracket of each symbol, or of one."""
        symbol = params.optional("symbol")
        markets = [self._exchange.market(symbol)] if symbol else self._exchange.markets.values()
        return [usdm_answers.bracket_answer(market.listing) for market in markets]

    def order_limits(self, _params: Parameters, account: Account, now_ns: int) -> Any:
        """Give how many of the orders allowed are used."""
        return [used_limit(quota, now_ns) for quota in account.order_quotas]

    def countdown(self, params: Parameters, account: Account, now_ns: int) -> Any:
        """Start, restart or stop the dead-man switch of a symbol."""
        symbol, countdown_ms = params.text("symbol"), params.number("countdownTime")
        self._exchange.market(symbol)
        if countdown_ms > MOST_COUNTDOWN_MS:
            raise VenueError(-1130, "Data sent for parameter 'countdownTime' is not valid.")
        self._countdowns.set(account, symbol, countdown_ms, now_ns)
        return {"symbol": symbol, "countdownTime": str(countdown_ms)}

    def start_stream(self, _params: Parameters, account: Account, now_ns: int) -> Any:
        """Give the key to the user data stream, valid for an hour."""
        return {"listenKey": self._keys.start(account, now_ns)}

    def ping_stream(self, _params: Parameters, account: Account, now_ns: int) -> Any:
        """Let the key be valid for an hour from now."""
        return {"listenKey": self._keys.ping(account, now_ns)}

    def stop_stream(self, _params: Parameters, account: Account, _now_ns: int) -> Any:
        """Take the key back: whoever holds it hears nothing more."""
        self._keys.close(account)
        return {}

    def _found(self, account: Account, symbol: str, params: Parameters) -> ClientOrder:
        order_id, client_id = order_reference(params)
        return self._exchange.find(account, symbol, order_id, "" if order_id else client_id)

    def _positions(self, params: Parameters, account: Account, *, also_flat: bool) -> list[Any]:
        symbol = params.optional("symbol")
        markets = [self._exchange.market(symbol)] if symbol else list(self._exchange.markets.values())
        found = views(account, markets, self._exchange.orders)
        return [
            usdm_answers.position_answer(account, market, found[market.listing.symbol])
            for market in markets
            if also_flat
            or account.position(market.listing.symbol).lots
            or self._exchange.orders.open_orders(account.owner, market.listing.symbol)
        ]


def new_order(params: Parameters) -> NewOrder:
    """Read a new order of the futures.

    Raises:
        VenueError: a mandatory parameter is missing, a word unknown, a number no number.
    """
    symbol, side, kind = params.text("symbol"), side_of(params.text("side")), _kind(params.text("type"))
    if params.optional("positionSide", "BOTH") != "BOTH":
        raise VenueError(-4061, "Order's position side does not match user's setting.")
    tif = params.optional("timeInForce")
    if kind is OrderKind.LIMIT and not tif:
        raise missing("timeInForce")
    if kind is OrderKind.MARKET and tif:
        raise VenueError(-1106, "Parameter 'timeInForce' sent when not required.")
    self_trade = word(
        SelfTrade,
        params.optional("selfTradePreventionMode", SelfTrade.EXPIRE_MAKER.value),
        -1130,
        "Data sent for parameter 'selfTradePreventionMode' is not valid.",
    )
    if self_trade not in _SELF_TRADES:
        raise VenueError(-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid.")
    return NewOrder(
        symbol=symbol,
        side=side,
        kind=kind,
        time_in_force=word(TimeInForce, tif or "GTC", -1115, "Invalid timeInForce."),
        price_e8=_positive(params, "price", -4001, "Price less than 0."),
        quantity_e8=_positive(params, "quantity", -4003, "Quantity less than or equal to zero."),
        client_order_id=params.optional("newClientOrderId"),
        self_trade=self_trade,
        reduce_only=_truth(params, "reduceOnly"),
    )


def _kind(text: str) -> OrderKind:
    if text in _ALGO_KINDS:
        raise VenueError(
            -4120,
            "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
        )
    kind = word(OrderKind, text, -1116, "Invalid orderType.")
    if kind not in _KINDS:
        raise VenueError(-1116, "Invalid orderType.")
    return kind


def _positive(params: Parameters, name: str, code: int, refusal: str) -> int:
    """Give a decimal in 1e-8, 0 where none was sent; a zero that was sent is refused."""
    try:
        return amount(params, name)
    except VenueError as error:
        if error.code == -1013:
            raise VenueError(code, refusal) from None
        raise


def _truth(params: Parameters, name: str) -> bool:
    text = params.optional(name, "false").lower()
    if text not in ("true", "false"):
        raise VenueError(-1130, f"Data sent for parameter '{name}' is not valid.")
    return text == "true"


def _page(found: list[Any], params: Parameters, *, from_start: bool) -> list[Any]:
    limit = min(params.optional_number("limit", 500), MOST_FOUND)
    return found[:limit] if from_start else found[-limit:]
