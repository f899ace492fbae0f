"""Our resting orders and the queue they wait in: prints move it, nothing else does.

An order joins behind the whole size displayed at its price when it arrives. Prints against that price use the
queue up; what is left of a print beyond it fills us, in whole lots. A print through the price has left the
queue behind; it fills us by no more than its own size. The touch alone never fills.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.inputs import Trade
from pipeline.core.types import Instrument, OrderIntent, Side


@dataclass(slots=True)
class RestingOrder:
    """One order of ours in the paper book."""

    instrument: Instrument
    intent: OrderIntent
    client_order_id: str
    venue_order_id: int
    queue_ahead_units: int
    filled_lots: int = 0

    @property
    def leaves_lots(self) -> int:
        """Give what is still open, in lots."""
        return self.intent.qty_lots - self.filled_lots


def fills_of_print(orders: list[RestingOrder], trade: Trade) -> list[tuple[RestingOrder, int]]:
    """Give (order, lots) a print fills, and move the queues; the orders themselves are filled by the caller.

    `orders` are those of the print's symbol in order of arrival; better prices are met first. Together they
    fill no more than was printed.
    """
    fills: list[tuple[RestingOrder, int]] = []
    left_units = trade.size_units
    for order in sorted(orders, key=lambda order: -order.intent.side * order.intent.price_ticks):
        beyond = order.intent.side * (order.intent.price_ticks - trade.price_ticks)
        against = trade.aggressor_side is not order.intent.side
        if beyond < 0 or (beyond == 0 and not against):
            continue
        if beyond > 0:
            order.queue_ahead_units = 0
        queued = min(order.queue_ahead_units, left_units)
        order.queue_ahead_units -= queued
        lots = min(order.leaves_lots, (left_units - queued) // order.instrument.lot_units)
        if lots > 0:
            left_units -= lots * order.instrument.lot_units
            fills.append((order, lots))
    return fills


def queue_at_arrival(side: Side, price_ticks: int, displayed_units: int, ours: list[RestingOrder]) -> int:
    """Give the size ahead of an order that arrives now: all that is displayed at its price.

    Cancels do not move a queue, so an earlier order of ours may still count more ahead of it than is
    displayed by now; a later one never overtakes it.
    """
    earlier = [
        order.queue_ahead_units
        for order in ours
        if order.intent.side is side and order.intent.price_ticks == price_ticks
    ]
    return max(displayed_units, *earlier, 0)
