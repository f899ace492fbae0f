"""The engine's whole state in one place: the desks, the account, the three axes, and the counters.

`market.py`, `trader.py` and `operator.py` share it; the engine is the only writer, one input at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.alerts import AlertBoard
from pipeline.core.desk import SymbolDesk
from pipeline.core.earlier import StartCheck
from pipeline.core.ideas import IdeaBoard
from pipeline.core.inference import InferenceDesk
from pipeline.core.inputs import GateChanged, WorkerCounters
from pipeline.core.model_book import ModelBook
from pipeline.core.model_gate import ModelGate
from pipeline.core.orders import OrderStore
from pipeline.core.outbox import Outbox
from pipeline.core.params import EngineParams, ModelSpec
from pipeline.core.permits import PermitBook
from pipeline.core.portfolio import Portfolio
from pipeline.core.risk import RiskEngine
from pipeline.core.shadows import ShadowDesk
from pipeline.core.types import Authority, DenyReason, TradingState, VenueMode


@dataclass(slots=True)
class EngineCounters:
    """What happened since the start; the summary prints these."""

    trades: int = 0
    ignored_frames: int = 0
    wire_errors: int = 0
    signals: int = 0
    ideas: int = 0
    permits: int = 0
    decisions: int = 0
    predictions: int = 0
    features: int = 0
    unknown_symbols: int = 0


@dataclass(slots=True)
class KillProgress:
    """One kill from the closing of the gate to the venue's zero."""

    who: str
    reason: str
    ts_ns: int
    latched: bool
    ours_total: int
    canceled_before: int
    filled_before: int
    cancels_sent: int = 0
    confirmed_ts_ns: int = 0
    first_zero_ns: int = 0
    """When the first list without an order of ours was asked for; 0 while there is none."""
    listed_zero: bool = False
    """A second one, asked for later than any order could still have been on its way."""
    last_number: int = 0
    """The newest order when the gate closed; what a person sends later (flatten) has a higher one."""
    later_canceled: int = 0
    later_filled: int = 0
    """What became of those later ones, which the kill's own counts leave out."""
    sent_ns: int = 0
    """When the newest later one was sent; 0 without one."""

    def on_sent(self, now_ns: int) -> None:
        """Take the venue's zero back: an order goes there after it."""
        self.sent_ns = now_ns
        self.confirmed_ts_ns, self.first_zero_ns, self.listed_zero = 0, 0, False

    def on_cancel(self, number: int) -> None:
        """Count a cancel that was sent for an order of before the kill."""
        self.cancels_sent += number <= self.last_number

    def on_counts(self, number: int, canceled: int, filled: int) -> None:
        """Leave out of the kill's counts what an answer made of an order sent after it."""
        if number > self.last_number:
            self.later_canceled += canceled
            self.later_filled += filled

    def on_listed(self, ours: int, asked_ns: int) -> None:
        """Take a list of open orders; one asked for before the kill or the newest order says nothing."""
        if asked_ns <= max(self.ts_ns, self.sent_ns):
            return
        if ours:
            self.first_zero_ns, self.listed_zero = 0, False
        elif not self.first_zero_ns:
            self.first_zero_ns = asked_ns
        elif asked_ns - self.first_zero_ns >= LATEST_ARRIVAL_NS:
            self.listed_zero = True


LATEST_ARRIVAL_NS = 1_000_000_000
"""The longest recvWindow: an order sent before this long ago is refused by the venue."""


class EngineState:
    """State shared by the engine's rooms."""

    def __init__(self, params: EngineParams) -> None:
        self.params = params
        self.policy_hash = params.digest()
        self.alerts = AlertBoard()
        self.out = Outbox(self.alerts)
        self.desks = {i.symbol: SymbolDesk(params, i) for i in params.instruments}
        self.models = ModelBook(params.model, params.shadows)
        self.shadows = ShadowDesk()
        self.inference = InferenceDesk(params.model, params.decision.max_row_age_ns)
        self.orders = OrderStore(params.session_number)
        self.portfolio = Portfolio(params.instruments, params.home_base_e8, params.balance_quote_e8)
        self.risk = RiskEngine(params.limits, self.orders, self.portfolio, self.policy_hash)
        self.permits = PermitBook(
            params.permits, params.execution, params.limits, self.policy_hash, params.authority
        )
        self.ideas = IdeaBoard(params.permits, params.execution)
        self.counters = EngineCounters()
        self.authority: Authority = params.authority
        self.has_order_path = params.mode in (VenueMode.SIM, VenueMode.LIVE)
        """Orders go to a venue outside this process, by a connection that can fail."""
        self.order_path_up = not self.has_order_path
        self.trading_state = TradingState.HALTED if self.has_order_path else TradingState.ACTIVE
        self.resume_to: TradingState | None = TradingState.ACTIVE if params.mode is VenueMode.SIM else None
        """What the trading state becomes once the order path is up; None where a person resumes."""
        self.start = StartCheck()
        self.foreign_orders = 0
        if self.has_order_path:
            self.permits.set_trading_state(TradingState.HALTED, 0)
        self.gate: GateChanged | None = None
        self.kill: KillProgress | None = None
        self.model_gate = ModelGate(params.health.bad_answers, params.health.frozen_rows)
        self.blocked: dict[DenyReason, None] = {}
        """What health agents hold new orders back for, on every symbol; the oldest first."""
        self.workers: WorkerCounters | None = None
        self.feeds_down: dict[str, None] = {}
        """Channels and connections books depend on that were last heard to be down."""
        self.consoles = 0
        self.now_ns = 0
        self.loss_since_ns = -1
        self.loss_killed = False
        self.last_answer = ""

    @property
    def feed_up(self) -> bool:
        """Say whether nothing a book depends on is known to be down."""
        return not self.feeds_down

    @property
    def model(self) -> ModelSpec | None:
        """Give the live model."""
        return self.models.live

    def computes(self, feature: str) -> bool:
        """Say whether every desk keeps this feature up."""
        return all(desk.features.keeps(feature) for desk in self.desks.values())

    @property
    def gate_open(self) -> bool:
        """Say whether the gate was open when last heard of."""
        return self.gate is None or self.gate.open

    def aimed_lots(self, symbol: str) -> int:
        """Give the position with every open order counted as filled; dust counts as none.

        Dust cannot be sold, so nothing waits for it to leave.
        """
        desk, position = self.desks.get(symbol), self.portfolio.find(symbol)
        held = position.lots if position is not None and desk is not None and not desk.policy.dust else 0
        return held + self.orders.exposure(symbol).net_lots
