"""Makes `SessionFacts` of one engine's run: told of each input after it was handled, then of its effects.

It only looks: the engine and its effects are the same with and without it. What changes later (orders,
permits, kills) is kept by reference and read at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.core.after_fill import HORIZONS_NS, AfterFillMoves
from pipeline.core.alerts import KEEP
from pipeline.core.effects import Alert, AlertCode, CancelOrder, Effect, RequestInference, SubmitOrder
from pipeline.core.engine import Engine
from pipeline.core.fact_checks import checks_passed
from pipeline.core.fact_watch import DenialWatch, KillWatch, PeakWatch
from pipeline.core.inputs import (
    Command,
    ExecutionReport,
    GateChanged,
    HeadLeft,
    HealthRead,
    Input,
    OperatorCommand,
    PredictionReceived,
    TimerBeat,
)
from pipeline.core.order import Order
from pipeline.core.params import SECOND
from pipeline.core.permit import PermitRecord
from pipeline.core.session_facts import (
    AfterFillFact,
    AlertFact,
    AnswerFact,
    CheckFact,
    CommandFact,
    EquityFact,
    FillFact,
    OrderFact,
    PermitFact,
    SessionFacts,
    StateFact,
)
from pipeline.core.types import TradingState


@dataclass(slots=True)
class _Sent:
    order: Order
    submit: SubmitOrder
    bid_ticks: int
    ask_ticks: int
    update_id: int
    worker_id: int
    row_ns: int
    checks: tuple[CheckFact, ...]


class FactCollector:
    """Looks at one engine: `observe` after each input, `effect` for each of its effects, `facts` last."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._state = engine.state
        self._symbols = engine.symbols
        self._started_ns = 0
        self._event: Input | None = None
        self._commands: list[CommandFact] = []
        self._permits: list[tuple[PermitRecord, int]] = []
        self._sent: dict[str, _Sent] = {}
        self._fills: list[FillFact] = []
        self._denials = DenialWatch(engine.state)
        self._kills = KillWatch(engine.state)
        self._peaks = PeakWatch(engine.state)
        self._alerts: list[Alert] = []
        self._noted: dict[int, tuple[str, int]] = {}
        self._states: list[StateFact] = []
        self._gates: list[GateChanged] = []
        self._equity: list[EquityFact] = []
        self._health: list[HealthRead] = []
        self._answers: list[AnswerFact] = []
        self._heads: list[HeadLeft] = []
        self._rows: dict[tuple[str, int], tuple[int, int]] = {}
        self._duplicates = self._foreign = self._fills_seen = 0
        self._second = self._answer_second = -1
        self._watchers: dict[type, Callable[[Any], None]] = {
            OperatorCommand: self._on_command,
            ExecutionReport: self._on_report,
            GateChanged: self._on_gate,
            TimerBeat: self._on_beat,
            HealthRead: self._health.append,
            HeadLeft: self._heads.append,
            PredictionReceived: self._on_answer,
        }
        self._takers: dict[type, Callable[[Any], None]] = {
            Alert: self._on_alert,
            SubmitOrder: self._on_submit,
            CancelOrder: self._on_cancel,
            RequestInference: self._on_row,
        }

    def observe(self, event: Input) -> None:
        """Look at the engine after an input, before its effects are told."""
        self._event = event
        if not self._started_ns:
            self._started_ns = self._state.now_ns
        watch = self._watchers.get(type(event))
        if watch is not None:
            watch(event)
        self._denials.look()

    def effect(self, effect: Effect) -> None:
        """Take one effect of the input seen last."""
        take = self._takers.get(type(effect))
        if take is not None:
            take(effect)

    def facts(self) -> SessionFacts:
        """Give what was seen so far."""
        state = self._state
        return SessionFacts(
            policy_hash=state.policy_hash,
            started_ns=self._started_ns,
            ended_ns=state.now_ns,
            commands=tuple(self._commands),
            permits=tuple(_permit_fact(record, place) for record, place in self._permits),
            orders=tuple(_order_fact(one) for one in self._sent.values()),
            fills=tuple(self._fills),
            denials=self._denials.facts(),
            stopped=dict(self._engine.counts()["denied"]),
            alerts=tuple(AlertFact(one, *self._noted.get(one.alert_id, ("", 0))) for one in self._alerts),
            states=tuple(self._states),
            gates=tuple(self._gates),
            kills=self._kills.facts(),
            equity=tuple(self._equity),
            peaks=self._peaks.facts(),
            health=tuple(self._health),
            answers=tuple(self._answers),
            after_fills=tuple(_after_fills(state.portfolio.after_fill)),
            heads=tuple(self._heads),
            duplicate_fills=self._duplicates,
            foreign_answers=self._foreign,
            counts=self._engine.counts(),
            position=self._engine.position_summary(),
        )

    # --- inputs -------------------------------------------------------------------------------------------

    def _on_command(self, command: OperatorCommand) -> None:
        state = self._state
        place = len(self._commands) + 1
        self._commands.append(
            CommandFact(place, command, state.last_answer, state.authority, state.trading_state)
        )
        if command.command is Command.NOTE_ALERT:
            for view in state.alerts.views(KEEP):
                if view.noted_by and view.alert_id not in self._noted:
                    self._noted[view.alert_id] = (view.noted_by, command.ts_ns)

    def _on_report(self, report: ExecutionReport) -> None:
        state = self._state
        order = state.orders.order(report.client_order_id)
        if order is None:
            self._foreign += 1
        elif report.filled_lots and state.orders.counts.fills == self._fills_seen:
            self._duplicates += 1
        elif report.filled_lots:
            self._fills.append(self._fill(order, report))
        self._fills_seen = state.orders.counts.fills
        self._peaks.look(report.ts_ns)

    def _fill(self, order: Order, report: ExecutionReport) -> FillFact:
        desk = self._state.desks[order.symbol]
        return FillFact(
            ts_ns=report.ts_ns,
            symbol=order.symbol,
            number=order.number,
            side=order.side,
            lots=report.filled_lots,
            price_ticks=report.fill_price_ticks,
            fee_quote_e8=report.fee_quote_e8,
            maker=report.maker,
            trade_id=report.trade_id,
            mid_half_ticks=desk.mid_half_ticks,
            position_lots=self._state.portfolio.position(order.symbol).lots,
            late=order.cancel_asked_ns >= 0 or order.unknown_ns >= 0,
        )

    def _on_gate(self, gate: GateChanged) -> None:
        self._gates.append(gate)
        self._kills.on_gate(gate)

    def _on_beat(self, beat: TimerBeat) -> None:
        self._kills.look()
        second = beat.ts_ns // SECOND
        if second == self._second:
            return
        self._second = second
        self._peaks.look(beat.ts_ns)
        portfolio = self._state.portfolio
        positions = [portfolio.position(symbol) for symbol in self._symbols]
        self._equity.append(
            EquityFact(
                ts_ns=beat.ts_ns,
                day_quote_e8=portfolio.day_quote_e8,
                fees_quote_e8=sum(one.fees_quote_e8 for one in positions),
                drawdown_quote_e8=portfolio.drawdown_quote_e8,
                gross_quote_e8=portfolio.gross_quote_e8,
                lots=tuple(one.lots for one in positions),
            )
        )

    def _on_answer(self, answer: PredictionReceived) -> None:
        key = (answer.symbol, answer.feature_seq)
        asked_ns, _ = self._rows.get(key, _NO_ROW)
        if asked_ns:
            self._rows[key] = (asked_ns, answer.worker_id)
        second = answer.ts_ns // SECOND
        if asked_ns and second != self._answer_second:
            self._answer_second = second
            worked_ns = answer.finished_ns - answer.started_ns
            self._answers.append(AnswerFact(asked_ns, worked_ns, answer.ts_ns - asked_ns))

    # --- effects ------------------------------------------------------------------------------------------

    def _on_row(self, row: RequestInference) -> None:
        if len(self._rows) >= _ROWS_KEPT:
            del self._rows[next(iter(self._rows))]
        self._rows[(row.symbol, row.feature_seq)] = (row.ts_ns, -1)

    def _on_submit(self, submit: SubmitOrder) -> None:
        approved = submit.approved
        symbol, seq = approved.intent.symbol, approved.intent.feature_seq
        order = self._state.orders.order(approved.client_order_id)
        if order is None:
            return
        synced = self._state.desks[symbol].synced
        bid, _, ask, _ = synced.l1
        row_ns, worker_id = self._rows.get((symbol, seq), _NO_ROW) if seq else _NO_ROW
        self._sent[approved.client_order_id] = _Sent(
            order=order,
            submit=submit,
            bid_ticks=bid if synced.is_synced else 0,
            ask_ticks=ask if synced.is_synced else 0,
            update_id=synced.last_update_id if synced.is_synced else 0,
            worker_id=worker_id,
            row_ns=row_ns,
            checks=checks_passed(self._state, approved.intent),
        )
        self._peaks.look(submit.ts_ns)

    def _on_cancel(self, cancel: CancelOrder) -> None:
        self._kills.on_cancel(cancel.ts_ns)

    def _on_alert(self, alert: Alert) -> None:
        self._alerts.append(alert)
        if alert.code is AlertCode.PERMIT_OPENED:
            record = self._state.permits.find(alert.values[0])
            if record is not None:
                by_person = isinstance(self._event, OperatorCommand)
                self._permits.append((record, len(self._commands) if by_person else 0))
        elif alert.code is AlertCode.TRADING_STATE_CHANGED:
            before, after = (TradingState(value) for value in alert.values)
            self._states.append(StateFact(alert.ts_ns, alert.detail, before, after))
        elif alert.code is AlertCode.ORDER_DENIED:
            self._denials.on_alert(alert)


