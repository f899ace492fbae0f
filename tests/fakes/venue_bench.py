"""The order path's desk and the simulated venue in one virtual time, with a bad line between them.

No socket, no clock, no thread: frames wait in two queues that `pass_ms` moves along. The engine's part is
played by an `OrderStore` and a `Portfolio`, which take what the desk reports as the engine would.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from pipeline.core.earlier import BalancesCompared, BooksCarried, OrderFound
from pipeline.core.effects import SubmitOrder
from pipeline.core.inputs import (
    AccountRead,
    CancelRejected,
    ExecutionReport,
    FrameRefused,
    Input,
    OpenOrdersListed,
    OrderPathChanged,
    PositionBroke,
    SendFailed,
    SendRefused,
    SymbolStatus,
)
from pipeline.core.orders import OrderStore, Problem
from pipeline.core.portfolio import Portfolio
from pipeline.core.types import Fees, OrderState, OrderType, RiskApproved, Side
from pipeline.runtime.venue_budget import RequestBudget
from pipeline.runtime.venue_clock import VenueClock
from pipeline.runtime.venue_desk import VenueDesk
from pipeline.runtime.venue_line import RequestLine
from pipeline.runtime.venue_params import VenueParams
from pipeline.runtime.venue_state import Phase
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.listing import NO_FEES, Listing, spot_listings
from pipeline.sim.exchange.order import NewOrder, OrderKind, TradePrint
from pipeline.sim.protocol.faults import Fault, parse_fault
from pipeline.sim.protocol.hub import MarketHub
from pipeline.sim.protocol.request_limits import RequestLimits
from pipeline.sim.protocol.venue import AccountEvent, SimVenue
from pipeline.wire.binance_requests import ApiKey, SpotRequests
from tests.fakes.sim_client import FakeLink
from tests.fakes.trading import MS, POLICY, intent
from tests.fakes.venue import T0

KEY = ApiKey("k" * 64, "s" * 64)
SESSION = (77 << 20) | 5
BEST_BID, BEST_ASK = 6_400_000, 6_400_002
PARAMS = VenueParams(
    api_url="",
    key_path="",
    account="bench",
    absent_after_ms=2_000,
    ask_after_ms=(100, 200, 400),
    answer_ms=500,
    list_every_ms=2_000,
    earlier_ms=0,
)


class QuietMarket:
    """A market that moves only when the test trades in it."""

    def __init__(self, inbox: list[AccountEvent], fees: Fees) -> None:
        self.exchange = Exchange(spot_listings(fees=fees))
        self._inbox = inbox

    @property
    def listings(self) -> Sequence[Listing]:
        return [market.listing for market in self.exchange.markets.values()]

    @property
    def next_ns(self) -> int | None:
        return None

    def is_trading(self, symbol: str) -> bool:
        return symbol in self.exchange.markets

    def advance(self, now_ns: int) -> None:
        """Nothing moves by itself."""

    def snapshot(self, symbol: str, limit: int) -> str:
        raise NotImplementedError

    def publish(self, symbol: str, now_ns: int) -> None:  # noqa: ARG002  the market of one symbol
        events = self.exchange.take_events()
        self._inbox += [event for event in events if not isinstance(event, TradePrint)]


class SwitchedGate:
    """A gate in the test's hands."""

    def __init__(self) -> None:
        self.open = True

    def is_open(self) -> bool:
        return self.open


