"""Our orders: what we sent, what the venue said of it, and the exposure that may come of it.

`OrderStore` applies reports totally: whatever a venue says is data, and what it may not say is counted and
handed back as a `Problem` for the engine to alert on. The position is made of fills alone, and fills are
taken once by (symbol, trade id). UNKNOWN orders count as if they could still fill whole.
"""

from __future__ import annotations

from collections import deque
from typing import assert_never

from pipeline.core.earlier import EarlierOrder
from pipeline.core.inputs import CancelRejected, ExecutionReport, SendFailed, SendRefused
from pipeline.core.order import Exposure, Fill, Order, client_order_id
from pipeline.core.order_answers import (
    STATUS_EVENTS,
    Applied,
    OrderAnswer,
    OrderCounts,
    Problem,
    SeenTrades,
    unbelievable,
)
from pipeline.core.order_moves import LIVE_STATES, MOVES, OrderEvent
from pipeline.core.types import OrderIntent, OrderState, Origin, RiskApproved, RiskDenied, Side

__all__ = [
    "Applied",
    "Exposure",
    "Fill",
    "Order",
    "OrderAnswer",
    "OrderCounts",
    "OrderStore",
    "Problem",
    "client_order_id",
]

MAX_CANCEL_REFUSALS = 5
"""After this many refused cancels nobody knows what the venue has: the order is UNKNOWN."""

NO_EXPOSURE = Exposure()


