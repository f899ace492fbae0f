"""The last hop before a venue: the gate is read here, after the risk checks and right before each send.

`PaperGateway` hands orders to the pure paper venue (PAPER and REPLAY); `venue_gateway` to a venue with a
socket (SIM and LIVE). A closed gate refuses everything but a person's own reducing orders and cancels; the
refusal goes back to the engine as `SendRefused`, which proves that the order never left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pipeline.core.effects import CancelAccount, CancelAll, CancelOrder, SubmitOrder
from pipeline.core.inputs import CancelRejected, ExecutionReport, Input, SendRefused, Trade
from pipeline.core.sync import SyncedBook
from pipeline.core.types import OrderIntent, Origin
from pipeline.sim.paper import PaperVenue


class GateReader(Protocol):
    """What the gateway needs of the gate."""

    def is_open(self) -> bool:
        """Say whether no closer is set and no latch exists, now."""
        ...


class Gateway(Protocol):
    """Where a run's orders go, and where what becomes of them comes from."""

    @property
    def next_due_ns(self) -> int | None:
        """Give when there is something to report next; None while there is nothing."""
        ...

    @property
    def sent(self) -> int:
        """Give how many orders went out."""
        ...

    @property
    def refused(self) -> int:
        """Give how many orders a closed gate held back."""
        ...

    def submit(self, effect: SubmitOrder, now_ns: int) -> SendRefused | None:
        """Send an order, or give the proof that it did not leave."""
        ...

    def cancel(self, effect: CancelOrder, now_ns: int) -> None:
        """Cancel one order; a cancel passes every gate."""
        ...

    def cancel_all(self, effect: CancelAll, now_ns: int) -> None:
        """Cancel all our orders on a symbol; passes every gate."""
        ...

    def take_home(self, now_ns: int) -> None:
        """Take the account as it is found for home inventory, where there is an account."""
        ...

    def cancel_account(self, effect: CancelAccount, now_ns: int) -> None:
        """Cancel every order of the account, foreign ones too; passes every gate."""
        ...

    def due(self, now_ns: int) -> Sequence[Input]:
        """Take the reports up to a time."""
        ...

    def on_book(self, synced: SyncedBook, ts_ns: int) -> None:
        """Learn that a book or its touch changed."""
        ...

    def on_trade(self, trade: Trade) -> None:
        """Learn of a print."""
        ...

    def queue_ahead(self) -> dict[str, int]:
        """Give the size ahead of each of our resting orders, where it is known, by client order id."""
        ...


def passes_closed_gate(intent: OrderIntent) -> bool:
    """Say whether an order may leave through a closed gate: only what a person sends to shrink a position."""
    return intent.reduce_only and intent.origin in (Origin.FLATTEN, Origin.MANUAL)


class PaperGateway:
    """Orders to the paper venue, in virtual or real time given by the caller."""

    def __init__(self, venue: PaperVenue, gate: GateReader | None) -> None:
        self.venue = venue
        self._gate = gate
        self._sent = 0
        self._refused = 0

    @property
    def sent(self) -> int:
        """Give how many orders went out."""
        return self._sent

    @property
    def refused(self) -> int:
        """Give how many orders a closed gate held back."""
        return self._refused

    @property
    def next_due_ns(self) -> int | None:
        """Give when the venue has something to report next; None while it has nothing."""
        return self.venue.next_due_ns

    def submit(self, effect: SubmitOrder, now_ns: int) -> SendRefused | None:
        """Send an order, or give the refusal of a closed gate."""
        intent = effect.approved.intent
        if self._gate is not None and not self._gate.is_open() and not passes_closed_gate(intent):
            self._refused += 1
            return SendRefused(effect.approved.client_order_id, "GATE_CLOSED", now_ns)
        self._sent += 1
        self.venue.submit(effect, now_ns)
        return None

    def cancel(self, effect: CancelOrder, now_ns: int) -> None:
        """Cancel one order; a cancel passes every gate."""
        self.venue.cancel(effect, now_ns)

    def cancel_all(self, effect: CancelAll, now_ns: int) -> None:
        """Cancel all our orders on a symbol; passes every gate."""
        for client_order_id in self.venue.open_orders(effect.symbol):
            self.venue.cancel(
                CancelOrder(effect.symbol, client_order_id, effect.reason, effect.ts_ns), now_ns
            )

    def take_home(self, now_ns: int) -> None:
        """Need nothing: no paper session has one before it."""

    def cancel_account(self, effect: CancelAccount, now_ns: int) -> None:
        """Need nothing more: on paper there are no foreign orders, and ours are cancelled one by one."""

    def due(self, now_ns: int) -> list[ExecutionReport | CancelRejected]:
        """Take the venue's reports up to a time."""
        return self.venue.due(now_ns)

    def on_book(self, synced: SyncedBook, ts_ns: int) -> None:
        """Tell the venue that a book or its touch changed; a book that is not ok offers nothing."""
        book = synced.book if synced.is_synced else None
        self.venue.on_book(synced.instrument.symbol, book, ts_ns, synced.l1 if book is not None else None)

    def queue_ahead(self) -> dict[str, int]:
        """Give the size ahead of each of our resting orders, by client order id."""
        return {order: self.venue.queue_ahead(order) for order in self.venue.open_orders()}

    def on_trade(self, trade: Trade) -> None:
        """Tell the venue of a print."""
        self.venue.on_trade(trade)
