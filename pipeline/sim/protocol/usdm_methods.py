"""The USD-M futures' requests (VENUES 2.2, 2.4, 2.5): what safety needs, and what a client starts with."""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline.sim.exchange.errors import VenueError
from pipeline.sim.exchange.quotas import Quota
from pipeline.sim.protocol.methods import Method, Security, Weight, depth_weight, weighs
from pipeline.sim.protocol.parameters import Parameters
from pipeline.sim.protocol.spot_methods import server_time
from pipeline.sim.protocol.usdm_info import exchange_info
from pipeline.sim.protocol.usdm_orders import UsdmOrders
from pipeline.sim.protocol.venue_market import VenueMarket

DEPTH_LIMITS = (5, 10, 20, 50, 100, 500, 1_000)
_DEPTH_STEPS = ((50, 2), (100, 5), (500, 10), (1_000, 20))
_V1, _V2, _V3 = "/fapi/v1/", "/fapi/v2/", "/fapi/v3/"
_REFERENCE = ("orderId", "origClientOrderId")
_ORDER_NEEDS = ("symbol", "side", "type", "quantity")
_ORDER_TAKES = (
    *("timeInForce", "price", "positionSide", "reduceOnly", "newClientOrderId"),
    *("newOrderRespType", "selfTradePreventionMode"),
)
_SIGNED, _KEY, _NONE = Security.SIGNED, Security.KEY, Security.NONE
_SYMBOL = ("symbol",)


