"""From an answer of the model to orders, and from the venue's answers to positions.

Order of acts on each prediction: judge the answer, decide and size, move the card board, then let the
execution policy say what to do. What it wants becomes an order only through a permit and the risk checks.
"""

from __future__ import annotations

from msgspec.structs import replace

from pipeline.core.cards import CardEvent, Idea
from pipeline.core.decision import Decision
from pipeline.core.desk import SymbolDesk
from pipeline.core.effects import AlertCode, CancelOrder, SubmitOrder
from pipeline.core.execution import (
    CancelWorking,
    ExecutionView,
    PlaceEntry,
    PlaceExit,
    WantedEntry,
    to_intent,
)
from pipeline.core.funnel import Stage
from pipeline.core.inference import Answer
from pipeline.core.inputs import PredictionReceived
from pipeline.core.order import Fill
from pipeline.core.orders import OrderAnswer, Problem
from pipeline.core.params import EntryStyle
from pipeline.core.permit import PermitEnd, PermitKind, PermitRecord
from pipeline.core.risk import PermitTerms, RiskContext
from pipeline.core.state import EngineState
from pipeline.core.types import (
    Authority,
    DenyReason,
    OrderIntent,
    OrderState,
    Origin,
    RiskApproved,
    RiskDenied,
    Severity,
    TradingState,
)

UNANSWERED_NS = 5_000_000_000
"""An order the venue has not answered for this long is UNKNOWN."""

_PROBLEM_ALERTS = {
    Problem.FOREIGN: AlertCode.FILL_FOREIGN,
    Problem.DUPLICATE_FILL: AlertCode.FILL_DUPLICATE,
}


