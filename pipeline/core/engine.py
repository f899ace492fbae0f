"""The engine: one function from an input to what is to be done, with no clock, no I/O and no chance in it.

    handle(input) -> effects

Theory of operation. Every input carries its own time. `handle` sends it to the room that knows it
(`market`, `trader`, `operator`), which changes the shared state and puts effects into the outbox; `handle`
gives the outbox. It is total: nonsense from outside is counted or alerted, and only a broken invariant of
our own raises. The same inputs under the same parameters give the same effects, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.core import start_view, totals
from pipeline.core.alert_watch import AlertWatch
from pipeline.core.earlier import BalancesCompared, BooksCarried, BooksKept, DayCarried, OrderFound
from pipeline.core.effects import AlertCode, CloseGate, Effect
from pipeline.core.health_desk import HealthDesk
from pipeline.core.inputs import (
    CONNECTING,
    AccountRead,
    BookTicker,
    CancelRejected,
    Command,
    DepthSnapshot,
    DepthUpdate,
    ExecutionReport,
    FeedStatusChanged,
    FrameIgnored,
    FrameRefused,
    GateChanged,
    HeadLeft,
    HealthRead,
    Input,
    InstrumentDiffers,
    LinkChanged,
    ModelPrepared,
    ModelRecord,
    ModelWanted,
    OpenOrdersListed,
    OperatorCommand,
    OrderPathChanged,
    PositionBroke,
    PredictionReceived,
    PredictionVoid,
    SendFailed,
    SendRefused,
    SymbolStatus,
    TimerBeat,
    Trade,
    WorkerCounters,
)
from pipeline.core.loss_limits import loss_breach
from pipeline.core.market import MarketSide
from pipeline.core.model_book import ModelBook
from pipeline.core.model_desk import ModelDesk
from pipeline.core.monitor_state import MonitorState
from pipeline.core.operator import OperatorDesk
from pipeline.core.order_path import OrderPath
from pipeline.core.orders import OrderAnswer
from pipeline.core.params import SECOND, EngineParams
from pipeline.core.permit import PermitEnd
from pipeline.core.skill_desk import SkillDesk
from pipeline.core.start_desk import StartDesk
from pipeline.core.state import EngineState
from pipeline.core.sync import SyncedBook
from pipeline.core.trader import Trader
from pipeline.core.types import Authority, Instrument, Severity, TradingState, VenueMode

MOST_FEEDS_DOWN = 256
"""More than a session has; names from outside must not fill the memory."""

LOSS_CONFIRM_NS = 2_000_000_000
"""The loss must stand this long against an ok book: one wild quote is no loss."""


class Engine:
    """One session's engine; single-threaded, `handle` is its only way in."""

    def __init__(self, params: EngineParams) -> None:
        self.state = state = EngineState(params)
        self._market = MarketSide(state)
        self._trader = Trader(state)
        self._operator = OperatorDesk(state, self._trader)
        self._path = path = OrderPath(state, self._operator)
        self._models = models = ModelDesk(state, self._trader)
        self._start_desk = start = StartDesk(state, self._operator, path)
        self._operator.also(Command.ADOPT, start.adopt)
        self._operator.also(Command.CANCEL_EARLIER, start.cancel)
        self._health = HealthDesk(state, self._operator)
        self._skill = SkillDesk(state, self._trader)
        self._market.on_row = self._trader.on_row
        self._alert_watch = AlertWatch(state.alerts)
        self._second = 0
        self._started = False
        self._handlers: dict[type, Callable[[Any], None]] = {
            DepthSnapshot: self._market.on_snapshot,
            DepthUpdate: self._market.on_update,
            BookTicker: self._market.on_ticker,
            Trade: self._market.on_trade,
            FrameRefused: self._on_refused,
            FrameIgnored: self._on_ignored,
            PredictionReceived: self._on_prediction,
            PredictionVoid: self._on_void,
            ExecutionReport: self._on_answer,
            CancelRejected: self._on_answer,
            SendRefused: self._on_answer,
            SendFailed: self._on_answer,
            OrderPathChanged: path.on_changed,
            AccountRead: path.on_account,
            PositionBroke: path.on_break,
            OpenOrdersListed: path.on_listed,
            TimerBeat: self._on_beat,
            FeedStatusChanged: self._on_feed,
            WorkerCounters: self._on_workers,
            GateChanged: self._operator.on_gate,
            LinkChanged: self._on_link,
            OperatorCommand: self._operator.on_command,
            SymbolStatus: path.on_symbol_status,
            InstrumentDiffers: self._on_differs,
            HealthRead: self._health.on_read,
            HeadLeft: self._health.on_head,
            ModelWanted: models.on_wanted,
            ModelPrepared: models.on_prepared,
            ModelRecord: self._skill.on_record,
            BooksCarried: start.on_carried,
            BooksKept: start.on_kept,
            DayCarried: start.on_day,
            OrderFound: start.on_found,
            BalancesCompared: start.on_compared,
        }

    def handle(self, event: Input) -> list[Effect]:
        """Take one input; give what is to be done, in order."""
        state = self.state
        ts_ns: int = getattr(event, "ts_ns", 0) or getattr(event, "ts_recv_ns", 0)
        if ts_ns > state.now_ns:
            state.now_ns = ts_ns
        if not self._started:
            self._start(state.now_ns)
        self._handlers[type(event)](event)
        return state.out.take()

    # --- questions ----------------------------------------------------------------------------------------

    @property
    def mode(self) -> VenueMode:
        """Give where orders go."""
        return self.state.params.mode

    @property
    def authority(self) -> Authority:
        """Give what the machine may do by itself."""
        return self.state.authority

    @property
    def trading_state(self) -> TradingState:
        """Give what may leave at all."""
        return self.state.trading_state

    @property
    def symbols(self) -> tuple[str, ...]:
        """Give the symbols of the session."""
        return tuple(self.state.desks)

    @property
    def open_orders(self) -> int:
        """Count our orders the venue has or may have."""
        return self.state.orders.open_orders

    @property
    def awaits_cancels(self) -> bool:
        """Say whether a cancel of ours is unanswered, or a kill has not seen the venue's zero."""
        kill, orders = self.state.kill, self.state.orders
        if kill is not None and kill.latched and not kill.confirmed_ts_ns and not kill.left:
            return True
        return any(order.cancel_asked_ns >= 0 for symbol in self.state.desks for order in orders.live(symbol))

    @property
    def day(self) -> tuple[int, int]:
        """Give the day's result and its best, in 1e-8 of the quote currency."""
        return self.state.portfolio.day_quote_e8, self.state.portfolio.peak_quote_e8

    @property
    def spared_generation(self) -> int:
        """Give the gate's generation while a kill leaves working orders alone; 0 while none does."""
        gate = self.state.gate
        return gate.generation if gate is not None and self.state.spares_orders else 0

    @property
    def has_leftovers(self) -> bool:
        """Say whether orders or positions would stay at the venue if the session ended now."""
        positions = any(self.state.portfolio.position(symbol).lots for symbol in self.state.desks)
        return positions or self.open_orders > 0

    @property
    def models(self) -> ModelBook:
        """Give the live model, the one before it, the shadows, and what is being loaded."""
        return self.state.models

    @property
    def last_answer(self) -> str:
        """Give the answer to the last operator command."""
        return self.state.last_answer

    def counts(self) -> dict[str, Any]:
        """Give the counters of the summary."""
        return totals.counts(self.state)

    @property
    def is_unsettled(self) -> bool:
        """Say whether something an earlier session left waits for a person."""
        return self.state.start.told

    def start_summary(self) -> dict[str, Any]:
        """Give how the session began and what of it is not settled, as the summary has it."""
        return start_view.start_summary(self.state)

    def position_summary(self) -> dict[str, dict[str, str]]:
        """Give each symbol's position and profit as exact decimal text."""
        return totals.positions(self.state)

    def model_states(self) -> tuple[tuple[str, MonitorState], ...]:
        """Give what was learned of every model, by symbol, for the next session; nothing of empty records."""
        now_ns, desks = self.state.now_ns, self.state.desks.values()
        return tuple(
            (desk.symbol, monitor.state(now_ns))
            for desk in desks
            for monitor in desk.watch.monitors
            if monitor.blocks
        )

    def synced_book(self, symbol: str) -> SyncedBook | None:
        """Give the book of a symbol."""
        desk = self.state.desks.get(symbol)
        return desk.synced if desk is not None else None

    def instrument(self, symbol: str) -> Instrument | None:
        """Give the instrument of a symbol."""
        desk = self.state.desks.get(symbol)
        return desk.instrument if desk is not None else None

    # --- inputs -------------------------------------------------------------------------------------------

    def _start(self, ts_ns: int) -> None:
        self._started = True
        params = self.state.params
        for desk in self.state.desks.values():
            desk.status_ns = ts_ns  # The session was started with what the venue said right before.
        detail = self.state.policy_hash[:16]
        values = (int(params.authority), len(params.instruments))
        self.state.out.alert(AlertCode.SESSION_STARTED, Severity.INFO, ts_ns, "", detail, values)
        if params.authority is Authority.AUTO:
            self._operator.open_auto("start", ts_ns)

    def _on_beat(self, beat: TimerBeat) -> None:
        now_ns, state = beat.ts_ns, self.state
        for desk in state.desks.values():
            self._market.on_beat(desk, now_ns)
            self._health.on_market(desk, now_ns)
            self._skill.on_beat(desk, now_ns)
            self._trader.on_beat(desk, now_ns)
        self._trader.cards_beat(now_ns)
        self._skill.on_fates()
        self._trader.unanswered(now_ns)
        self._path.on_beat(now_ns)
        self._models.on_beat(now_ns)
        self._start_desk.on_beat(now_ns)
        state.portfolio.on_beat(now_ns)
        self._operator.converge(now_ns)
        self._watch_loss(now_ns)
        self._health.on_beat(beat)
        second = now_ns // SECOND
        if second != self._second:
            self._second = second
            for desk in state.desks.values():
                self._health.on_skill(desk, now_ns)
        self._watch_alerts(now_ns)

    def _on_prediction(self, event: PredictionReceived) -> None:
        if self.state.shadows.holds(event.feature_seq):
            self._models.on_shadow(event)
            return
        self._trader.on_prediction(event)
        # Read for answers too old to decide as well: a chain that is slow all the time makes no others.
        age_ns = self.state.inference.answered_age_ns
        if age_ns >= 0:
            self._health.on_answer_age(age_ns, event.symbol, event.ts_ns)

    def _on_void(self, event: PredictionVoid) -> None:
        self.state.inference.close_void(event)
        self.state.shadows.close_void(event)

    def _on_answer(self, answer: OrderAnswer) -> None:
        self._trader.on_answer(answer)

    def _on_refused(self, refused: FrameRefused) -> None:
        self.state.counters.wire_errors += 1
        self.state.out.alert(AlertCode.FRAME_REFUSED, Severity.WARN, refused.ts_ns, "", refused.reason.value)

    def _on_ignored(self, _: FrameIgnored) -> None:
        self.state.counters.ignored_frames += 1

    def _on_feed(self, status: FeedStatusChanged) -> None:
        down = self.state.feeds_down
        if status.up:
            down.pop(status.channel, None)
        elif status.depth and len(down) < MOST_FEEDS_DOWN:
            down[status.channel] = None
        code = AlertCode.FEED_UP if status.up else AlertCode.FEED_DOWN
        expected = status.up or status.reason == CONNECTING
        severity = Severity.INFO if expected else Severity.WARN
        detail = f"{status.channel} {status.reason}"
        self.state.out.alert(code, severity, status.ts_ns, status.symbol, detail)
        if not status.up and status.depth:
            for desk in self.state.desks.values():
                if status.symbol in ("", desk.symbol):
                    self._market.on_feed_down(desk, status.ts_ns)

    def _on_workers(self, counters: WorkerCounters) -> None:
        self.state.workers = counters
        news = self._health.agents.workers.read(counters)
        if news is not None:
            self.state.out.alert(news.code, news.severity, counters.ts_ns, "", "", news.values)

    def _on_link(self, link: LinkChanged) -> None:
        state = self.state
        lost = state.consoles > 0 and link.consoles == 0
        state.consoles = link.consoles
        if not lost:
            return
        state.out.alert(AlertCode.CONSOLE_LOST, Severity.WARN, link.ts_ns)
        if state.authority is Authority.APPROVE:
            self._trader.permits_ended(state.permits.end_all(PermitEnd.PRESENCE, link.ts_ns), link.ts_ns)

    def _on_differs(self, one: InstrumentDiffers) -> None:
        detail = f"{one.what} {one.venue} at the venue, {one.table} in the table"
        code = AlertCode.INSTRUMENT_DIFFERS
        self.state.out.alert(code, Severity.WARN, one.ts_ns, one.symbol, detail)

    # --- watching -----------------------------------------------------------------------------------------

    def _watch_alerts(self, now_ns: int) -> None:
        """Say a critical alert again that nobody notes; after two minutes nothing new may leave (C13)."""
        due = self._alert_watch.due(now_ns)
        if due is None:
            return
        alert_id, age_ns, act = due
        values = (alert_id, age_ns // SECOND)
        self.state.out.alert(AlertCode.ALERT_UNNOTED, Severity.WARN, now_ns, "", "", values)
        if act:
            wanted = min(TradingState.HALTED, self.state.trading_state)
            self._operator.set_trading_state(wanted, "alert not noted", now_ns)

    def _watch_loss(self, now_ns: int) -> None:
        state = self.state
        over = loss_breach(state)
        if over is None or not any(desk.book_ok for desk in state.desks.values()):
            state.loss_since_ns = -1
            return
        if state.loss_since_ns < 0:
            state.loss_since_ns = now_ns
        if now_ns - state.loss_since_ns < LOSS_CONFIRM_NS or state.trading_state is TradingState.KILLED:
            return
        if state.loss_killed and state.trading_state is TradingState.HALTED:
            return  # released, to flatten; the next resume meets the limit again
        state.loss_killed = True
        why, values = over
        state.out.alert(AlertCode.LOSS_LIMIT, Severity.CRITICAL, now_ns, "", why, values)
        state.out.put(CloseGate("daily loss limit", latch=True, ts_ns=now_ns))
        self._operator.set_trading_state(TradingState.KILLED, "loss limit", now_ns)
