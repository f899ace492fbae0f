"""What stands in the way of every order: the risk checks together, a journal append, the gate."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from msgspec.structs import replace

from app.bench_replay import bench_session
from app.bench_report import Budget, Row
from app.bench_tools import BenchError, Plan, top_functions
from pipeline import __version__
from pipeline.core.inputs import ExecutionReport
from pipeline.core.orders import OrderStore
from pipeline.core.params import EngineParams
from pipeline.core.portfolio import Portfolio
from pipeline.core.risk import RiskContext, RiskEngine
from pipeline.core.types import (
    Authority,
    BookState,
    OrderIntent,
    OrderState,
    OrderType,
    Origin,
    RiskApproved,
    Side,
    TradingState,
)
from pipeline.runtime.capture import open_capture
from pipeline.runtime.gate import Gate
from pipeline.runtime.journal import JournalWriter
from pipeline.runtime.journal_format import JournalHeader, RecordKind

CHECKS_BUDGET_US = Budget(50.0)
ORDER_GAP_NS = 2_000_000_000
START_NS = 1_700_000_000_000_000_000
BATCH = 200


def measure(plan: Plan) -> list[Row]:
    """Measure each part by itself, hot."""
    params = bench_session(plan).params
    return [_checks(plan, params), _journal(plan, params), _gate(plan)]


class RiskDesk:
    """Order store, portfolio and risk engine of one symbol at a standing market."""

    def __init__(self, params: EngineParams) -> None:
        self._instrument = params.instruments[0]
        self._bid = 6_000_000
        self._orders = OrderStore(session_number=1)
        self._portfolio = Portfolio((self._instrument,), params.home_base_e8, params.balance_quote_e8)
        limits = {self._instrument.symbol: params.limits[self._instrument.symbol]}
        self._risk = RiskEngine(limits, self._orders, self._portfolio, params.digest())
        self._portfolio.on_mark(self._instrument.symbol, self._bid, self._bid + 1)
        self._context = RiskContext(
            gate_open=True,
            trading_state=TradingState.ACTIVE,
            authority=Authority.AUTO,
            permit=None,
            tradable=True,
            book_state=BookState.SYNCED,
            book_age_ns=1_000_000,
            bid_ticks=self._bid,
            ask_ticks=self._bid + 1,
            last_ticks=self._bid,
        )
        self._intent = self._first_intent()
        self._sent = 0

    def check_ns(self) -> int:
        """Let one more order through every check, end it again; give the nanoseconds of the checks alone."""
        self._sent += 1
        now_ns = START_NS + self._sent * ORDER_GAP_NS
        intent = replace(self._intent, feature_seq=self._sent, price_ticks=self._bid - self._sent % 7)
        started_ns = time.perf_counter_ns()
        verdict = self._risk.check(intent, self._context, now_ns)
        took_ns = time.perf_counter_ns() - started_ns
        if not isinstance(verdict, RiskApproved):
            raise BenchError(f"an order was denied: {verdict.reason.value}")
        self._risk.on_applied(self._orders.apply(self._expired(verdict.client_order_id, now_ns)))
        return took_ns

    def _first_intent(self) -> OrderIntent:
        instrument = self._instrument
        lot_quote_e8 = max(1, instrument.notional_quote_e8(self._bid, 1))
        return OrderIntent(
            symbol=instrument.symbol,
            side=Side.BUY,
            qty_lots=2 * instrument.min_notional_quote_e8 // lot_quote_e8 + 1,
            price_ticks=self._bid,
            order_type=OrderType.POST_ONLY,
            reduce_only=False,
            origin=Origin.MODEL,
            permit_id=0,
            idea_id=0,
            feature_seq=0,
            model_id="bench",
            generation=1,
            score_e6=300_000,
            edge_e6=5,
            ts_ns=START_NS,
        )

    def _expired(self, client_order_id: str, now_ns: int) -> ExecutionReport:
        return ExecutionReport(
            symbol=self._instrument.symbol,
            client_order_id=client_order_id,
            venue_order_id=self._sent,
            status=OrderState.EXPIRED,
            trade_id=-1,
            filled_lots=0,
            fill_price_ticks=0,
            fee_quote_e8=0,
            maker=False,
            reason="",
            ts_event_ns=now_ns,
            ts_ns=now_ns,
        )


def _checks(plan: Plan, params: EngineParams) -> Row:
    desk = RiskDesk(params)
    took_us = [desk.check_ns() / 1e3 for _ in range(plan.of(5_000, 1_000))]
    middle = statistics.median(took_us)
    profile = ""
    if middle > CHECKS_BUDGET_US.limit:
        profile = top_functions(lambda: [desk.check_ns() for _ in range(BATCH)])
    note = f"approved orders, {len(took_us):,} of them, with their reservation"
    return Row("pre-trade checks together, p50", "us", middle, CHECKS_BUDGET_US, note, profile)


def _journal(plan: Plan, params: EngineParams) -> Row:
    folder = plan.home / "bench-journal"
    folder.mkdir(mode=0o700)
    header = JournalHeader("bench", __version__, START_NS, params)
    journal = JournalWriter.create(folder, header, pack=False)
    frames = [frame.payload for _, frame in zip(range(2_000), open_capture(plan.captures[:1]), strict=False)]
    size = sum(map(len, frames)) / len(frames)

    def append_all() -> None:
        for number, payload in enumerate(frames):
            journal.append(RecordKind.FRAME, START_NS + number * 1_000_000, payload)

    took_us = [_batch_us(append_all, len(frames)) for _ in range(plan.of(7, 3))]
    state = journal.state
    journal.close()
    note = f"frames of {size:.0f} bytes, mapped segment; journal {state.value}"
    return Row("journal append", "us", statistics.median(took_us), note=note)


def _gate(plan: Plan) -> Row:
    folder = plan.home / "bench-gate"
    folder.mkdir(mode=0o700)
    gate = Gate.create(folder)

    def look() -> None:
        for _ in range(BATCH):
            gate.is_open()

    took_us = [_batch_us(look, BATCH) for _ in range(plan.of(50, 10))]
    gate.detach()
    return Row("gate.is_open, before each send", "us", statistics.median(took_us), note="with its latch file")


def _batch_us(run: Callable[[], None], count: int) -> float:
    started_ns = time.perf_counter_ns()
    run()
    return (time.perf_counter_ns() - started_ns) / 1e3 / count
