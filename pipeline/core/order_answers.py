"""What may come back for an order and what may be wrong with it; `orders.py` applies it.

A report is data from outside: it is believed as far as it can be, and a `Problem` names the rest.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pipeline.core.inputs import CancelRejected, ExecutionReport, SendFailed, SendRefused
from pipeline.core.order import Fill, Order
from pipeline.core.order_moves import LIVE_STATES, OrderEvent
from pipeline.core.types import OrderState

OrderAnswer = ExecutionReport | CancelRejected | SendRefused | SendFailed

STATUS_EVENTS = {
    OrderState.ACCEPTED: OrderEvent.ACCEPTED,
    OrderState.CANCELED: OrderEvent.CANCELED,
    OrderState.REJECTED: OrderEvent.REJECTED,
    OrderState.EXPIRED: OrderEvent.EXPIRED,
}
"""What a report's status alone does; the two fill states do nothing without a fill."""

_REPORTABLE = (*STATUS_EVENTS, OrderState.PARTIALLY_FILLED, OrderState.FILLED)


class Problem(enum.StrEnum):
    """What was wrong with an answer; the engine alerts on each, and halts where money is unclear."""

    FOREIGN = "FOREIGN"
    """No order of ours, or one so old that it was forgotten."""
    DUPLICATE_FILL = "DUPLICATE_FILL"
    ILLEGAL_MOVE = "ILLEGAL_MOVE"
    BAD_REPORT = "BAD_REPORT"
    """Numbers that cannot be: the order is UNKNOWN until the venue speaks sense."""
    OTHER_SYMBOL = "OTHER_SYMBOL"
    OVERFILLED = "OVERFILLED"
    """More filled than ordered; the fill counts, because the position is what it is."""
    FILLS_MISSING = "FILLS_MISSING"
    """The venue calls it filled, and the fills we saw do not add up to that."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one answer."""

    order: Order | None
    """None for a foreign one."""
    before: OrderState | None
    """State before; None for a foreign one."""
    fill: Fill | None = None
    problem: Problem | None = None

    @property
    def ended(self) -> bool:
        """Say whether this answer ended the order."""
        return self.order is not None and self.before in LIVE_STATES and not self.order.is_live

    @property
    def lost(self) -> bool:
        """Say whether this answer put the order in doubt."""
        unknown = OrderState.UNKNOWN
        return self.order is not None and self.order.state is unknown and self.before is not unknown


@dataclass(slots=True)
class OrderCounts:
    """Totals of the session."""

    sent: int = 0
    filled: int = 0
    """Orders that filled whole."""
    fills: int = 0
    canceled: int = 0
    rejected: int = 0
    expired: int = 0
    denied: int = 0
    refused_by_gate: int = 0
    became_unknown: int = 0
    foreign: int = 0
    duplicate_fills: int = 0
    illegal_moves: int = 0
    bad_reports: int = 0
    overfilled: int = 0
    fills_missing: int = 0
    cancel_refusals: int = 0
    forgotten_orders: int = 0
    """Ended orders that left the bounded history."""

    def add(self, counter: str) -> None:
        """Count one more of something, by the name of its field."""
        setattr(self, counter, getattr(self, counter) + 1)

    def add_ended(self, state: OrderState) -> None:
        """Count an order that ended."""
        self.add(_ENDED_COUNTER[state])

    def add_problem(self, problem: Problem) -> None:
        """Count an answer that had a problem."""
        self.add(_PROBLEM_COUNTER[problem])


_ENDED_COUNTER = {
    OrderState.FILLED: "filled",
    OrderState.CANCELED: "canceled",
    OrderState.REJECTED: "rejected",
    OrderState.EXPIRED: "expired",
    OrderState.DENIED: "refused_by_gate",
}
_PROBLEM_COUNTER = {
    Problem.FOREIGN: "foreign",
    Problem.DUPLICATE_FILL: "duplicate_fills",
    Problem.ILLEGAL_MOVE: "illegal_moves",
    Problem.BAD_REPORT: "bad_reports",
    Problem.OTHER_SYMBOL: "bad_reports",
    Problem.OVERFILLED: "overfilled",
    Problem.FILLS_MISSING: "fills_missing",
}


class SeenTrades:
    """The newest trade ids by symbol, so that a fill counts once; bounded, the oldest is forgotten first."""

    def __init__(self, bound: int) -> None:
        """Start empty; `bound` is how many ids are remembered over all symbols."""
        self._bound = bound
        self._seen: dict[tuple[str, int], None] = {}
        self.forgotten = 0

    def is_new(self, symbol: str, trade_id: int) -> bool:
        """Say whether a trade is seen for the first time, and remember it."""
        key = (symbol, trade_id)
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > self._bound:
            del self._seen[next(iter(self._seen))]
            self.forgotten += 1
        return True


def unbelievable(order: Order, report: ExecutionReport) -> Problem | None:
    """Say what makes a report impossible; None for one that can be."""
    if report.symbol != order.symbol:
        return Problem.OTHER_SYMBOL
    lots = report.filled_lots
    can_be = lots == 0 or (lots > 0 and report.fill_price_ticks > 0 and report.trade_id >= 0)
    return None if can_be and report.status in _REPORTABLE else Problem.BAD_REPORT