_ROWS_KEPT = 4_096
_NO_ROW = (0, -1)


def _after_fills(moves: AfterFillMoves) -> Iterator[AfterFillFact]:
    for at, horizon_ns in enumerate(HORIZONS_NS):
        for maker in (False, True):
            count = moves.count(at, maker)
            mean_e6 = moves.mean_e6(at, maker) if count else 0
            yield AfterFillFact(horizon_ns, maker, count, mean_e6)


def _permit_fact(record: PermitRecord, place: int) -> PermitFact:
    end = record.end.value if record.end is not None else ""
    return PermitFact(record.permit, place, record.used, end, record.ended_ns)


def _order_fact(sent: _Sent) -> OrderFact:
    order = sent.order
    return OrderFact(
        number=order.number,
        client_order_id=order.client_order_id,
        intent=order.intent,
        policy_hash=sent.submit.approved.policy_hash,
        sent_ns=order.created_ns,
        bid_ticks=sent.bid_ticks,
        ask_ticks=sent.ask_ticks,
        update_id=sent.update_id,
        worker_id=sent.worker_id,
        row_ns=sent.row_ns,
        checks=sent.checks,
        answered_ns=order.first_answer_ns,
        ended_ns=order.ended_ns,
        state=order.state,
        filled_lots=order.filled_lots,
        fee_quote_e8=order.fee_quote_e8,
        reason=order.reason,
        cancel_asked_ns=order.cancel_asked_ns,
        unknown_ns=order.unknown_ns,
    )
