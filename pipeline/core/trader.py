"""From an answer of the model to orders, and from the venue's answers to positions.

Order of acts on each prediction: judge the answer, decide and size, move the card board, then let the
execution policy say what to do. What it wants becomes an order only through a permit and the risk checks.
"""

from __future__ import annotations

from msgspec.structs import replace

from pipeline.core.cards import CardEvent
from pipeline.core.decision import Decision
from pipeline.core.desk import SymbolDesk
from pipeline.core.effects import AlertCode, CancelOrder, CloseGate, SubmitOrder
from pipeline.core.execution import NEVER_NS, CancelWorking, PlaceEntry, PlaceExit, to_intent
from pipeline.core.fallback import fallback_answer, tempered, unusable
from pipeline.core.funnel import Stage
from pipeline.core.inference import Answer
from pipeline.core.inputs import ExecutionReport, PredictionReceived
from pipeline.core.order import Fill, Order
from pipeline.core.orders import OrderAnswer, Problem
from pipeline.core.permit import PermitKind, PermitRecord
from pipeline.core.rest import Rest, Seen, seen_now
from pipeline.core.state import EngineState
from pipeline.core.symbol_watch import Source
from pipeline.core.trader_view import execution_view, risk_context, wanted_entry
from pipeline.core.types import (
    DenyReason,
    OrderIntent,
    OrderState,
    Origin,
    RiskApproved,
    RiskDenied,
    Severity,
    TradingState,
)

_LEAST_STATE = {Origin.MODEL: TradingState.ACTIVE, Origin.EXIT: TradingState.REDUCING}
"""The lowest trading state an order may leave in; a person's orders are held by none."""

UNANSWERED_NS = 5_000_000_000
"""An order the venue has not answered for this long is UNKNOWN."""

_MONEY_UNCLEAR = (Problem.OTHER_SYMBOL, Problem.OVERFILLED)
"""The venue did something else than it was asked: nothing more may go until a person has looked."""

_PROBLEM_ALERTS = {
    Problem.FOREIGN: AlertCode.FILL_FOREIGN,
    Problem.DUPLICATE_FILL: AlertCode.FILL_DUPLICATE,
}


def _not_sent(reason: str) -> DenyReason:
    """Give why the last hop held an order back."""
    return DenyReason(reason) if reason in DenyReason.__members__ else DenyReason.GATE_CLOSED


