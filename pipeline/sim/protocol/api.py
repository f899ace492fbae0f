"""Answers requests, whatever they come by: limits first, then who asks, then what.

A request is answered with the JSON of its result or refused with a `VenueError`; envelope and transport are
`ws_api.py` and `rest.py`, the requests themselves are in the tables of `spot_methods.py` and
`usdm_methods.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from pipeline.sim.exchange.errors import VenueError
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.quotas import Quota
from pipeline.sim.protocol.methods import Method, Security, by_name, by_route
from pipeline.sim.protocol.parameters import Parameters
from pipeline.sim.protocol.request_limits import RequestLimits
from pipeline.sim.protocol.security import KeyRing


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks, as far as the transport can tell: the key, the text that was signed, the connection."""

    api_key: str
    payload: str
    connection: int = 0


class VenueApi:
    """Answers requests; all connections share one, and with it the limits on their address."""

    def __init__(
        self, exchange: Exchange, methods: Iterable[Method], keys: KeyRing, limits: RequestLimits
    ) -> None:
        self._exchange = exchange
        table = tuple(methods)
        self._by_name = by_name(method for method in table if method.is_websocket)
        self._by_route = by_route(table)
        self._keys = keys
        self.limits = limits

    def named(self, name: str) -> Method | None:
        """Give a method of the WebSocket API; None for an unknown one."""
        return self._by_name.get(name)

    def at(self, verb: str, path: str) -> Method | None:
        """Give the method at a REST route; None where nothing is."""
        return self._by_route.get((verb, path))

    def call(self, method: Method, params: Parameters, who: Credentials, now_ns: int) -> bytes:
        """Give the JSON of a request's result.

        Raises:
            VenueError: the request is refused.
        """
        self.limits.use(method.weight(params), now_ns)
        with self._exchange.asked_by(who.connection):
            if method.public is not None:
                return msgspec.json.encode(method.public(params, now_ns))
            assert method.account is not None
            if method.security is Security.SIGNED:
                account = self._keys.signed_by(who.api_key, params, who.payload, now_ns)
            else:
                account = self._keys.named(who.api_key)
            return msgspec.json.encode(method.account(params, account, now_ns))

    def refuse_unknown(self, now_ns: int) -> None:
        """Count and refuse a request nobody knows.

        Raises:
            VenueError: always.
        """
        self.limits.use(1, now_ns)
        raise VenueError(-1020, "This operation is not supported.")

    def order_quotas(self, api_key: str) -> tuple[Quota, ...]:
        """Give the limits on the new orders of the account with a key."""
        account = self._keys.account(api_key)
        return account.order_quotas if account is not None else ()