class OrderStore:
    """Every order of one session, by client order id; live ones for ever, ended ones while there is room."""

    def __init__(self, session_number: int, history: int = 512, trade_ids: int = 8_192) -> None:
        """Start empty.

        `history` bounds the ended orders kept, `trade_ids` the fills remembered against duplicates; what
        falls out is counted. Live orders are bounded by the risk limits.
        """
        self.counts = OrderCounts()
        self.changes = 0
        """Rises with everything that may change a live order."""
        self._session_number = session_number
        self._history = history
        self._ids_given = 0
        self._numbers = 0
        self._orders: dict[str, Order] = {}
        self._live: dict[str, dict[str, Order]] = {}
        self._exposure: dict[str, Exposure] = {}
        self._ended: deque[Order] = deque()
        self._trades = SeenTrades(trade_ids)

    def order(self, client_id: str) -> Order | None:
        """Give an order by its client id; None for a foreign or forgotten one."""
        return self._orders.get(client_id)

    def live(self, symbol: str) -> tuple[Order, ...]:
        """Give the live orders of a symbol, oldest first."""
        return tuple(self._live.get(symbol, {}).values())

    def all_live(self) -> tuple[Order, ...]:
        """Give every live order, symbol by symbol."""
        return tuple(order for by_id in self._live.values() for order in by_id.values())

    def recent(self, limit: int) -> tuple[Order, ...]:
        """Give the newest orders first, live, ended and denied, at most `limit`."""
        newest = sorted((*self.all_live(), *self._ended), key=lambda order: -order.number)
        return tuple(newest[:limit])

    @property
    def newest_ended(self) -> Order | None:
        """Give the order that ended or was denied last; None before the first."""
        return self._ended[-1] if self._ended else None

    def exposure(self, symbol: str) -> Exposure:
        """Give what the live orders of a symbol may still do."""
        return self._exposure.get(symbol, NO_EXPOSURE)

    @property
    def newest_number(self) -> int:
        """Give the number of the newest order, sent or denied; 0 before the first."""
        return self._numbers

    @property
    def open_orders(self) -> int:
        """Give the number of live orders over all symbols."""
        return sum(exposure.orders for exposure in self._exposure.values())

    @property
    def unknown_orders(self) -> int:
        """Give how many live orders are UNKNOWN now."""
        return sum(exposure.unknown for exposure in self._exposure.values())

    def unknown_since_ns(self) -> int:
        """Give since when the order longest UNKNOWN is so; -1 while none is."""
        since = [one.unknown_ns for one in self.all_live() if one.state is OrderState.UNKNOWN]
        return min(since, default=-1)

    def next_client_order_id(self) -> str:
        """Give an id no order of this session had before."""
        self._ids_given += 1
        return client_order_id(self._session_number, self._ids_given)

    def add(self, approved: RiskApproved, now_ns: int) -> Order:
        """Take an approved order as sent; from here its quantity is exposure.

        Raises:
            ValueError: the client id was used before, which would let one order hide another.
        """
        client_id = approved.client_order_id
        if client_id in self._orders:
            raise ValueError(f"client order id {client_id} was used before")
        order = self._new(approved.intent, client_id, now_ns)
        self._orders[client_id] = order
        self._live.setdefault(order.symbol, {})[client_id] = order
        self.counts.sent += 1
        self._move(order, OrderEvent.SENT, now_ns)
        return order

    def restore(self, earlier: EarlierOrder, now_ns: int) -> None:
        """Take an order of an earlier session as live and UNKNOWN: whether the venue has it is to be learnt.

        Nobody's rule works on it any more, so it counts as a person's.
        """
        client_id = earlier.client_order_id
        if client_id in self._orders:
            return
        order = self._new(_intent_of(earlier), client_id, earlier.sent_ns)
        order.venue_order_id = earlier.venue_order_id
        order.filled_lots, order.filled_tick_lots = earlier.filled_lots, earlier.filled_tick_lots
        order.state, order.reason, order.unknown_ns = OrderState.UNKNOWN, "EARLIER", now_ns
        for trade_id in earlier.trades:
            self._trades.is_new(earlier.symbol, trade_id)
        self._orders[client_id] = order
        self._live.setdefault(order.symbol, {})[client_id] = order
        self.changes += 1
        self._refresh(order.symbol)

    def add_denied(self, denied: RiskDenied, now_ns: int) -> Order:
        """Note an order our own risk denied, for the blotter; a repeat of the newest is counted on it."""
        self.counts.denied += 1
        last = self._ended[-1] if self._ended else None
        if last is not None and _says_the_same(last, denied):
            last.repeats += 1
            last.ended_ns = now_ns
            return last
        order = self._new(denied.intent, "", now_ns)
        order.reason = denied.reason
        order.state = MOVES[order.state][OrderEvent.DENIED]
        order.ended_ns = now_ns
        self._remember_ended(order)
        return order

    def cancel_asked(self, client_id: str, now_ns: int) -> bool:
        """Note that a cancel is being sent; False (and nothing noted) when there is nothing to cancel."""
        order = self._orders.get(client_id)
        if order is None or not order.is_live:
            return False
        order.cancel_asked_ns = now_ns
        self._move(order, OrderEvent.CANCEL_ASKED, now_ns)
        return True

    def give_up_waiting(self, now_ns: int, after_ns: int) -> list[Order]:
        """Turn orders the venue has not answered for `after_ns` to UNKNOWN, and give them."""
        lost = [
            order
            for order in self.all_live()
            if order.first_answer_ns < 0
            and order.state is not OrderState.UNKNOWN
            and now_ns - order.created_ns >= after_ns
        ]
        for order in lost:
            order.reason = "NO_ANSWER"
            self._move(order, OrderEvent.LOST, now_ns)
        return lost

    def apply(self, answer: OrderAnswer) -> Applied:
        """Take any answer of the venue or the gateway; never raises on what it says."""
        order = self._orders.get(answer.client_order_id)
        self.changes += 1
        if order is None:
            return self._outcome(Applied(None, None, problem=Problem.FOREIGN))
        before, fill = order.state, None
        match answer:
            case ExecutionReport():
                fill, problem = self._apply_report(order, answer)
            case CancelRejected():
                problem = self._apply_cancel_rejected(order, answer)
            case SendRefused():
                problem = self._move(order, OrderEvent.SEND_REFUSED, answer.ts_ns, answer.reason)
            case SendFailed():
                problem = self._apply_send_failed(order, answer)
            case _:
                assert_never(answer)
        return self._outcome(Applied(order, before, fill, problem))

    def _outcome(self, applied: Applied) -> Applied:
        if applied.problem is not None:
            self.counts.add_problem(applied.problem)
        return applied

    def _apply_report(self, order: Order, report: ExecutionReport) -> tuple[Fill | None, Problem | None]:
        problem = unbelievable(order, report)
        if problem is not None:
            self._lose(order, report.ts_ns, problem)
            return None, problem
        if order.first_answer_ns < 0:
            order.first_answer_ns = report.ts_ns
        if report.venue_order_id:
            order.venue_order_id = report.venue_order_id
        if report.filled_lots == 0:
            return None, self._apply_status(order, report)
        if not self._trades.is_new(report.symbol, report.trade_id):
            return None, Problem.DUPLICATE_FILL
        fill = self._take_fill(order, report)
        whole = order.filled_lots >= order.intent.qty_lots
        event = OrderEvent.WHOLE_FILLED if whole else OrderEvent.PART_FILLED
        problem = self._move(order, event, report.ts_ns)
        if order.filled_lots > order.intent.qty_lots:
            problem = Problem.OVERFILLED
        elif not whole and problem is None:
            problem = self._apply_status(order, report)
        return fill, problem

    def _apply_status(self, order: Order, report: ExecutionReport) -> Problem | None:
        """Apply what a report says beyond its fill: a plain state change, or the end after a last fill."""
        event = STATUS_EVENTS.get(report.status)
        if event is not None:
            if event is OrderEvent.ACCEPTED and order.filled_lots:
                if order.state is not OrderState.UNKNOWN:
                    return None
                event = OrderEvent.PART_FILLED  # the venue has it, and has told all its fills
            return self._move(order, event, report.ts_ns, report.reason)
        if report.status is OrderState.FILLED and order.filled_lots < order.intent.qty_lots:
            self._lose(order, report.ts_ns, Problem.FILLS_MISSING)
            return Problem.FILLS_MISSING
        return None

    def _apply_cancel_rejected(self, order: Order, answer: CancelRejected) -> Problem | None:
        self.counts.cancel_refusals += 1
        order.cancel_refusals += 1
        unheard = order.first_answer_ns < 0
        if order.is_live and (unheard or order.cancel_refusals >= MAX_CANCEL_REFUSALS):
            return self._move(order, OrderEvent.LOST, answer.ts_ns, answer.reason)
        part = order.filled_lots > 0
        event = OrderEvent.CANCEL_REFUSED_PART if part else OrderEvent.CANCEL_REFUSED
        return self._move(order, event, answer.ts_ns)

    def _apply_send_failed(self, order: Order, answer: SendFailed) -> Problem | None:
        if order.first_answer_ns >= 0:
            return None  # The venue has spoken of it since: it has the order, or had it.
        return self._move(order, OrderEvent.LOST, answer.ts_ns, answer.reason)

    def _lose(self, order: Order, ts_ns: int, why: Problem) -> None:
        if order.is_live:
            self._move(order, OrderEvent.LOST, ts_ns, why)

    def _take_fill(self, order: Order, report: ExecutionReport) -> Fill:
        self.counts.fills += 1
        order.filled_lots += report.filled_lots
        order.filled_tick_lots += report.filled_lots * report.fill_price_ticks
        order.fee_quote_e8 += report.fee_quote_e8
        return Fill(
            symbol=order.symbol,
            side=order.side,
            lots=report.filled_lots,
            price_ticks=report.fill_price_ticks,
            fee_quote_e8=report.fee_quote_e8,
            maker=report.maker,
            trade_id=report.trade_id,
            client_order_id=order.client_order_id,
            origin=order.intent.origin,
            permit_id=order.intent.permit_id,
            idea_id=order.intent.idea_id,
            ts_ns=report.ts_ns,
        )

    def _new(self, intent: OrderIntent, client_id: str, now_ns: int) -> Order:
        self._numbers += 1
        return Order(self._numbers, client_id, intent, OrderState.INITIALIZED, now_ns)

    def _move(self, order: Order, event: OrderEvent, ts_ns: int, reason: str = "") -> Problem | None:
        self.changes += 1
        target = MOVES[order.state].get(event)
        if target is None:
            return Problem.ILLEGAL_MOVE
        before = order.state
        order.state = target
        if reason:
            order.reason = reason
        if target is OrderState.UNKNOWN and before is not target:
            self.counts.became_unknown += 1
            order.unknown_ns = ts_ns
        if before in LIVE_STATES and target not in LIVE_STATES:
            self._end(order, ts_ns)
        elif target is OrderState.FILLED and before is not target:
            self.counts.filled += 1
        self._refresh(order.symbol)
        return None

    def _end(self, order: Order, ts_ns: int) -> None:
        self.counts.add_ended(order.state)
        order.ended_ns = ts_ns
        del self._live[order.symbol][order.client_order_id]
        self._remember_ended(order)

    def _remember_ended(self, order: Order) -> None:
        self._ended.append(order)
        if len(self._ended) > self._history:
            oldest = self._ended.popleft()
            self._orders.pop(oldest.client_order_id, None)
            self.counts.forgotten_orders += 1

    def _refresh(self, symbol: str) -> None:
        """Sum the few live orders of one symbol anew; exact by construction."""
        buys = sells = buy_tick_lots = sell_tick_lots = unknown = 0
        live = self._live[symbol].values()
        for order in live:
            lots = order.leaves_lots
            if order.side is Side.BUY:
                buys += lots
                buy_tick_lots += lots * order.intent.price_ticks
            else:
                sells += lots
                sell_tick_lots += lots * order.intent.price_ticks
            unknown += order.state is OrderState.UNKNOWN
        self._exposure[symbol] = Exposure(buys, sells, buy_tick_lots, sell_tick_lots, len(live), unknown)


def _intent_of(earlier: EarlierOrder) -> OrderIntent:
    return OrderIntent(
        symbol=earlier.symbol,
        side=earlier.side,
        qty_lots=earlier.qty_lots,
        price_ticks=earlier.price_ticks,
        order_type=earlier.order_type,
        reduce_only=False,
        origin=Origin.MANUAL,
        permit_id=0,
        idea_id=0,
        feature_seq=0,
        model_id="",
        generation=0,
        score_e6=0,
        edge_e6=0,
        ts_ns=earlier.sent_ns,
    )


def _says_the_same(last: Order, denied: RiskDenied) -> bool:
    return (
        last.state is OrderState.DENIED
        and not last.client_order_id
        and last.reason == denied.reason
        and last.symbol == denied.intent.symbol
        and last.side is denied.intent.side
    )
