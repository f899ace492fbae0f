"""The REST API: routes, parameters from query and body, headers with what is used of the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import msgspec

from pipeline.sim.exchange.errors import VenueError
from pipeline.sim.protocol.api import Credentials, VenueApi
from pipeline.sim.protocol.faults import FaultKind
from pipeline.sim.protocol.methods import Method
from pipeline.sim.protocol.parameters import Parameters
from pipeline.sim.protocol.request_faults import HTML_PAGE, RequestFaults
from pipeline.sim.protocol.request_log import RequestLog
from pipeline.wire.binance_signing import SIGNATURE

_MOST_PARAMETERS = 100


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came; header names in lower case."""

    verb: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    connection: int = 0
    """Number of the TCP connection it came by."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer, JSON but for one fault."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json;charset=UTF-8"


class RestDesk:
    """Answers HTTP requests."""

    def __init__(self, api: VenueApi, faults: RequestFaults, log: RequestLog) -> None:
        self._api = api
        self._faults = faults
        self._log = log

    def answer(self, request: HttpRequest, now_ns: int) -> HttpAnswer | None:
        """Answer a request; None when the answer is lost on purpose."""
        method = self._api.at(request.verb, request.path)
        if method is None:
            return HttpAnswer(404, b'{"code":-1000,"msg":"no such path"}')
        plan, name = self._faults.plan, method.name
        texts: dict[str, str] = {}
        if plan.strikes(FaultKind.DEAF, name, now_ns):
            self._note(request, texts, (0, 0), False, now_ns)
            return None
        if plan.strikes(FaultKind.HTML, name, now_ns):
            self._note(request, texts, (200, 0), True, now_ns)
            return HttpAnswer(200, HTML_PAGE, content_type="text/html")
        answer, code = self._answered(request, method, texts, now_ns)
        lost = plan.strikes(FaultKind.LOST_ACK, name, now_ns)
        self._note(request, texts, (answer.status, code), not lost, now_ns)
        return None if lost else answer

    def _answered(
        self, request: HttpRequest, method: Method, texts: dict[str, str], now_ns: int
    ) -> tuple[HttpAnswer, int]:
        """Give the answer and the code of the refusal, 0 for none; `texts` become the parameters."""
        api_key = request.headers.get("x-mbx-apikey", "")
        try:
            params, payload = _parameters(request)
            texts |= params.texts
            self._faults.before(method.name, params, now_ns)
            who = Credentials(api_key, payload, request.connection)
            body = self._api.call(method, params, who, now_ns)
            self._faults.after(method.name, now_ns)
        except VenueError as error:
            return self._refusal(error, method, api_key, now_ns), error.code
        return HttpAnswer(200, body, self._used(method, api_key, now_ns)), 0

    def _note(
        self,
        request: HttpRequest,
        texts: dict[str, str],
        outcome: tuple[int, int],
        answered: bool,
        now_ns: int,
    ) -> None:
        name = f"{request.verb} {request.path}"
        self._log.asked(request.connection, name, texts, outcome, answered, now_ns)

    def _used(self, method: Method, api_key: str, now_ns: int) -> tuple[tuple[str, str], ...]:
        weight = self._api.limits.weight
        used = [(f"X-MBX-USED-WEIGHT-{weight.header}", str(weight.used(now_ns)))]
        if method.counts_orders:
            used += [
                (f"X-MBX-ORDER-COUNT-{quota.header}", str(quota.used(now_ns)))
                for quota in self._api.order_quotas(api_key)
            ]
        return tuple(used)

    def _refusal(self, error: VenueError, method: Method, api_key: str, now_ns: int) -> HttpAnswer:
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
