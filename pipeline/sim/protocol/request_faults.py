"""Faults on requests, the same for both transports: what strikes before one is carried out, and after."""

from __future__ import annotations

from pipeline.sim.exchange.errors import BAD_REQUEST, TOO_MANY, VenueError
from pipeline.sim.protocol.dialect import Dialect
from pipeline.sim.protocol.fault_plan import FaultPlan
from pipeline.sim.protocol.faults import SECOND_NS, FaultKind
from pipeline.sim.protocol.parameters import Parameters
from pipeline.sim.protocol.request_limits import banned

HTML_PAGE = b"<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>"


class RequestFaults:
    """Asked once before and once after each request."""

    def __init__(self, plan: FaultPlan, dialect: Dialect) -> None:
        self.plan = plan
        self._dialect = dialect

    def before(self, method: str, params: Parameters, now_ns: int) -> None:
        """Let the venue refuse a request without carrying it out.

        Raises:
            VenueError: a fault strikes.
        """
        plan, dialect = self.plan, self._dialect
        until_ns = plan.banned_until_ns(now_ns)
        if until_ns:
            raise banned(until_ns)
        if plan.strikes(FaultKind.THROTTLE, method, now_ns):
            retry_ns = (now_ns // SECOND_NS + 1) * SECOND_NS
            raise VenueError(-1003, "Too many requests.", TOO_MANY, retry_ns)
        if plan.strikes(FaultKind.REJECT, method, now_ns):
            code, text = dialect.closed_market
            raise VenueError(code, text, BAD_REQUEST)
        if plan.strikes(FaultKind.OVERLOAD, method, now_ns) and not self._is_exempt(method, params):
            raise VenueError(-1008, dialect.overloaded, 503)

    def after(self, method: str, now_ns: int) -> None:
        """Let the venue say that it does not know what became of a request it has carried out.

        Raises:
            VenueError: a fault strikes.
        """
        if self.plan.strikes(FaultKind.UNKNOWN, method, now_ns):
            raise VenueError(-1007, self._dialect.unknown, self._dialect.unknown_status)

    def _is_exempt(self, method: str, params: Parameters) -> bool:
        """Say whether the venue's overload protection lets a request through: futures only, what reduces."""
        if not self._dialect.exempts_reducing:
            return False
        return "ancel" in method or params.optional("reduceOnly").lower() == "true"
