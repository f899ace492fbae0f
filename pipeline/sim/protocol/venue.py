"""The simulated venue as one object: connections, requests, reports and faults around a market.

Time is an argument everywhere. Whoever owns it calls `advance` when `next_ns` has come and hands over what
clients send. In one instant the market comes first, then the answer to a request, then the reports the
request caused.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from urllib.parse import parse_qs, unquote

import msgspec

from pipeline.sim.exchange.order import BalanceReport, OrderReport
from pipeline.sim.protocol.api import VenueApi
from pipeline.sim.protocol.faults import Fault, FaultPlan
from pipeline.sim.protocol.hub import MarketHub, MarketSession
from pipeline.sim.protocol.lifetimes import Lifetimes
from pipeline.sim.protocol.link import Link
from pipeline.sim.protocol.request_limits import RequestLimits
from pipeline.sim.protocol.rest import HttpAnswer, HttpRequest, RestDesk
from pipeline.sim.protocol.security import KeyRing
from pipeline.sim.protocol.user_events import account_position, execution_report
from pipeline.sim.protocol.venue_market import VenueMarket
from pipeline.sim.protocol.ws_api import ApiSession

API_PATHS = ("/ws-api/v3", "/ws-fapi/v1")
_STREAM_PATHS = tuple(root + end for root in ("", "/public", "/market") for end in ("/ws", "/stream"))

AccountEvent = OrderReport | BalanceReport
Session = MarketSession | ApiSession


class SimVenue:
    """Everything a client can reach; pure, so that tests and simulations can own one without a socket."""

    def __init__(
        self,
        market: VenueMarket,
        hub: MarketHub,
        inbox: list[AccountEvent],
        now_ns: int,
        *,
        seed: int = 0,
        faults: Sequence[Fault] = (),
        lifetimes: Lifetimes | None = None,
        limits: RequestLimits | None = None,
    ) -> None:
        """Open the venue; `hub` is where the market publishes, `inbox` where it puts what accounts are told.

        The accounts of the market's exchange must have been opened.
        """
        self.market = market
        self.hub = hub
        self._inbox = inbox
        self._now_ns = now_ns
        self._faults = FaultPlan(faults, seed, now_ns)
        self._lifetimes = lifetimes if lifetimes is not None else Lifetimes()
        self._api = VenueApi(market, KeyRing(market.exchange.accounts.values()), limits)
        self._rest = RestDesk(self._api, self._faults)
        self._api_sessions: dict[ApiSession, None] = {}
        self._late: list[tuple[int, int, Link, bytes]] = []
        self._late_count = 0

    def open(self, link: Link, path: str, query: str, now_ns: int) -> Session | None:
        """Open a connection by its path; None where nothing is at that path."""
        self.advance(now_ns)
        session: Session
        if path in API_PATHS:
            session = ApiSession(self._api, link, self._faults, self._send_later)
            self._api_sessions[session] = None
        else:
            root, streams = _streams(path, query)
            if root is None:
                return None
            session = self.hub.open(link, self._faults.for_connection(), root, streams)
            # A capture begins to play for its first listener.
            self.market.advance(now_ns)
        self._lifetimes.begin(session, now_ns)
        return session

    def leave(self, session: Session) -> None:
        """Forget a connection that is gone."""
        self._lifetimes.forget(session)
        if isinstance(session, MarketSession):
            self.hub.leave(session)
        else:
            self._api_sessions.pop(session, None)

    def receive(self, session: Session, frame: bytes, now_ns: int) -> None:
        """Take a frame of a client's."""
        self.advance(now_ns)
        session.receive(frame, now_ns)
        self._tell_accounts(now_ns)

    def http(self, request: HttpRequest, now_ns: int) -> HttpAnswer | None:
        """Answer a REST request; None when the answer is lost on purpose."""
        self.advance(now_ns)
        answer = self._rest.answer(request, now_ns)
        self._tell_accounts(now_ns)
        return answer

    @property
    def next_ns(self) -> int | None:
        """Give when `advance` must be called next; None for not before a client comes."""
        times = [self.market.next_ns, self._lifetimes.next_ns, self._late[0][0] if self._late else None]
        times += [self._faults.next_disconnect_ns(fault, self._now_ns) for fault in self._faults.faults]
        return min((at_ns for at_ns in times if at_ns is not None), default=None)

    def advance(self, now_ns: int) -> None:
        """Let everything happen that is due up to a time; going back in time does nothing."""
        self.market.advance(now_ns)
        self._tell_accounts(now_ns)
        while self._late and self._late[0][0] <= now_ns:
            _, _, link, frame = heapq.heappop(self._late)
            link.send(frame)
        if now_ns <= self._now_ns:
            return
        for target in self._faults.disconnects(self._now_ns, now_ns):
            self._cut(target)
        self._now_ns = now_ns
        self._lifetimes.advance(now_ns)

    def close_all(self, code: int, reason: str) -> None:
        """Say goodbye on every connection."""
        for market_session in list(self.hub.sessions):
            market_session.link.close(code, reason)
        for api_session in list(self._api_sessions):
            api_session.link.close(code, reason)

    def _cut(self, target: str) -> None:
        sessions: list[Session] = list(self.hub.sessions) if target in ("market", "all") else []
        sessions += list(self._api_sessions) if target in ("api", "all") else []
        for session in sessions:
            session.link.abort()

    def _send_later(self, at_ns: int, link: Link, frame: bytes) -> None:
        self._late_count += 1
        heapq.heappush(self._late, (at_ns, self._late_count, link, frame))

    def _tell_accounts(self, now_ns: int) -> None:
        """Send what happened to accounts to whoever subscribed; without subscribers it is only forgotten."""
        if not self._inbox:
            return
        events = self._inbox[:]
        self._inbox.clear()
        if not self._api_sessions:
            return
        for event in events:
            owner, name, fields = (
                (event.owner, "outboundAccountPosition", account_position(event))
                if isinstance(event, BalanceReport)
                else (event.order.owner, "executionReport", execution_report(event))
            )
            frame = msgspec.json.encode(fields)
            for session in list(self._api_sessions):
                session.report(owner, frame, name, now_ns)


def _streams(path: str, query: str) -> tuple[str | None, list[str]]:
    """Give a stream path without the names in it, None for another path, and the names."""
    if path in _STREAM_PATHS:
        names = parse_qs(query).get("streams", [""])[0]
        return path, [name for name in names.split("/") if name]
    for root in _STREAM_PATHS:
        if root.endswith("/ws") and path.startswith(root + "/"):
            return root, [unquote(name) for name in path[len(root) + 1 :].split("/") if name]
    return None, []