class UsdmMethods:
    """The public requests, and the table of all of them."""

    def __init__(self, market: VenueMarket, quotas: tuple[Quota, ...], orders: UsdmOrders) -> None:
        self._market = market
        self._quotas = quotas
        self._orders = orders

    def table(self) -> tuple[Method, ...]:
        """Give every request."""
        return (
            *self._public(),
            *self._trading(),
            *self._kill(),
            *self._queries(),
            *self._account(),
            *self._stream(),
        )

    def _public(self) -> tuple[Method, ...]:
        depth = depth_weight(_DEPTH_STEPS, 500)
        return (
            rest(("GET", _V1 + "ping"), _NONE, weighs(1), "Nothing.", public=lambda _params, _now: {}),
            rest(("GET", _V1 + "time"), _NONE, weighs(1), "The venue's time.", public=server_time),
            rest(
                ("GET", _V1 + "exchangeInfo"),
                _NONE,
                weighs(1),
                "Limits, contracts and filters.",
                public=self._exchange_info,
            ),
            Method(
                *("depth", _NONE, *depth, "The book as it stands.", (("GET", _V1 + "depth"),), _SYMBOL),
                takes=("limit",),
                public=self._depth,
            ),
        )

    def _trading(self) -> tuple[Method, ...]:
        orders, order = self._orders, _V1 + "order"
        return (
            Method(
                *("order.place", _SIGNED, *weighs(0), "Place an order.", (("POST", order),)),
                *(_ORDER_NEEDS, _ORDER_TAKES),
                account=orders.place,
                counts_orders=True,
            ),
            rest(
                ("POST", order + "/test"),
                _SIGNED,
                weighs(0),
                "Judge an order, place none.",
                needs=_ORDER_NEEDS,
                takes=_ORDER_TAKES,
                account=orders.test,
            ),
            Method(
                *("order.cancel", _SIGNED, *weighs(1), "Cancel an order.", (("DELETE", order),)),
                *(_SYMBOL, _REFERENCE),
                account=orders.cancel,
                counts_orders=True,
            ),
            Method(
                *("order.status", _SIGNED, *weighs(1), "Find an order.", (("GET", order),)),
                *(_SYMBOL, _REFERENCE),
                account=orders.status,
            ),
            Method(
                *("algoOrder.place", _SIGNED, *weighs(0), "Refused: there are no algo orders here."),
                *((("POST", _V1 + "algoOrder"),), _SYMBOL),
                account=orders.place_algo,
            ),
        )

    def _kill(self) -> tuple[Method, ...]:
        orders = self._orders
        return (
            rest(
                ("DELETE", _V1 + "allOpenOrders"),
                _SIGNED,
                weighs(1),
                "Cancel every order of a symbol but algo orders.",
                needs=_SYMBOL,
                account=orders.cancel_all,
            ),
            rest(
                ("DELETE", _V1 + "algoOpenOrders"),
                _SIGNED,
                weighs(1),
                "Cancel the algo orders of a symbol; there never are any.",
                needs=_SYMBOL,
                account=orders.cancel_all_algo,
            ),
            rest(
                ("POST", _V1 + "countdownCancelAll"),
                _SIGNED,
                weighs(10),
                "Start, restart or (0) stop the dead-man switch of a symbol.",
                needs=("symbol", "countdownTime"),
                account=orders.countdown,
            ),
        )

    def _queries(self) -> tuple[Method, ...]:
        orders = self._orders
        one_or_all: tuple[Weight, str] = (
            lambda params: 1 if params.optional("symbol") else 40,
            "1 of one symbol, 40 of all",
        )
        return (
            rest(
                ("GET", _V1 + "openOrder"),
                _SIGNED,
                weighs(1),
                "Find an order that is still open.",
                needs=_SYMBOL,
                takes=_REFERENCE,
                account=orders.open_order,
            ),
            rest(
                ("GET", _V1 + "openOrders"),
                _SIGNED,
                one_or_all,
                "List the open orders.",
                takes=_SYMBOL,
                account=orders.open_orders,
            ),
            rest(
                ("GET", _V1 + "openAlgoOrders"),
                _SIGNED,
                one_or_all,
                "List the open algo orders; there never are any.",
                takes=_SYMBOL,
                account=orders.open_algo,
            ),
            rest(
                ("GET", _V1 + "allOrders"),
                _SIGNED,
                weighs(5),
                "List orders.",
                needs=_SYMBOL,
                takes=("orderId", "limit"),
                account=orders.all_orders,
            ),
            rest(
                ("GET", _V1 + "userTrades"),
                _SIGNED,
                weighs(5),
                "List fills.",
                needs=_SYMBOL,
                takes=("orderId", "fromId", "startTime", "limit"),
                account=orders.trades,
            ),
        )

    def _account(self) -> tuple[Method, ...]:
        orders, five = self._orders, weighs(5)
        return (
            Method(
                *("account.position", _SIGNED, *five, "Positions, flat ones too."),
                (("GET", _V2 + "positionRisk"),),
                takes=_SYMBOL,
                account=orders.every_position,
            ),
            Method(
                *("v2/account.position", _SIGNED, *five, "Positions that are or may come."),
                (("GET", _V3 + "positionRisk"),),
                takes=_SYMBOL,
                account=orders.positions,
            ),
            *(
                Method(
                    *(name, _SIGNED, *five, "Wallet, margin, positions.", (("GET", root + "account"),)),
                    account=orders.account,
                )
                for name, root in (("account.status", _V2), ("v2/account.status", _V3))
            ),
            *(
                Method(
                    *(name, _SIGNED, *five, "Balances.", (("GET", root + "balance"),)),
                    account=orders.balance,
                )
                for name, root in (("account.balance", _V2), ("v2/account.balance", _V3))
            ),
            rest(
                ("GET", _V1 + "commissionRate"),
                _SIGNED,
                weighs(20),
                "Commission rates of a symbol.",
                needs=_SYMBOL,
                account=orders.commission,
            ),
            rest(
                ("GET", _V1 + "leverageBracket"),
                _SIGNED,
                weighs(1),
                "The one leverage bracket of each symbol.",
                takes=_SYMBOL,
                account=orders.brackets,
            ),
            rest(
                ("GET", _V1 + "rateLimit/order"),
                _SIGNED,
                weighs(1),
                "Order counts.",
                account=orders.order_limits,
            ),
        )

    def _stream(self) -> tuple[Method, ...]:
        orders, path, five = self._orders, _V1 + "listenKey", weighs(5)
        return (
            Method(
                *("userDataStream.start", _KEY, *five, "Give a listen key, valid for an hour."),
                (("POST", path),),
                account=orders.start_stream,
            ),
            Method(
                *("userDataStream.ping", _KEY, *weighs(1), "Keep the listen key for another hour."),
                (("PUT", path),),
                account=orders.ping_stream,
            ),
            Method(
                *("userDataStream.stop", _KEY, *weighs(1), "Give the listen key back."),
                (("DELETE", path),),
                account=orders.stop_stream,
            ),
        )

    def _exchange_info(self, _params: Parameters, now_ns: int) -> Any:
        listed = [(one, self._market.is_trading(one.symbol)) for one in self._market.listings]
        return exchange_info(listed, self._quotas, now_ns)

    def _depth(self, params: Parameters, _now_ns: int) -> Any:
        limit = params.optional_number("limit", 500)
        if limit not in DEPTH_LIMITS:
            raise VenueError(-4021, f"'{limit}' is not valid depth limit.")
        return msgspec.Raw(self._market.snapshot(params.text("symbol"), limit).encode())


def rest(
    route: tuple[str, str],
    security: Security,
    weight: tuple[Weight, str],
    does: str,
    **how: Any,
) -> Method:
    """Describe a request that comes over REST alone."""
    verb, path = route
    name = f"{path.removeprefix(_V1)}.{_VERBS[verb]}"
    return Method(name, security, *weight, does, (route,), is_websocket=False, **how)


_VERBS = {"GET": "get", "POST": "set", "DELETE": "cancel"}