class Trader:
    """The order side of the engine."""

    def __init__(self, state: EngineState) -> None:
        self._state = state
        self._rests = {symbol: Rest() for symbol in state.desks}

    # --- decisions ----------------------------------------------------------------------------------------

    def on_prediction(self, event: PredictionReceived) -> None:
        """Take a worker's answer."""
        state = self._state
        state.counters.predictions += 1
        desk = state.desks.get(event.symbol)
        epoch = desk.row_epoch if desk is not None else -1
        verdict, row = state.inference.answer(event, epoch)
        if desk is None or row is None or desk.decider is None:
            self._refused(event, verdict)
            return
        market = desk.market_state(state.aimed_lots(desk.symbol), event.ts_ns)
        if state.model_gate.good((event.p_down, event.p_flat, event.p_up), desk.touch_digest):
            self._model_stopped(event)
        watch = desk.watch
        watch.answered(event.feature_seq, event.p_down, event.p_flat, event.p_up)
        if watch.source is Source.FALLBACK:
            return
        decision = desk.decider.decide(tempered(event, watch), market, event.ts_ns - row.ts_ns, event.ts_ns)
        if watch.source is Source.NONE:
            decision = unusable(decision, watch)
        desk.decision = decision
        self._decided(desk, decision)
        self.work(desk, event.ts_ns)

    def on_row(self, desk: SymbolDesk, feature_seq: int, ts_ns: int) -> None:
        """Let queue imbalance answer a row at once, where it decides."""
        event = fallback_answer(desk, feature_seq, ts_ns)
        if event is None or desk.decider is None:
            return
        market = desk.market_state(self._state.aimed_lots(desk.symbol), ts_ns)
        desk.decision = decision = desk.decider.decide(event, market, 0, ts_ns)
        self._decided(desk, decision)
        self.work(desk, ts_ns)

    def _refused(self, event: PredictionReceived, verdict: Answer) -> None:
        if verdict is Answer.NOT_PROBABILITIES:
            self._state.out.alert(
                AlertCode.PREDICTION_REFUSED, Severity.WARN, event.ts_ns, event.symbol, verdict.value
            )
            if self._state.model_gate.bad(event.ts_ns):
                self._model_stopped(event)

    def _model_stopped(self, event: PredictionReceived) -> None:
        code, why = AlertCode.MODEL_STOPPED, self._state.model_gate.disabled
        self._state.out.alert(code, Severity.WARN, event.ts_ns, event.symbol, why)

    def _decided(self, desk: SymbolDesk, decision: Decision) -> None:
        state, now_ns = self._state, decision.ts_ns
        state.counters.decisions += 1
        state.counters.signals += decision.signal is not None
        desk.funnel.decided(decision)
        desk.outcomes.note(decision.score_e6, desk.mid_half_ticks, now_ns)
        if decision.reason is not None:
            state.permits.note(desk.symbol, decision.reason)
        may_offer = (
            state.trading_state is TradingState.ACTIVE
            and state.gate_open
            and not state.permits.waits_on(desk.symbol)
        )
        event = state.ideas.update(decision, now_ns, may_offer)
        idea = state.ideas.on_offer(desk.symbol) if event is not None else None
        if idea is not None:
            desk.watch.ideas.offered(idea, desk.mid_half_ticks, now_ns)
        if event is CardEvent.OFFERED:
            state.counters.ideas += 1
            desk.funnel.count(Stage.OFFERED, now_ns)

    # --- orders -------------------------------------------------------------------------------------------

    def work(self, desk: SymbolDesk, now_ns: int) -> None:
        """Let the execution policy say what to do on one symbol, and do what may be done."""
        self._work(desk, seen_now(self._state, desk), now_ns)

    def _work(self, desk: SymbolDesk, seen: Seen, now_ns: int) -> None:
        state, rest = self._state, self._rests[desk.symbol]
        held = state.orders.exposure(desk.symbol).orders or state.portfolio.position(desk.symbol).lots
        idle = not held and desk.policy.settled
        wanted = wanted_entry(state, desk, now_ns)
        if idle and wanted is None:
            rest.begin(seen, now_ns, NEVER_NS)
            return
        view = execution_view(state, desk, wanted)
        actions = desk.policy.plan(view, now_ns)
        rest.begin(seen, now_ns, now_ns if actions else desk.policy.next_look_ns(view, now_ns))
        for action in actions:
            match action:
                case CancelWorking() if state.spares_orders and not desk.flatten_who:
                    pass  # a person may leave them where they are
                case CancelWorking():
                    self.cancel(desk, action.client_order_id, action.reason, now_ns)
                case PlaceEntry():
                    self._enter(desk, to_intent(action, desk.symbol, now_ns), now_ns)
                case PlaceExit():
                    self.submit(desk, to_intent(action, desk.symbol, now_ns), now_ns)
        if desk.policy.dust:
            desk.flatten_who = ""

    def cancel(self, desk: SymbolDesk, client_order_id: str, reason: str, now_ns: int) -> None:
        """Ask the venue to cancel one order of ours, unless the cancel rate is used up just now."""
        state = self._state
        if not state.risk.allow_cancel(desk.symbol, now_ns):
            return
        if state.orders.cancel_asked(client_order_id, now_ns):
            state.out.put(CancelOrder(desk.symbol, client_order_id, reason, now_ns))
            order = state.orders.order(client_order_id)
            if state.kill is not None and order is not None:
                state.kill.on_cancel(order.number)

    def recall(self, desk: SymbolDesk, now_ns: int) -> None:
        """Take back what the trading state lets leave no more and may not have left: it may wait for a disk.

        Where there is no order path nothing waits.
        """
        state = self._state
        if not state.has_order_path:
            return
        for order in state.orders.live(desk.symbol):
            least = _LEAST_STATE.get(order.intent.origin, TradingState.KILLED)
            if order.state is OrderState.SUBMITTED and state.trading_state < least:
                self.cancel(desk, order.client_order_id, "NOT_ACTIVE", now_ns)

    def submit(self, desk: SymbolDesk, intent: OrderIntent, now_ns: int) -> bool:
        """Run the risk checks and send what they approve; False when they denied."""
        state = self._state
        verdict = state.risk.check(intent, risk_context(self._state, desk, intent, now_ns), now_ns)
        if isinstance(verdict, RiskDenied):
            self._denied(desk, verdict, now_ns)
            return False
        self._send(desk, verdict, now_ns)
        return True

    def _enter(self, desk: SymbolDesk, intent: OrderIntent, now_ns: int) -> None:
        state = self._state
        grant = state.permits.authorise(intent, state.aimed_lots(desk.symbol), now_ns)
        if isinstance(grant, DenyReason):
            return
        record = state.permits.find(grant.permit_id)
        idea_id = record.permit.idea_id if record is not None else 0
        self.submit(
            desk,
            replace(intent, permit_id=grant.permit_id, qty_lots=grant.qty_lots, idea_id=idea_id),
            now_ns,
        )

    def _send(self, desk: SymbolDesk, approved: RiskApproved, now_ns: int) -> None:
        state, intent = self._state, approved.intent
        if intent.permit_id:
            record = state.permits.consume(intent.permit_id, now_ns)
            desk.funnel.count(Stage.SENT, now_ns)
            desk.policy.adopt()
            if record.permit.kind is PermitKind.ONE_SHOT:
                state.portfolio.on_sent_after_press(record.permit.starts_ns, now_ns)
                self._permit_alert(AlertCode.PERMIT_USED, record, now_ns)
        if state.kill is not None:
            state.kill.on_sent(now_ns)
        state.out.put(SubmitOrder(approved, now_ns))

    def _denied(self, desk: SymbolDesk, denied: RiskDenied, now_ns: int) -> None:
        state = self._state
        state.orders.add_denied(denied, now_ns)
        state.permits.note(desk.symbol, denied.reason)
        if denied.reason is DenyReason.PARENT_EXCEEDED:
            state.out.put(CloseGate("orders beyond their permit", latch=True, ts_ns=now_ns))
        self._say_denied(desk, denied.reason, (denied.intent.qty_lots, denied.value, denied.limit), now_ns)

    def _say_denied(
        self, desk: SymbolDesk, reason: DenyReason, values: tuple[int, int, int], now_ns: int
    ) -> None:
        desk.funnel.stop(reason, now_ns)
        code = AlertCode.ORDER_DENIED
        self._state.out.alert(code, Severity.INFO, now_ns, desk.symbol, reason.value, values)

    # --- answers ------------------------------------------------------------------------------------------

    def on_answer(self, answer: OrderAnswer) -> None:
        """Take what the venue or the gateway says of an order."""
        state = self._state
        counts = state.orders.counts
        canceled, filled = counts.canceled, counts.filled
        applied = state.orders.apply(answer)
        if state.kill is not None and applied.order is not None:
            state.kill.on_counts(applied.order.number, counts.canceled - canceled, counts.filled - filled)
        state.risk.on_applied(applied)
        if applied.fill is not None:
            self._filled(applied.fill)
        if applied.problem is not None:
            self._problem(answer, applied.problem)
        order = applied.order
        if order is None:
            return
        desk = state.desks[order.symbol]
        if applied.lost and applied.problem is None:
            self._unknown(order, answer.ts_ns)
        if applied.ended and order.state is OrderState.REJECTED:
            code, symbol = AlertCode.ORDER_REJECTED, order.symbol
            state.out.alert(code, Severity.WARN, answer.ts_ns, symbol, order.reason, (order.number,))
        if applied.ended and order.state is OrderState.DENIED:
            self._say_denied(desk, _not_sent(order.reason), (order.intent.qty_lots, 0, 1), answer.ts_ns)
        self.work(desk, answer.ts_ns)

    def _filled(self, fill: Fill) -> None:
        state = self._state
        state.portfolio.on_fill(fill)
        state.start.on_fill(fill.symbol, fill.client_order_id, fill.side * fill.lots)
        desk = state.desks[fill.symbol]
        desk.fill_marks.append((fill.ts_ns, fill.side * fill.lots, fill.price_ticks))
        if state.portfolio.position(fill.symbol).lots == 0:
            desk.flatten_who = ""
        values = (fill.side * fill.lots, fill.price_ticks)
        state.out.alert(
            AlertCode.ORDER_FILLED, Severity.INFO, fill.ts_ns, fill.symbol, fill.client_order_id, values
        )

    def _problem(self, answer: OrderAnswer, problem: Problem) -> None:
        code = _PROBLEM_ALERTS.get(problem, AlertCode.ORDER_UNKNOWN)
        self._state.out.alert(
            code, Severity.CRITICAL, answer.ts_ns, "", f"{problem.value} {answer.client_order_id}"
        )
        if problem in _MONEY_UNCLEAR:
            self._state.out.put(CloseGate(f"order answer {problem.value}", latch=True, ts_ns=answer.ts_ns))
        elif problem is Problem.FOREIGN and isinstance(answer, ExecutionReport) and answer.filled_lots:
            self._state.out.put(CloseGate("fill of an order not ours", latch=False, ts_ns=answer.ts_ns))

    # --- time ---------------------------------------------------------------------------------------------

    def on_beat(self, desk: SymbolDesk, now_ns: int) -> None:
        """Let time pass: permits and cards end, entries age, exits come due."""
        state = self._state
        ended = state.permits.beat(desk.symbol, desk.book_ok, state.portfolio.day_quote_e8, now_ns)
        self.permits_ended(ended, now_ns)
        seen = seen_now(state, desk)
        if not self._rests[desk.symbol].holds(seen, now_ns):
            self._work(desk, seen, now_ns)

    def cards_beat(self, now_ns: int) -> None:
        """Let the card board's time pass."""
        for idea in self._state.ideas.beat(now_ns):
            self._state.desks[idea.symbol].funnel.count(Stage.LAPSED, now_ns)

    def unanswered(self, now_ns: int) -> None:
        """Turn orders nobody answers for to UNKNOWN."""
        state = self._state
        for order in state.orders.give_up_waiting(now_ns, UNANSWERED_NS):
            self._unknown(order, now_ns)

    def _unknown(self, order: Order, now_ns: int) -> None:
        """Say that nobody knows what the venue has of an order, and why."""
        detail = f"{order.reason} {order.client_order_id}"
        self._state.out.alert(AlertCode.ORDER_UNKNOWN, Severity.CRITICAL, now_ns, order.symbol, detail)

    def permits_ended(self, records: tuple[PermitRecord, ...], now_ns: int) -> None:
        """Say which permits ended and why."""
        for record in records:
            self._permit_alert(AlertCode.PERMIT_ENDED, record, now_ns)

    def _permit_alert(self, code: AlertCode, record: PermitRecord, now_ns: int) -> None:
        permit = record.permit
        values = (permit.permit_id, permit.idea_id, record.used)
        self._state.out.alert(code, Severity.INFO, now_ns, permit.symbol, record.why, values)
