"""The REST API: routes, parameters from query and body, headers with what is used of the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import msgspec

from pipeline.sim.exchange.errors import MARKET_CLOSED, VenueError, rejected
from pipeline.sim.protocol.api import Credentials, VenueApi
from pipeline.sim.protocol.faults import FaultKind, FaultPlan
from pipeline.sim.protocol.parameters import Parameters
from pipeline.wire.binance_signing import SIGNATURE

_PATHS = {
    ("GET", "ping"): "ping",
    ("GET", "time"): "time",
    ("GET", "exchangeInfo"): "exchangeInfo",
    ("GET", "depth"): "depth",
    ("POST", "order"): "order.place",
    ("POST", "order/test"): "order.test",
    ("DELETE", "order"): "order.cancel",
    ("GET", "order"): "order.status",
    ("GET", "openOrders"): "openOrders.status",
    ("DELETE", "openOrders"): "openOrders.cancelAll",
    ("GET", "allOrders"): "allOrders",
    ("GET", "myTrades"): "myTrades",
    ("GET", "account"): "account.status",
    ("GET", "account/commission"): "account.commission",
    ("GET", "rateLimit/order"): "account.rateLimits.orders",
}
_ROOTS = ("/api/v3/", "/fapi/v1/")
_MOST_PARAMETERS = 100


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came; header names in lower case."""

    verb: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A JSON answer."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class RestDesk:
    """Answers HTTP requests."""

    def __init__(self, api: VenueApi, faults: FaultPlan) -> None:
        self._api = api
        self._faults = faults

    def answer(self, request: HttpRequest, now_ns: int) -> HttpAnswer | None:
        """Answer a request; None when the answer is lost on purpose."""
        method = self._method(request)
        if method is None:
            return HttpAnswer(404, b'{"code":-1000,"msg":"no such path"}')
        api_key = request.headers.get("x-mbx-apikey", "")
        try:
            if self._faults.strikes(FaultKind.REJECT, method, now_ns):
                raise rejected(MARKET_CLOSED)
            params, payload = _parameters(request)
            body = self._api.call(method, params, Credentials(api_key, payload), now_ns)
            if self._faults.strikes(FaultKind.UNKNOWN, method, now_ns):
                raise VenueError(-1007, "Timeout waiting for response from backend server.", 504)
            answer = HttpAnswer(200, body, self._used(method, api_key, now_ns))
        except VenueError as error:
            answer = self._refusal(error, method, api_key, now_ns)
        return None if self._faults.strikes(FaultKind.LOST_ACK, method, now_ns) else answer

    def _method(self, request: HttpRequest) -> str | None:
        for root in _ROOTS:
            if request.path.startswith(root):
                return _PATHS.get((request.verb, request.path[len(root) :]))
        return None

    def _used(self, method: str, api_key: str, now_ns: int) -> tuple[tuple[str, str], ...]:
        weight = self._api.limits.weight
        used = [(f"X-MBX-USED-WEIGHT-{weight.header}", str(weight.used(now_ns)))]
        if method.startswith("order."):
            used += [
                (f"X-MBX-ORDER-COUNT-{quota.header}", str(quota.used(now_ns)))
                for quota in self._api.order_quotas(api_key)
            ]
        return tuple(used)

    def _refusal(self, error: VenueError, method: str, api_key: str, now_ns: int) -> HttpAnswer:
        headers = self._used(method, api_key, now_ns)
        if error.retry_after_ns:
            seconds = -(-(error.retry_after_ns - now_ns) // 1_000_000_000)
            headers = (*headers, ("Retry-After", str(seconds)))
        body = msgspec.json.encode({"code": error.code, "msg": error.message})
        return HttpAnswer(error.status, body, headers)


def _parameters(request: HttpRequest) -> tuple[Parameters, str]:
    """Give a request's parameters, and the text that is signed: query and body without the signature."""
    found: dict[str, str] = {}
    signed = ""
    for text in (request.query, request.body):
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
        except ValueError:
            raise VenueError(-1101, "Too many parameters were sent.") from None
        for name, value in pairs:
            if name in found:
                raise VenueError(-1101, f"Duplicate values for parameter '{name[:40]}' detected.")
            found[name] = value
        pieces = text.split("&") if text else []
        signed += "&".join(piece for piece in pieces if not piece.startswith(f"{SIGNATURE}="))
    return Parameters(found), signed
