"""Orders and the permission they come from: no family of orders outgrows its parent (CONTROLS C9). Pure.

Counted at the last hop from what the checks approved and the venue ended, apart from the permit's own count:
Knight's children went on because the one count that stopped them had been moved.
"""

from __future__ import annotations

from pipeline.core.order import Order

MOST_FAMILIES = 1_024


class Families:
    """Lots approved under each permit, less those that ended unfilled."""

    def __init__(self) -> None:
        self._lots: dict[int, int] = {}

    def lots(self, permit_id: int) -> int:
        """Give open, filled and unknown lots of a permit's orders."""
        return self._lots.get(permit_id, 0)

    def on_approved(self, permit_id: int, lots: int) -> None:
        """Count an order that may go; of too many families the oldest is forgotten."""
        if not permit_id:
            return
        if permit_id not in self._lots and len(self._lots) >= MOST_FAMILIES:
            del self._lots[next(iter(self._lots))]
        self._lots[permit_id] = self._lots.get(permit_id, 0) + lots

    def on_ended(self, order: Order) -> None:
        """Give back what an ended order never filled."""
        permit_id = order.intent.permit_id
        if permit_id in self._lots:
            self._lots[permit_id] -= order.intent.qty_lots - order.filled_lots