class Trader:
    """The order side of the engine."""

    def __init__(self, state: EngineState) -> None:
        self._state = state

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
        decision = desk.decider.decide(event, market, event.ts_ns - row.ts_ns, event.ts_ns)
        desk.prediction, desk.decision = event, decision
        self._decided(desk, decision)
        self.work(desk, event.ts_ns)

    def _refused(self, event: PredictionReceived, verdict: Answer) -> None:
        if verdict is Answer.NOT_PROBABILITIES:
            self._state.out.alert(
                AlertCode.PREDICTION_REFUSED, Severity.WARN, event.ts_ns, event.symbol, verdict.value
            )

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
        if event is CardEvent.OFFERED:
            state.counters.ideas += 1
            desk.funnel.count(Stage.OFFERED, now_ns)

    # --- orders -------------------------------------------------------------------------------------------

    def work(self, desk: SymbolDesk, now_ns: int) -> None:
        """Let the execution policy say what to do on one symbol, and do what may be done."""
        state = self._state
        held = state.orders.exposure(desk.symbol).orders or state.portfolio.position(desk.symbol).lots
        idle = not held and desk.policy.settled
        wanted = self._wanted(desk, now_ns)
        if idle and wanted is None:
            return
        view = self._view(desk, wanted)
        for action in desk.policy.plan(view, now_ns):
            match action:
                case CancelWorking():
                    self.cancel(desk, action.client_order_id, action.reason, now_ns)
                case PlaceEntry():
                    self._enter(desk, to_intent(action, desk.symbol, now_ns), now_ns)
                case PlaceExit():
                    self.submit(desk, to_intent(action, desk.symbol, now_ns), now_ns)

    def cancel(self, desk: SymbolDesk, client_order_id: str, reason: str, now_ns: int) -> None:
        """Ask the venue to cancel one order of ours, unless the cancel rate is used up just now."""
        state = self._state
        if not state.risk.allow_cancel(desk.symbol, now_ns):
            return
        if state.orders.cancel_asked(client_order_id, now_ns):
            state.out.put(CancelOrder(desk.symbol, client_order_id, reason, now_ns))
            if state.kill is not None:
                state.kill.cancels_sent += 1

    def submit(self, desk: SymbolDesk, intent: OrderIntent, now_ns: int) -> bool:
        """Run the risk checks and send what they approve; False when they denied."""
        state = self._state
        verdict = state.risk.check(intent, self._context(desk, intent, now_ns), now_ns)
        if isinstance(verdict, RiskDenied):
            self._denied(desk, verdict, now_ns)
            return False
        self._send(desk, verdict, now_ns)
        return True

    def _view(self, desk: SymbolDesk, wanted: WantedEntry | None) -> ExecutionView:
        state = self._state
        position = state.portfolio.position(desk.symbol)
        bid_ticks, _, ask_ticks, _ = desk.synced.l1
        orders = state.orders.live(desk.symbol)
        flatten = bool(desk.flatten_who) and position.lots != 0
        return ExecutionView(
            trading_state=state.trading_state,
            book_ok=desk.book_ok,
            bid_ticks=bid_ticks,
            ask_ticks=ask_ticks,
            position_lots=position.lots,
            opened_ns=position.opened_ns,
            held_side=desk.decision.held_side if desk.decision is not None else None,
            wanted=wanted,
            orders=orders,
            withdraw=any(self._lost_permit(order.intent) for order in orders),
            flatten=flatten,
        )

    def _wanted(self, desk: SymbolDesk, now_ns: int) -> WantedEntry | None:
        """Give the entry of the newest decision while it is fresh and somebody's permit is open here."""
        state, decision = self._state, desk.decision
        if decision is None or decision.side is None or decision.qty_lots == 0:
            return None
        if (
            now_ns - decision.ts_ns > state.params.decision.max_row_age_ns
            or state.authority is Authority.OBSERVE
        ):
            return None
        if not any(record.permit.symbol == desk.symbol for record in state.permits.open_permits()):
            return None
        return WantedEntry(
            side=decision.side,
            qty_lots=decision.qty_lots,
            worst_ticks=decision.worst_ticks,
            style=EntryStyle.PASSIVE if decision.passive else EntryStyle.CROSS,
            permit_id=0,
            idea_id=0,
            feature_seq=decision.feature_seq,
            model_id=decision.model_id,
            generation=decision.generation,
            score_e6=decision.score_e6,
            edge_e6=decision.sized.net_edge_e6 if decision.sized is not None else 0,
        )

    def _lost_permit(self, intent: OrderIntent) -> bool:
        """Say whether a working entry's permit ended for another reason than that it was used."""
        if intent.origin is not Origin.MODEL:
            return False
        record = self._state.permits.find(intent.permit_id)
        return record is not None and record.end not in (None, PermitEnd.ORDERS)

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

    def _context(self, desk: SymbolDesk, intent: OrderIntent, now_ns: int) -> RiskContext:
        state = self._state
        bid_ticks, _, ask_ticks, _ = desk.synced.l1
        record = state.permits.find(intent.permit_id) if intent.permit_id else None
        return RiskContext(
            gate_open=state.gate_open,
            trading_state=state.trading_state,
            authority=state.authority,
            permit=_terms(record, desk) if record is not None and record.end is None else None,
            tradable=desk.tradable,
            book_state=desk.synced.state,
            book_age_ns=desk.book_age_ns(now_ns),
            bid_ticks=bid_ticks,
            ask_ticks=ask_ticks,
            last_ticks=desk.last_price_ticks,
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
        state.out.put(SubmitOrder(approved, now_ns))

    def _denied(self, desk: SymbolDesk, denied: RiskDenied, now_ns: int) -> None:
        state = self._state
        state.orders.add_denied(denied, now_ns)
        reason = denied.reason
        state.denied[reason.value] = state.denied.get(reason.value, 0) + 1
        desk.funnel.stop(reason, now_ns)
        state.permits.note(desk.symbol, reason)
        values = (denied.intent.qty_lots, denied.value, denied.limit)
        state.out.alert(AlertCode.ORDER_DENIED, Severity.INFO, now_ns, desk.symbol, reason.value, values)

    # --- answers ------------------------------------------------------------------------------------------

    def on_answer(self, answer: OrderAnswer) -> None:
        """Take what the venue or the gateway says of an order."""
        state = self._state
        applied = state.orders.apply(answer)
        state.risk.on_applied(applied)
        if applied.fill is not None:
            self._filled(applied.fill)
        if applied.problem is not None:
            self._problem(answer, applied.problem)
        order = applied.order
        if order is not None and applied.ended and order.state is OrderState.REJECTED:
            code, symbol = AlertCode.ORDER_REJECTED, order.symbol
            state.out.alert(code, Severity.WARN, answer.ts_ns, symbol, order.reason, (order.number,))
        desk = state.desks.get(order.symbol) if order is not None else None
        if desk is not None:
            self.work(desk, answer.ts_ns)

    def _filled(self, fill: Fill) -> None:
        state = self._state
        state.portfolio.on_fill(fill)
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

    # --- time ---------------------------------------------------------------------------------------------

    def on_beat(self, desk: SymbolDesk, now_ns: int) -> None:
        """Let time pass: permits and cards end, entries age, exits come due."""
        state = self._state
        ended = state.permits.beat(desk.symbol, desk.book_ok, state.portfolio.day_quote_e8, now_ns)
        self.permits_ended(ended, now_ns)
        self.work(desk, now_ns)

    def cards_beat(self, now_ns: int) -> None:
        """Let the card board's time pass."""
        for idea in self._state.ideas.beat(now_ns):
            self._lapsed(idea, now_ns)

    def unanswered(self, now_ns: int) -> None:
        """Turn orders nobody answers for to UNKNOWN."""
        state = self._state
        for order in state.orders.give_up_waiting(now_ns, UNANSWERED_NS):
            detail = f"NO_ANSWER {order.client_order_id}"
            state.out.alert(AlertCode.ORDER_UNKNOWN, Severity.CRITICAL, now_ns, order.symbol, detail)

    def permits_ended(self, records: tuple[PermitRecord, ...], now_ns: int) -> None:
        """Say which permits ended and why."""
        for record in records:
            if record.lapsed:
                self._state.desks[record.permit.symbol].funnel.count(Stage.LAPSED, now_ns)
            self._permit_alert(AlertCode.PERMIT_ENDED, record, now_ns)

    def _lapsed(self, idea: Idea, now_ns: int) -> None:
        desk = self._state.desks.get(idea.symbol)
        if desk is not None:
            desk.funnel.count(Stage.LAPSED, now_ns)

    def _permit_alert(self, code: AlertCode, record: PermitRecord, now_ns: int) -> None:
        permit = record.permit
        values = (permit.permit_id, permit.idea_id, record.used)
        self._state.out.alert(code, Severity.INFO, now_ns, permit.symbol, record.why, values)


def _terms(record: PermitRecord, desk: SymbolDesk) -> PermitTerms:
    permit = record.permit
    left = permit.max_orders - record.used if permit.max_orders else 1
    most = desk.limits.max_qty_lots if desk.limits is not None else 0
    return PermitTerms(
        permit_id=permit.permit_id,
        sides=permit.sides,
        max_order_lots=permit.max_order_lots,
        orders_left=left,
        max_net_lots=permit.max_net_lots or max(most, 1) * 1_000_000,
        lowest_ticks=permit.lowest_ticks,
        highest_ticks=permit.highest_ticks,
        ends_ns=permit.ends_ns or 2**62,
        model_id=permit.model_id,
        generation=permit.generation,
    )
