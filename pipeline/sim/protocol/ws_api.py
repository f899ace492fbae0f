"""The WebSocket API of one connection: envelopes around `api.py`, and the user data streams opened on it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from pipeline.sim.exchange.errors import VenueError
from pipeline.sim.exchange.quotas import Quota
from pipeline.sim.protocol.api import Credentials, VenueApi
from pipeline.sim.protocol.exchange_info import used_limit
from pipeline.sim.protocol.faults import FaultKind
from pipeline.sim.protocol.link import Link
from pipeline.sim.protocol.methods import Method
from pipeline.sim.protocol.parameters import Parameters
from pipeline.sim.protocol.request_faults import HTML_PAGE, RequestFaults
from pipeline.sim.protocol.request_log import RequestLog
from pipeline.sim.protocol.spot_methods import SUBSCRIBE
from pipeline.wire.binance_signing import api_payload

UNSUBSCRIBE = "userDataStream.unsubscribe"
_MOST_SUBSCRIPTIONS = 100
_MOST_ID = 36

Later = Callable[[int, Callable[[int], None]], None]
"""Does something at a time, in ns; what is done gets that time."""


class _Request(msgspec.Struct):
    id: int | str | None
    method: str
    params: dict[str, msgspec.Raw] = {}


class ApiSession:
    """One connection to the WebSocket API."""

    def __init__(
        self,
        api: VenueApi,
        link: Link,
        faults: RequestFaults,
        log: RequestLog,
        later: Later,
        *,
        connection: int = 0,
        tells_limits: bool = True,
    ) -> None:
        """Open a connection; `tells_limits` is whether answers have `rateLimits` unless asked otherwise."""
        self._api = api
        self.link = link
        self.connection = connection
        self._faults = faults
        self._log = log
        self._later = later
        self._tells_limits = tells_limits
        self._subscriptions: dict[int, int] = {}
        """Owner of the account by subscription."""
        self._subscribed = 0

    def receive(self, frame: bytes, now_ns: int) -> None:
        """Answer a request, now or when a fault lets it arrive."""
        try:
            request = msgspec.json.decode(frame, type=_Request)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            self._refuse_frame("Invalid JSON Request", now_ns)
            return
        if isinstance(request.id, str) and len(request.id) > _MOST_ID:
            self._refuse_frame("Invalid 'id' in JSON request; expected an integer, string, or null.", now_ns)
            return
        request.method = request.method.removeprefix("v3/")
        delay_ns = self._faults.plan.delay_ns(FaultKind.LATE_REQUEST, request.method, now_ns)
        if delay_ns:
            self._later(now_ns + delay_ns, lambda at_ns: self._take(request, at_ns))
        else:
            self._take(request, now_ns)

    def say_goodbye(self, now_ns: int) -> None:
        """Announce that the venue will end this connection soon."""
        self.link.send(b'{"event":{"e":"serverShutdown","E":%d}}' % (now_ns // 1_000_000))

    def report(self, owner: int, event: bytes, name: str, now_ns: int) -> None:
        """Send an event of an account to the subscriptions of that account."""
        for subscription, of in self._subscriptions.items():
            if of == owner:
                self._send_event(b'{"subscriptionId":%d,"event":%s}' % (subscription, event), name, now_ns)

    def end_streams(self, now_ns: int) -> None:
        """End every user data stream; the connection stays."""
        for subscription in self._subscriptions:
            self._terminated(subscription, now_ns)
        self._subscriptions = {}

    def _take(self, request: _Request, now_ns: int) -> None:
        plan, name = self._faults.plan, request.method
        texts: dict[str, str] = {}
        if plan.strikes(FaultKind.DEAF, name, now_ns):
            self._log.asked(self.connection, name, texts, (0, 0), False, now_ns)
            return
        if plan.strikes(FaultKind.HTML, name, now_ns):
            self._log.asked(self.connection, name, texts, (403, 0), True, now_ns)
            self.link.send(HTML_PAGE)
            return
        answer, outcome = self._answered(request, texts, now_ns)
        lost = plan.strikes(FaultKind.LOST_ACK, name, now_ns)
        self._log.asked(self.connection, name, texts, outcome, not lost, now_ns)
        if not lost:
            self._send(name, answer, now_ns)

    def _answered(
        self, request: _Request, texts: dict[str, str], now_ns: int
    ) -> tuple[bytes, tuple[int, int]]:
        """Give the answer, and its status and code; `texts` become the request's parameters."""
        method = self._api.named(request.method)
        try:
            params = Parameters.of_json(request.params)
            texts |= params.texts
            self._faults.before(request.method, params, now_ns)
            result = self._result(request.method, method, params, now_ns)
            self._faults.after(request.method, now_ns)
        except VenueError as error:
            limits = self._limits(method, texts, now_ns)
            return _refusal(request.id, error, limits, now_ns), (error.status, error.code)
        head = b'{"id":%s,"status":200,"result":%s' % (msgspec.json.encode(request.id), result)
        return head + self._limits(method, texts, now_ns) + b"}", (200, 0)

    def _limits(self, method: Method | None, texts: dict[str, str], now_ns: int) -> bytes:
        """Give the `rateLimits` of an answer, b"" where they are not wanted."""
        wanted = texts.get("returnRateLimits", "true" if self._tells_limits else "false")
        if wanted == "false":
            return b""
        orders: tuple[Quota, ...] = ()
        if method is not None and method.counts_orders:
            orders = self._api.order_quotas(texts.get("apiKey", ""))
        quotas = (*orders, self._api.limits.weight)
        return b',"rateLimits":%s' % msgspec.json.encode([used_limit(quota, now_ns) for quota in quotas])

    def _result(self, name: str, method: Method | None, params: Parameters, now_ns: int) -> bytes:
        if method is None:
            if name == UNSUBSCRIBE and self._api.named(SUBSCRIBE) is not None:
                return self._unsubscribe(params, now_ns)
            self._api.refuse_unknown(now_ns)
        assert method is not None
        who = Credentials(params.optional("apiKey"), api_payload(params.texts), self.connection)
        result = self._api.call(method, params, who, now_ns)
        return self._subscribe(int(result)) if name == SUBSCRIBE else result

    def _subscribe(self, owner: int) -> bytes:
        if len(self._subscriptions) >= _MOST_SUBSCRIPTIONS:
            raise VenueError(-1020, "Too many user data stream subscriptions on this connection.")
        subscription, self._subscribed = self._subscribed, self._subscribed + 1
        self._subscriptions[subscription] = owner
        return b'{"subscriptionId":%d}' % subscription

    def _unsubscribe(self, params: Parameters, now_ns: int) -> bytes:
        self._api.limits.use(2, now_ns)
        if not params.optional("subscriptionId"):
            self.end_streams(now_ns)
        else:
            subscription = params.number("subscriptionId")
            if self._subscriptions.pop(subscription, None) is None:
                raise VenueError(-1020, "No such user data stream subscription.")
            self._terminated(subscription, now_ns)
        return b"{}"

    def _terminated(self, subscription: int, now_ns: int) -> None:
        event = b'{"e":"eventStreamTerminated","E":%d}' % (now_ns // 1_000_000)
        self.link.send(b'{"subscriptionId":%d,"event":%s}' % (subscription, event))

    def _send_event(self, frame: bytes, name: str, now_ns: int) -> None:
        send_report(self._faults, self._later, self.link, frame, name, now_ns)

    def _refuse_frame(self, text: str, now_ns: int) -> None:
        error = VenueError(-1135, text)
        self._log.asked(self.connection, "", {}, (error.status, error.code), True, now_ns)
        self._send("", _refusal(None, error, self._limits(None, {}, now_ns), now_ns), now_ns)

    def _send(self, method: str, answer: bytes, now_ns: int) -> None:
        delay_ns = self._faults.plan.delay_ns(FaultKind.SLOW_ACK, method, now_ns)
        if delay_ns:
            self._later(now_ns + delay_ns, lambda _at_ns: self.link.send(answer))
        else:
            self.link.send(answer)


def send_report(
    faults: RequestFaults, later: Later, link: Link, frame: bytes, name: str, now_ns: int
) -> None:
    """Send an event of the user data stream as its faults allow: not at all, twice, or later."""
    plan = faults.plan
    if plan.strikes(FaultKind.LOST_REPORT, name, now_ns):
        return
    frames = [frame, frame] if plan.strikes(FaultKind.DOUBLE_REPORT, name, now_ns) else [frame]
    delay_ns = plan.delay_ns(FaultKind.SLOW_REPORT, name, now_ns)

    def send(_at_ns: int) -> None:
        for one in frames:
            link.send(one)

    if delay_ns:
        later(now_ns + delay_ns, send)
    else:
        send(now_ns)


def _refusal(request_id: int | str | None, error: VenueError, limits: bytes, now_ns: int) -> bytes:
    problem: dict[str, object] = {"code": error.code, "msg": error.message}
    if error.retry_after_ns:
        times = {"serverTime": now_ns // 1_000_000, "retryAfter": error.retry_after_ns // 1_000_000}
        problem["data"] = times
    head = msgspec.json.encode({"id": request_id, "status": error.status, "error": problem})
    return head[:-1] + limits + b"}"
