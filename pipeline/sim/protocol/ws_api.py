"""The WebSocket API of one connection: envelopes around `api.py`, and the user data streams opened on it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from pipeline.sim.exchange.errors import MARKET_CLOSED, VenueError, rejected
from pipeline.sim.exchange.quotas import Quota
from pipeline.sim.protocol.api import SUBSCRIBE, Credentials, VenueApi
from pipeline.sim.protocol.exchange_info import used_limit
from pipeline.sim.protocol.faults import FaultKind, FaultPlan
from pipeline.sim.protocol.link import Link
from pipeline.sim.protocol.parameters import Parameters
from pipeline.wire.binance_signing import api_payload

UNSUBSCRIBE = "userDataStream.unsubscribe"
_MOST_SUBSCRIPTIONS = 100
_UNKNOWN = VenueError(
    -1007,
    "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    500,
)
_OVERLOADED = VenueError(
    -1008, "Request throttled by system-level protection; the request was not processed.", 503
)

Later = Callable[[int, Link, bytes], None]
"""Sends a frame at a time, in ns."""


class _Request(msgspec.Struct):
    id: int | str | None
    method: str
    params: dict[str, msgspec.Raw] = {}


class ApiSession:
    """One connection to the WebSocket API."""

    def __init__(self, api: VenueApi, link: Link, faults: FaultPlan, later: Later) -> None:
        self._api = api
        self.link = link
        self._faults = faults
        self._later = later
        self._subscriptions: dict[int, int] = {}
        """Owner of the account by subscription."""
        self._subscribed = 0

    def receive(self, frame: bytes, now_ns: int) -> None:
        """Answer a request."""
        try:
            request = msgspec.json.decode(frame, type=_Request)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            self._send("", _refusal(None, VenueError(-1135, "Invalid JSON Request"), now_ns), now_ns)
            return
        answer = self._answered(request, now_ns)
        if not self._faults.strikes(FaultKind.LOST_ACK, request.method, now_ns):
            self._send(request.method, answer, now_ns)

    def say_goodbye(self, now_ns: int) -> None:
        """Announce that the venue will end this connection soon."""
        self.link.send(b'{"event":{"e":"serverShutdown","E":%d}}' % (now_ns // 1_000_000))

    def report(self, owner: int, event: bytes, name: str, now_ns: int) -> None:
        """Send an event of an account to the subscriptions of that account."""
        for subscription, of in self._subscriptions.items():
            if of == owner and not self._faults.strikes(FaultKind.LOST_REPORT, name, now_ns):
                self.link.send(b'{"subscriptionId":%d,"event":%s}' % (subscription, event))

    def _answered(self, request: _Request, now_ns: int) -> bytes:
        try:
            self._strike_before(request.method, now_ns)
            params = Parameters.of_json(request.params)
            result = self._result(request.method, params, now_ns)
            if self._faults.strikes(FaultKind.UNKNOWN, request.method, now_ns):
                raise _UNKNOWN
        except VenueError as error:
            return _refusal(request.id, error, now_ns)
        answer = b'{"id":%s,"status":200,"result":%s' % (msgspec.json.encode(request.id), result)
        if params.optional("returnRateLimits", "true") == "false":
            return answer + b"}"
        quotas = (self._api.limits.weight, *self._order_quotas(request.method, params))
        limits = msgspec.json.encode([used_limit(quota, now_ns) for quota in quotas])
        return answer + b',"rateLimits":%s}' % limits

    def _order_quotas(self, method: str, params: Parameters) -> tuple[Quota, ...]:
        return self._api.order_quotas(params.optional("apiKey")) if method.startswith("order.") else ()

    def _result(self, method: str, params: Parameters, now_ns: int) -> bytes:
        if method == UNSUBSCRIBE:
            return self._unsubscribe(params, now_ns)
        who = Credentials(params.optional("apiKey"), api_payload(params.texts))
        result = self._api.call(method, params, who, now_ns)
        return self._subscribe(int(result)) if method == SUBSCRIBE else result

    def _subscribe(self, owner: int) -> bytes:
        if len(self._subscriptions) >= _MOST_SUBSCRIPTIONS:
            raise VenueError(-1020, "Too many user data stream subscriptions on this connection.")
        subscription, self._subscribed = self._subscribed, self._subscribed + 1
        self._subscriptions[subscription] = owner
        return b'{"subscriptionId":%d}' % subscription

    def _unsubscribe(self, params: Parameters, now_ns: int) -> bytes:
        self._api.limits.use(2, now_ns)
        if not params.optional("subscriptionId"):
            self._subscriptions = {}
        elif self._subscriptions.pop(params.number("subscriptionId"), None) is None:
            raise VenueError(-1020, "No such user data stream subscription.")
        return b"{}"

    def _strike_before(self, method: str, now_ns: int) -> None:
        if self._faults.strikes(FaultKind.REJECT, method, now_ns):
            raise rejected(MARKET_CLOSED)
        if self._faults.strikes(FaultKind.OVERLOAD, method, now_ns):
            raise _OVERLOADED

    def _send(self, method: str, answer: bytes, now_ns: int) -> None:
        delay_ns = self._faults.answer_delay_ns(method, now_ns)
        if delay_ns:
            self._later(now_ns + delay_ns, self.link, answer)
        else:
            self.link.send(answer)


def _refusal(request_id: int | str | None, error: VenueError, now_ns: int) -> bytes:
    problem: dict[str, object] = {"code": error.code, "msg": error.message}
    if error.retry_after_ns:
        times = {"serverTime": now_ns // 1_000_000, "retryAfter": error.retry_after_ns // 1_000_000}
        problem["data"] = times
    return msgspec.json.encode({"id": request_id, "status": error.status, "error": problem})