class VenueBench:
    """A desk, a venue, and the line between them."""

    def __init__(
        self,
        *faults: str,
        params: VenueParams = PARAMS,
        seed: int = 0,
        skew_ms: int = 0,
        delay_ms: int = 0,
        weight_per_minute: int = 6_000,
        fees: Fees = NO_FEES,
    ) -> None:
        """Open the venue; `skew_ms` is how far our clock is off, `delay_ms` the longest way of a request."""
        self.chance = random.Random(seed)
        self.skew_ns = skew_ms * MS
        self.delay_ms = delay_ms
        self.venue_ns = T0
        inbox: list[AccountEvent] = []
        self.market = QuietMarket(inbox, fees)
        self.exchange = self.market.exchange
        balances = {"BTC": 10 * 10**8, "USDT": 1_000_000 * 10**8}
        self.account = self.exchange.open_account("main", KEY.api_key, KEY.secret, balances, T0)
        given: list[Fault] = [parse_fault(text) for text in faults]
        limits = RequestLimits(weight_per_minute)
        self.venue = SimVenue(self.market, MarketHub(), inbox, T0, seed=seed, faults=given, limits=limits)
        self.instrument = self.market.listings[0].instrument
        self.gate = SwitchedGate()
        self.sent: list[dict[str, Any]] = []
        """Every request that left, in order."""
        self._to_venue: deque[tuple[int, bytes]] = deque()
        self._link: FakeLink | None = None
        self._api: Any = None
        self.params = params
        self.reports: list[Input] = []
        self.problems: list[Problem] = []
        self.begin(SESSION, None)
        self.refill()

    def begin(self, session_number: int, books: BooksCarried | None) -> None:
        """Begin a session's life: what the one before knew is in its `books`, or lost."""
        self.budget = RequestBudget(self.params)
        self.clock = VenueClock()
        line = RequestLine(SpotRequests(KEY), self.budget, self.clock, self._send)
        instruments = {"BTCUSDT": self.instrument}
        self.desk = VenueDesk(self.params, instruments, session_number, line, self.gate, books)
        self.store = OrderStore(session_number)
        self.portfolio = Portfolio((self.instrument,))

    # --- time and the line --------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """Our own clock."""
        return self.venue_ns + self.skew_ns

    def connect(self) -> None:
        """Open a connection."""
        assert self._link is None
        self._link = FakeLink()
        self._api = self.venue.open(self._link, "/ws-api/v3", "", self.venue_ns)
        self.desk.opened(self.now_ns)

    def cut(self) -> None:
        """End the connection; what was on its way to the venue arrives or does not."""
        if self._link is None:
            return
        self.unplug()
        self.desk.lost("cut", self.now_ns)
        self._take_reports()

    def unplug(self) -> None:
        """Take the line away without a word to the desk, as when its process dies."""
        while self._to_venue and self.chance.random() < 0.5:
            self._arrive(self._to_venue.popleft()[1])
        self._to_venue.clear()
        if self._link is not None:
            self.venue.leave(self._api)
        self._link = None

    def pass_ms(self, ms: int, step_ms: int = 50) -> None:
        """Let time pass; a connection given up or cut is opened again at once."""
        until_ns = self.venue_ns + ms * MS
        while self.venue_ns < until_ns:
            self.venue_ns = min(until_ns, self.venue_ns + step_ms * MS)
            self.venue.advance(self.venue_ns)
            self._deliver()
            self.desk.tick(self.now_ns)
            self._take_reports()
            if self.desk.trouble:
                self.cut()
            if self._link is None:
                self.connect()

    def up(self) -> VenueBench:
        """Connect and be reconciled."""
        self.pass_ms(1_000)
        assert self.desk.phase is Phase.UP
        return self

    def settle(self, seconds: float = 10) -> None:
        """Let every doubt be settled."""
        self.pass_ms(int(seconds * 1_000))

    # --- what both sides do -------------------------------------------------------------------------------

    def submit(
        self, side: Side = Side.BUY, lots: int = 1_000, ticks: int = BEST_BID, *, takes: bool = False
    ) -> str:
        """Send an order as the engine does; give its id. What the last hop refuses is applied at once."""
        kind = OrderType.LIMIT_IOC if takes else OrderType.POST_ONLY
        wanted = intent(side=side, qty_lots=lots, price_ticks=ticks, order_type=kind)
        approved = RiskApproved(wanted, self.store.next_client_order_id(), POLICY)
        self.store.add(approved, self.now_ns)
        refused = self.desk.submit(SubmitOrder(approved, self.now_ns), self.now_ns)
        if refused is not None:
            self._apply(refused)
        return approved.client_order_id

    def cancel(self, client_order_id: str) -> None:
        """Cancel an order as the engine does: only what is live."""
        if self.store.cancel_asked(client_order_id, self.now_ns):
            self.desk.cancel("BTCUSDT", client_order_id, self.now_ns)
            self._take_reports()

    def state(self, client_order_id: str) -> OrderState:
        """Give the engine's state of an order."""
        order = self.store.order(client_order_id)
        assert order is not None
        return order.state

    def street(self, side: Side, lots: int) -> None:
        """Let somebody else trade against what rests."""
        ticks = BEST_BID - 50 if side is Side.SELL else BEST_ASK + 50
        self.exchange.street_order("BTCUSDT", side, ticks, lots, self.venue_ns, rests=False)
        self.market.publish("BTCUSDT", self.venue_ns)
        self.venue.advance(self.venue_ns)

    def refill(self) -> None:
        """Let the street quote around the touch."""
        for level in range(5):
            self.exchange.street_order("BTCUSDT", Side.BUY, BEST_BID - level, 5_000, self.venue_ns)
            self.exchange.street_order("BTCUSDT", Side.SELL, BEST_ASK + level, 5_000, self.venue_ns)
        self.exchange.take_events()

    # --- what came of it ----------------------------------------------------------------------------------

    def methods(self, *names: str) -> list[dict[str, Any]]:
        """Give the requests of these methods that left."""
        return [request for request in self.sent if request["method"] in names]

    def of(self, kind: type[Any]) -> list[Any]:
        """Give the reports of one kind."""
        return [report for report in self.reports if isinstance(report, kind)]

    def open_ids(self) -> list[str]:
        """Give our orders that stand at the venue."""
        found = self.exchange.orders.open_orders(self.account.owner, "BTCUSDT")
        return sorted(order.client_order_id for order in found)

    def live_ids(self) -> list[str]:
        """Give the orders the engine takes for live."""
        return sorted(order.client_order_id for order in self.store.all_live())

    def agrees(self) -> bool:
        """Say whether engine and venue know the same orders, fills, fees and position."""
        sums = self.exchange.ledger.sums("main", "BTCUSDT")
        position = self.portfolio.position("BTCUSDT")
        return (
            self.live_ids() == self.open_ids()
            and position.lots == sums.bought_lots - sums.sold_lots
            and position.fills == sums.fills
            and position.cash_quote_e8 == sums.quote_e8
        )

    # ------------------------------------------------------------------------------------------------------

    def _send(self, frame: bytes) -> None:
        self.sent.append({**json.loads(frame), "at_ns": self.venue_ns})
        if self._link is None:
            return
        way_ns = self.chance.randint(0, self.delay_ms) * MS if self.delay_ms else 0
        last_ns = self._to_venue[-1][0] if self._to_venue else 0
        self._to_venue.append((max(last_ns, self.venue_ns + way_ns), frame))
        if not self.delay_ms:
            self._arrive(self._to_venue.popleft()[1])

    def _arrive(self, frame: bytes) -> None:
        self.venue.receive(self._api, frame, self.venue_ns)

    def _deliver(self) -> None:
        while self._to_venue and self._to_venue[0][0] <= self.venue_ns:
            self._arrive(self._to_venue.popleft()[1])
        while self._link is not None and self._link.frames:
            frame = self._link.frames.pop(0)
            self.desk.message(frame, self.now_ns)
            self._take_reports()

    def _take_reports(self) -> None:
        for report in self.desk.take_reports():
            self.reports.append(report)
            self._apply(report)

    def _apply(self, report: Input) -> None:
        match report:
            case ExecutionReport() | CancelRejected() | SendRefused() | SendFailed():
                applied = self.store.apply(report)
                if applied.fill is not None:
                    self.portfolio.on_fill(applied.fill)
                if applied.problem is not None:
                    self.problems.append(applied.problem)
            case OrderPathChanged() | AccountRead() | OpenOrdersListed() | FrameRefused():
                pass
            case PositionBroke() | SymbolStatus() | BalancesCompared():
                pass
            case OrderFound():
                self.store.restore(report.order, report.ts_ns)
            case _:
                raise AssertionError(f"no report of an order path: {report}")


def quick(**changes: Any) -> VenueParams:
    """Give the bench's settings with changes."""
    return msgspec.structs.replace(PARAMS, **changes)


def stands(bench: VenueBench, client_id: str, ticks: int = BEST_BID - 500) -> None:
    """Let an order stand at the venue that this session did not place."""
    wanted = NewOrder(
        "BTCUSDT",
        Side.BUY,
        OrderKind.LIMIT,
        price_e8=ticks * 10**6,
        quantity_e8=10**6,
        client_order_id=client_id,
    )
    bench.exchange.place(bench.account, wanted, bench.venue_ns)
    bench.exchange.take_events()
