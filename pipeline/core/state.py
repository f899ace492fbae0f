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
from pipeline.core.kill_progress import KillProgress
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

    @property
    def spares_orders(self) -> bool:
        """Say whether a kill leaves our working orders alone, for now or on purpose."""
        return self.kill is not None and self.kill.spares and self.orders.open_orders > 0

    def aimed_lots(self, symbol: str) -> int:
        """Give the position with every open order counted as filled; dust counts as none.

        Dust cannot be sold, so nothing waits for it to leave.
        """
        desk, position = self.desks.get(symbol), self.portfolio.find(symbol)
        held = position.lots if position is not None and desk is not None and not desk.policy.dust else 0
        return held + self.orders.exposure(symbol).net_lots
