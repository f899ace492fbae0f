"""A whole engine on a clock the test moves, with the market, the model, the gate and the venue at hand.

`Floor` is what a session is to its engine, without processes: it carries effects out into a paper venue and
a gate of its own and hands back what comes of them, in the order `CaptureRun` promises.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

import msgspec

from pipeline.core.effects import (
    Alert,
    AlertCode,
    CancelAccount,
    CancelAll,
    CancelOrder,
    CloseGate,
    Effect,
    RequestInference,
    SubmitOrder,
)
from pipeline.core.engine import Engine
from pipeline.core.facts import RuntimeFacts
from pipeline.core.inputs import (
    BookTicker,
    Command,
    DepthSnapshot,
    DepthUpdate,
    GateChanged,
    Input,
    OperatorCommand,
    PredictionReceived,
    TimerBeat,
    Trade,
)
from pipeline.core.params import (
    DecisionParams,
    EngineParams,
    ExecutionParams,
    HealthParams,
    ModelSpec,
    PermitParams,
    SizingParams,
)
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.core.sync import SyncedBook
from pipeline.core.types import QUOTE_SCALE, Authority, Fees, Instrument, Level, Side, TradingState, VenueMode
from pipeline.core.view import build_snapshot
from pipeline.runtime.gateway import PaperGateway
from pipeline.sim.paper import PaperVenue
from tests.fakes.trading import ASK, BID, LIMITS, SPOT, START

MS = 1_000_000
SECOND = 1_000_000_000
BEAT_NS = 10 * MS
UNITS = 400_000_000
"""Four bitcoin at each level."""

FREE = replace(SPOT, fees=Fees(0, 0, "option"))
"""At no fees every signal pays."""

OPEN_LIMITS = msgspec.structs.replace(
    LIMITS,
    new_per_second=1_000,
    new_burst=1_000,
    throttle_orders=10_000,
    throttle_same_side=10_000,
    duplicate_window_ns=1,
    max_orders_per_trade=1_000_000,
)
"""Sizes bound; rates and throttles do not."""

MODEL = ModelSpec(
    model_id="m1" * 16,
    name="qi-logit",
    generation=1,
    schema_hash="5c4e",
    features=("qi_1",),
    horizon_ms=1_000,
    binary=True,
    sigma_train_e6=50,
    mean_move_e6=60,
    move_rate_e6=550_000,
)


def engine_params(**changes: Any) -> EngineParams:
    """AUTO in a replay of one free spot symbol, entries resting, decisions every 100 ms."""
    base = EngineParams(
        mode=VenueMode.REPLAY,
        authority=Authority.AUTO,
        instruments=(FREE,),
        model=MODEL,
        decision=DecisionParams(),
        sizing=SizingParams(max_notional_quote_e8=500 * QUOTE_SCALE, no_trade_band_e6=0),
        execution=ExecutionParams(),
        permits=PermitParams(),
        limits={"BTCUSDT": OPEN_LIMITS},
        health=HealthParams(frozen_rows=1_000_000),
        home_base_e8=10 * QUOTE_SCALE,
        balance_quote_e8=1_000_000 * QUOTE_SCALE,
    )
    return msgspec.structs.replace(base, **changes)


class FakeGate:
    """A gate in memory: what closes it and who released it is up to the test."""

    def __init__(self) -> None:
        self.open = True
        self.latched = False
        self.generation = 0

    def is_open(self) -> bool:
        return self.open


class Floor:
    """One engine with its surroundings; time moves by `pass_ms`, 10 ms a beat."""

    def __init__(self, params: EngineParams | None = None, *, latency_ms: int = 12) -> None:
        self.params = params or engine_params()
        self.engine = Engine(self.params)
        self.gate = FakeGate()
        self.venue = PaperVenue(
            self.params.instruments,
            ack_latency_ns=latency_ms * MS,
            cancel_latency_ns=latency_ms * MS,
            home_base_e8=self.params.home_base_e8,
            balance_quote_e8=self.params.balance_quote_e8,
        )
        self.gateway = PaperGateway(self.venue, self.gate)
        self.now_ns = START
        self.effects: list[Effect] = []
        """All effects so far, in order."""
        self.p_up: float | None = None
        """What the model answers to every row 2 ms later; None: nothing, the test answers itself."""
        self._update_id = 100
        """Newest id of all channels."""
        self._depth_id = 100
        """Newest id of the depth channel; a ticker's lies in the range the next update covers."""
        self._trade_id = 0
        self._replies: deque[Input] = deque()
        self._answers: deque[tuple[int, RequestInference]] = deque()

    # --- inputs -------------------------------------------------------------------------------------------

    def put(self, event: Input) -> list[Effect]:
        """Hand over one input, carry out its effects, then hand over what the gate said to them."""
        effects = self.engine.handle(event)
        self._tell_venue(event)
        for effect in effects:
            self.effects.append(effect)
            self._carry_out(effect)
        while self._replies:
            effects += self.put(self._replies.popleft())
        return effects

    def pass_ms(self, milliseconds: int) -> list[Effect]:
        """Let time pass, with beats, venue reports and the model's answers where they fall due."""
        effects: list[Effect] = []
        until_ns = self.now_ns + milliseconds * MS
        while True:
            beat_ns = self.now_ns // BEAT_NS * BEAT_NS + BEAT_NS
            venue_ns = self.gateway.next_due_ns
            answer_ns = self._answers[0][0] if self._answers else None
            due_ns = min(t for t in (beat_ns, venue_ns, answer_ns) if t is not None)
            if due_ns > until_ns:
                self.now_ns = until_ns
                return effects
            if due_ns == venue_ns:
                self.now_ns = max(self.now_ns, due_ns)
                for report in self.gateway.due(due_ns):
                    effects += self.put(report)
            elif due_ns == answer_ns:
                self.now_ns = due_ns
                _, request = self._answers.popleft()
                if self.p_up is not None:
                    effects += self.put(self.prediction(self.p_up, request))
            else:
                self.now_ns = due_ns
                effects += self.put(TimerBeat(due_ns))

    def snapshot(self, bids: tuple[Level, ...] = (), asks: tuple[Level, ...] = ()) -> list[Effect]:
        """Hand over a whole book, four levels a side unless given."""
        return self.put(
            DepthSnapshot(
                *("BTCUSDT", self._depth_id, bids or levels(BID, -1), asks or levels(ASK, 1)),
                *(0, self.now_ns),
            )
        )

    def update(
        self, bids: tuple[Level, ...] = (), asks: tuple[Level, ...] = (), *, skip: int = 0
    ) -> list[Effect]:
        """Hand over the next depth update; `skip` ids are missing before it."""
        first = self._depth_id + 1 + skip
        self._depth_id = self._update_id = max(self._update_id + 1, first)
        return self.put(DepthUpdate("BTCUSDT", first, self._depth_id, -1, bids, asks, 0, self.now_ns))

    def lose(self) -> None:
        """Let an update get lost on the way."""
        self._depth_id = self._update_id = self._update_id + 1

    def ticker(
        self, bid: int = BID, ask: int = ASK, bid_units: int = UNITS, ask_units: int = UNITS
    ) -> list[Effect]:
        """Hand over a ticker fresher than the book."""
        self._update_id += 1
        ticker = BookTicker(
            *("BTCUSDT", self._update_id, bid, bid_units, ask, ask_units, 0, self.now_ns),
        )
        return self.put(ticker)

    def trade(self, price: int = BID, units: int = 100_000, side: Side = Side.SELL) -> list[Effect]:
        """Hand over a print."""
        self._trade_id += 1
        return self.put(Trade("BTCUSDT", price, units, side, self._trade_id, self.now_ns, self.now_ns))

    def command(self, command: Command, **fields: Any) -> list[Effect]:
        """Let a person ask for something."""
        base = {"who": "ada", "tty": "/dev/pts/1", "symbol": "BTCUSDT", "target_id": 0, "revision": 0}
        return self.put(OperatorCommand(command=command, ts_ns=self.now_ns, **{**base, **fields}))

    def close_gate(self, *, latch: bool = False, who: str = "ada", reason: str = "test") -> list[Effect]:
        """Close the gate from outside, and tell the engine."""
        self._shut(latch)
        return self.put(self._gate_changed(who, reason))

    def open_gate(self, who: str = "ada") -> list[Effect]:
        """Release the gate, and tell the engine."""
        self.gate.open, self.gate.latched = True, False
        return self.put(self._gate_changed(who, ""))

    def prediction(self, p_up: float, request: RequestInference | None = None, **changes: Any) -> Any:
        """Build the answer to a row, the newest asked for unless given."""
        row = request or self.of(RequestInference)[-1]
        answer = PredictionReceived(
            symbol=row.symbol,
            model_id=row.model_id,
            generation=row.generation,
            schema_hash=row.schema_hash,
            feature_seq=row.feature_seq,
            p_down=1.0 - p_up,
            p_flat=0.0,
            p_up=p_up,
            horizon_ms=1_000,
            started_ns=row.ts_ns,
            finished_ns=self.now_ns,
            worker_id=0,
            epoch=row.epoch,
            ts_ns=self.now_ns,
        )
        return msgspec.structs.replace(answer, **changes)

    def answer(self, p_up: float, request: RequestInference | None = None, **changes: Any) -> list[Effect]:
        """Answer a row, the newest asked for unless given."""
        return self.put(self.prediction(p_up, request, **changes))

    def warm(self, p_up: float | None = None) -> Floor:
        """Bring the book to SYNCED with a print, everything ready; then let the model say `p_up`."""
        self.trade(BID)
        self.snapshot()
        self.update()
        for _ in range(4):
            self.pass_ms(100)
            self.update()
        self.p_up = p_up
        return self

    def busy_ms(self, milliseconds: int) -> list[Effect]:
        """Let time pass with a quiet but living market: an update each 50 ms."""
        effects: list[Effect] = []
        for _ in range(0, milliseconds, 50):
            effects += self.pass_ms(50)
            effects += self.update()
        return effects

    # --- questions ----------------------------------------------------------------------------------------

    def of(self, kind: type[Any], effects: list[Effect] | None = None) -> list[Any]:
        """Give the effects of one kind, of all so far unless given."""
        return [e for e in (self.effects if effects is None else effects) if type(e) is kind]

    def alerts(self, code: AlertCode, effects: list[Effect] | None = None) -> list[Alert]:
        """Give the alerts of one code, of all so far unless given."""
        return [alert for alert in self.of(Alert, effects) if alert.code is code]

    def picture(self, symbol: str = "") -> ConsoleSnapshot:
        """Build the snapshot a console would get now."""
        facts = RuntimeFacts(session="test", operator="ada", consoles=1)
        return build_snapshot(self.engine, symbol, 1, self.now_ns, facts)

    @property
    def state(self) -> Any:
        """The engine's state, for looking at."""
        return self.engine.state

    def is_in(self, state: TradingState) -> bool:
        """Say whether the engine stands in a trading state."""
        return self.engine.trading_state is state

    @property
    def book(self) -> SyncedBook:
        """The symbol's book."""
        synced = self.engine.synced_book("BTCUSDT")
        assert synced is not None
        return synced

    @property
    def ticker_id(self) -> int:
        """Update id of the newest ticker."""
        ticker = self.book.ticker
        return 0 if ticker is None else ticker.update_id

    @property
    def position(self) -> int:
        """Lots held on the symbol."""
        return int(self.engine.state.portfolio.position("BTCUSDT").lots)

    # --- effects ------------------------------------------------------------------------------------------

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case RequestInference():
                self._answers.append((self.now_ns + 2 * MS, effect))
            case SubmitOrder():
                refused = self.gateway.submit(effect, self.now_ns)
                if refused is not None:
                    self._replies.append(refused)
            case CancelOrder():
                self.gateway.cancel(effect, self.now_ns)
            case CancelAll():
                self.gateway.cancel_all(effect, self.now_ns)
            case CancelAccount():
                self.gateway.cancel_account(effect, self.now_ns)
            case CloseGate():
                self._shut(effect.latch)
                self._replies.append(self._gate_changed("engine", effect.reason))
        # An OpenGate changes nothing here: nothing of the engine's own holds this gate.

    def _tell_venue(self, event: Input) -> None:
        match event:
            case DepthUpdate() | DepthSnapshot() | BookTicker():
                synced = self.engine.synced_book(event.symbol)
                if synced is not None:
                    self.gateway.on_book(synced, event.ts_recv_ns)
            case Trade():
                self.gateway.on_trade(event)
            case _:
                pass

    def _shut(self, latch: bool) -> None:
        self.gate.open = False
        self.gate.latched = self.gate.latched or latch
        self.gate.generation += 1

    def _gate_changed(self, who: str, reason: str) -> GateChanged:
        gate = self.gate
        closers = () if gate.open else ("engine" if who == "engine" else "shell",)
        return GateChanged(gate.open, gate.latched, closers, who, reason, gate.generation, self.now_ns)


def levels(best: int, step: int, count: int = 4, units: int = UNITS) -> tuple[Level, ...]:
    """Levels from the best price on."""
    return tuple((best + n * step, units) for n in range(count))


def two_symbols() -> tuple[Instrument, ...]:
    """The usual symbol and another."""
    return FREE, replace(FREE, symbol="ETHUSDT", base="ETH", lot_units=10_000)
