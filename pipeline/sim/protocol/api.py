"""Every request the venue knows, whatever it comes by: name, weight, whether it must be signed.

A request is answered with the JSON of its result or refused with a `VenueError`; envelope and transport are
`ws_api.py` and `rest.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.errors import VenueError
from pipeline.sim.exchange.quotas import Quota, order_quotas
from pipeline.sim.protocol.exchange_info import exchange_info
from pipeline.sim.protocol.order_methods import OrderMethods
from pipeline.sim.protocol.parameters import Parameters
from pipeline.sim.protocol.request_limits import RequestLimits
from pipeline.sim.protocol.security import KeyRing
from pipeline.sim.protocol.venue_market import VenueMarket

MOST_LEVELS = 5_000

SignedCall = Callable[[Parameters, Account, int], Any]
PublicCall = Callable[[Parameters, int], Any]
Weight = Callable[[Parameters], int]

SUBSCRIBE = "userDataStream.subscribe.signature"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signed a request, as far as the transport can tell: the key, and the text that was signed."""

    api_key: str
    payload: str


class VenueApi:
    """Answers requests; all connections share one, and with it the limits on their address."""

    def __init__(self, market: VenueMarket, keys: KeyRing, limits: RequestLimits | None = None) -> None:
        self._market = market
        self._keys = keys
        self.limits = limits if limits is not None else RequestLimits()
        orders = OrderMethods(market)
        self._public: dict[str, tuple[PublicCall, Weight]] = {
            "ping": (lambda _params, _now_ns: {}, _weighs(1)),
            "time": (lambda _params, now_ns: {"serverTime": now_ns // 1_000_000}, _weighs(1)),
            "exchangeInfo": (self._exchange_info, _weighs(20)),
            "depth": (self._depth, _depth_weight),
        }
        self._signed: dict[str, tuple[SignedCall, Weight]] = {
            "order.place": (orders.place, _weighs(0)),
            "order.test": (orders.test, _weighs(1)),
            "order.cancel": (orders.cancel, _weighs(0)),
            "order.status": (orders.status, _weighs(4)),
            "openOrders.status": (orders.open_orders, lambda params: 6 if params.optional("symbol") else 80),
            "openOrders.cancelAll": (orders.cancel_all, _weighs(0)),
            "allOrders": (orders.all_orders, _weighs(20)),
            "myTrades": (orders.trades, _weighs(20)),
            "account.status": (orders.account, _weighs(20)),
            "account.commission": (orders.commission, _weighs(20)),
            "account.rateLimits.orders": (orders.order_limits, _weighs(40)),
            SUBSCRIBE: (lambda _params, account, _now_ns: account.owner, _weighs(2)),
        }

    def call(self, method: str, params: Parameters, who: Credentials, now_ns: int) -> bytes:
        """Give the JSON of a request's result.

        Raises:
            VenueError: the request is refused.
        """
        if method in self._public:
            public, weight = self._public[method]
            self.limits.use(weight(params), now_ns)
            return _json(public(params, now_ns))
        if method not in self._signed:
            self.limits.use(1, now_ns)
            raise VenueError(-1020, "This operation is not supported.")
        signed, weight = self._signed[method]
        self.limits.use(weight(params), now_ns)
        account = self._keys.signed_by(who.api_key, params, who.payload, now_ns)
        return _json(signed(params, account, now_ns))

    def order_quotas(self, api_key: str) -> tuple[Quota, ...]:
        """Give the limits on the new orders of the account with a key."""
        account = self._keys.account(api_key)
        return account.order_quotas if account is not None else ()

    def _exchange_info(self, params: Parameters, now_ns: int) -> Any:
        wanted = params.optional("symbol")
        if params.optional("symbols"):
            try:
                names = msgspec.json.decode(params.text("symbols"), type=list[str])
            except msgspec.MsgspecError:
                raise VenueError(-1100, "Illegal characters found in parameter 'symbols'.") from None
        else:
            names = [wanted] if wanted else [listing.symbol for listing in self._market.listings]
        known = {listing.symbol: listing for listing in self._market.listings}
        if not names or any(name not in known for name in names):
            raise VenueError(-1121, "Invalid symbol.")
        listed = [(known[name], self._market.is_trading(name)) for name in names]
        return exchange_info(listed, (self.limits.weight, *order_quotas()), now_ns)

    def _depth(self, params: Parameters, _now_ns: int) -> Any:
        limit = min(max(params.optional_number("limit", 100), 1), MOST_LEVELS)
        return msgspec.Raw(self._market.snapshot(params.text("symbol"), limit).encode())


def _json(result: Any) -> bytes:
    return msgspec.json.encode(result)


def _weighs(amount: int) -> Weight:
    return lambda _params: amount


def _depth_weight(params: Parameters) -> int:
    limit = params.optional_number("limit", 100)
    return 5 if limit <= 100 else 25 if limit <= 500 else 50 if limit <= 1_000 else 250
