"""The simulated venue as one object: connections, requests, reports and faults around a market.

Time is an argument everywhere. Whoever owns it calls `advance` when `next_ns` has come and hands over what
clients send. In one instant the market comes first, then timers, then the answer to a request, then the
reports the request caused.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs, unquote

from pipeline.sim.exchange.order import AccountEvent, ClientOrder
from pipeline.sim.protocol.account_events import Told, spot_events, usdm_events
from pipeline.sim.protocol.api import VenueApi
from pipeline.sim.protocol.countdowns import Countdowns
from pipeline.sim.protocol.dialect import SPOT, USDM, Dialect
from pipeline.sim.protocol.fault_plan import FaultPlan
from pipeline.sim.protocol.faults import Fault, FaultKind
from pipeline.sim.protocol.hub import MarketHub, MarketSession
from pipeline.sim.protocol.lifetimes import Lifetimes
from pipeline.sim.protocol.link import Link
from pipeline.sim.protocol.listen_keys import ListenKeys
from pipeline.sim.protocol.private_session import PrivateSession
from pipeline.sim.protocol.request_faults import RequestFaults
from pipeline.sim.protocol.request_limits import RequestLimits
from pipeline.sim.protocol.request_log import RequestLog
from pipeline.sim.protocol.rest import HttpAnswer, HttpRequest, RestDesk
from pipeline.sim.protocol.security import KeyRing
from pipeline.sim.protocol.tables import methods_of
from pipeline.sim.protocol.venue_market import VenueMarket
from pipeline.sim.protocol.ws_api import ApiSession

__all__ = ["AccountEvent", "Session", "SimVenue"]

AccountSession = ApiSession | PrivateSession
Session = MarketSession | AccountSession
Action = Callable[[int], None]


class SimVenue:
    """Everything a client can reach; pure, so that tests and simulations can own one without a socket."""

    def __init__(
        self,
        market: VenueMarket,
        hub: MarketHub,
        inbox: list[AccountEvent],
        now_ns: int,
        *,
        dialect: Dialect = SPOT,
        seed: int = 0,
        faults: Sequence[Fault] = (),
        lifetimes: Lifetimes | None = None,
        limits: RequestLimits | None = None,
        log: RequestLog | None = None,
    ) -> None:
        """Open the venue; `hub` is where the market publishes, `inbox` where it puts what accounts are told.

        The accounts of the market's exchange must have been opened.
        """
        self.market = market
        self.hub = hub
        self.dialect = dialect
        self.log = log if log is not None else RequestLog()
        self.countdowns = Countdowns()
        self._keys = ListenKeys(seed)
        self._inbox = inbox
        self._now_ns = now_ns
        self._plan = FaultPlan(faults, seed, now_ns)
        self._faults = RequestFaults(self._plan, dialect)
        self._lifetimes = lifetimes if lifetimes is not None else Lifetimes()
        self._limits = limits if limits is not None else RequestLimits(dialect.weight_per_minute)
        self.methods = methods_of(dialect, market, self._limits, self._late_fill, self.countdowns, self._keys)
        exchange = market.exchange
        self._api = VenueApi(exchange, self.methods, KeyRing(exchange.accounts.values()), self._limits)
        self._rest = RestDesk(self._api, self._faults, self.log)
        self._account_sessions: dict[AccountSession, None] = {}
        self._late: list[tuple[int, int, Action]] = []
        self._late_count = 0

    def open(self, link: Link, path: str, query: str, now_ns: int, agent: str = "") -> Session | None:
        """Open a connection by its path; None where nothing is at that path."""
        self.advance(now_ns)
        session = self._session_at(link, path, query, now_ns, agent)
        if session is not None:
            # A capture begins to play for its first listener.
            self.market.advance(now_ns)
            self._lifetimes.begin(session, now_ns)
        return session

    def may_connect(self, now_ns: int) -> bool:
        """Count a client's attempt to connect; say whether the venue lets it in."""
        return self._limits.may_connect(now_ns)

    def leave(self, session: Session) -> None:
        """Forget a connection that is gone."""
        self._lifetimes.forget(session)
        self.log.closed(session.connection, self._now_ns)
        if isinstance(session, MarketSession):
            self.hub.leave(session)
        else:
            self._account_sessions.pop(session, None)

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
        times += [self.countdowns.next_ns, self._keys.next_ns]
        times += [self._plan.next_due_ns(fault, self._now_ns) for fault in self._plan.faults]
        return min((at_ns for at_ns in times if at_ns is not None), default=None)

    def advance(self, now_ns: int) -> None:
        """Let everything happen that is due up to a time, in order; going back in time does nothing."""
        while self._late and self._late[0][0] <= now_ns:
            at_ns, _, action = heapq.heappop(self._late)
            self._pass(at_ns)
            action(at_ns)
            self._tell_accounts(at_ns)
        self._pass(now_ns)

    def close_all(self, code: int, reason: str) -> None:
        """Say goodbye on every connection."""
        for session in self._sessions("all"):
            session.link.close(code, reason)

    def _pass(self, now_ns: int) -> None:
        """Let time pass: the market, the dead-man switches in their time, then what befalls connections."""
        while (due_ns := self.countdowns.next_ns) is not None and due_ns <= now_ns:
            self.market.advance(due_ns)
            for owner, symbol in self.countdowns.take_due(due_ns):
                account = self.market.exchange.accounts[owner]
                self.market.exchange.cancel_open(account, symbol, due_ns)
                self.market.publish(symbol, due_ns)
            self._tell_accounts(due_ns)
        self.market.advance(now_ns)
        self._tell_accounts(now_ns)
        if now_ns <= self._now_ns:
            return
        for target in self._plan.due(FaultKind.DISCONNECT, self._now_ns, now_ns):
            for session in self._sessions(target):
                session.link.abort()
        if self._plan.due(FaultKind.END_STREAM, self._now_ns, now_ns):
            self._end_streams(now_ns)
        self._expire(self._keys.take_ended(now_ns), now_ns)
        self._now_ns = now_ns
        self._lifetimes.advance(now_ns)

    def _session_at(self, link: Link, path: str, query: str, now_ns: int, agent: str) -> Session | None:
        dialect, private = self.dialect, self.dialect.private_route
        if path == dialect.api_path:
            tells = parse_qs(query).get("returnRateLimits", ["true"])[0] != "false"
            connection = self.log.opened(path, agent, now_ns)
            api = ApiSession(
                *(self._api, link, self._faults, self.log, self._do_later),
                connection=connection,
                tells_limits=tells,
            )
            self._account_sessions[api] = None
            return api
        if private and path in (private + "/ws", private + "/stream"):
            hears = PrivateSession(
                *(link, self._keys, self._faults, self._do_later, query),
                combined=path.endswith("/stream"),
                connection=self.log.opened(path, agent, now_ns),
            )
            self._account_sessions[hears] = None
            return hears
        root, streams = _streams(path, query, dialect.stream_paths)
        if root is None:
            return None
        return self.hub.open(
            *(link, self._plan.for_connection(), root, streams),
            dialect=dialect,
            connection=self.log.opened(path, agent, now_ns),
        )

    def _sessions(self, target: str) -> list[Session]:
        sessions: list[Session] = list(self.hub.sessions) if target in ("market", "all") else []
        return sessions + (list(self._account_sessions) if target in ("api", "all") else [])

    def _end_streams(self, now_ns: int) -> None:
        for session in self._account_sessions:
            if isinstance(session, ApiSession):
                session.end_streams(now_ns)
        self._expire(self._keys.end_all(), now_ns)

    def _expire(self, keys: Sequence[str], now_ns: int) -> None:
        for session in self._account_sessions:
            if isinstance(session, PrivateSession) and session.key in keys:
                session.expire(now_ns)

    def _late_fill(self, method: str, order: ClientOrder, now_ns: int) -> None:
        """Fill a part of a resting order before its cancel, where a fault says so."""
        share = self._plan.share(FaultKind.LATE_FILL, method, now_ns)
        lots = min(order.leaves_lots, -int(-share * order.leaves_lots // 1))
        if lots and order.resting is not None:
            self.market.exchange.fill_now(order, lots, now_ns)
            self.market.publish(order.listing.symbol, now_ns)

    def _do_later(self, at_ns: int, action: Action) -> None:
        self._late_count += 1
        heapq.heappush(self._late, (at_ns, self._late_count, action))

    def _tell_accounts(self, now_ns: int) -> None:
        """Send what happened to accounts to whoever subscribed; without subscribers it is only forgotten."""
        if not self._inbox:
            return
        events = self._inbox[:]
        self._inbox.clear()
        if not self._account_sessions:
            return
        for event in events:
            for owner, name, frame in self._told(event):
                for session in list(self._account_sessions):
                    session.report(owner, frame, name, now_ns)

    def _told(self, event: AccountEvent) -> list[Told]:
        if self.dialect is USDM:
            return usdm_events(event, self.market.exchange)
        return spot_events(event)


def _streams(path: str, query: str, known: Sequence[str]) -> tuple[str | None, list[str]]:
    """Give a stream path without the names in it, None for another path, and the names."""
    if path in known:
        names = parse_qs(query).get("streams", [""])[0]
        return path, [name for name in names.split("/") if name]
    for root in known:
        if root.endswith("/ws") and path.startswith(root + "/"):
            return root, [unquote(name) for name in path[len(root) + 1 :].split("/") if name]
    return None, []
