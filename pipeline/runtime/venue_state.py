"""What the rooms of the order path share: the connection's phase, the orders, what the engine is to be told.

`venue_desk` is the way in, `venue_answers` takes what the venue says, `venue_rise` brings a new connection
up. The acts that several of them need are here: doubting, asking, cancelling.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.core.earlier import EarlierOrder, OrderFound
from pipeline.core.inputs import FrameRefused, Input
from pipeline.core.params import MS
from pipeline.core.types import Instrument
from pipeline.runtime.venue_line import Ask, RequestLine
from pipeline.runtime.venue_orders import TrackedOrder, VenueOrders
from pipeline.runtime.venue_params import VenueParams
from pipeline.runtime.venue_start import Reconciliation
from pipeline.wire.binance_answers import Unreadable

_CANCEL_AGAIN_MS = (50, 200, 500, 1_000, 2_000)
"""Wait before a cancel that came to nothing goes again, by how many did."""
OK = 200
"""Status of an answer with a result."""


class Phase(enum.Enum):
    """How far a connection has come."""

    DOWN = enum.auto()
    CLOCK = enum.auto()
    SUBSCRIBE = enum.auto()
    READ = enum.auto()
    """Lists of open orders."""
    ORDERS = enum.auto()
    """Each live order is being asked for."""
    ACCOUNT = enum.auto()
    """The account is compared with the books, once a session."""
    UP = enum.auto()


@dataclass(slots=True)
class VenueCounts:
    """What happened on the order path since the session began."""

    placed: int = 0
    cancels: int = 0
    asked: int = 0
    """Queries for single orders."""
    in_doubt: int = 0
    unreadable: int = 0
    foreign_reports: int = 0
    gate_refused: int = 0


@dataclass(slots=True, eq=False)
class VenueState:
    """Shared by the rooms; single-threaded."""

    params: VenueParams
    instruments: Mapping[str, Instrument]
    line: RequestLine
    orders: VenueOrders
    start: Reconciliation
    phase: Phase = Phase.DOWN
    trouble: str = ""
    """Why the connection is to be given up; its owner looks after each call."""
    reports: list[Input] = field(default_factory=list)
    counts: VenueCounts = field(default_factory=VenueCounts)
    time_due_ns: int = 0
    list_due_ns: int = 0
    account_due_ns: int = 0
    info_due_ns: int = 0

    @property
    def may_act(self) -> bool:
        """Say whether the connection has come so far that orders may be asked for and cancelled."""
        return self.phase in (Phase.ORDERS, Phase.ACCOUNT, Phase.UP)

    def venue_ns(self, now_ns: int) -> int:
        """Give the venue's time."""
        return self.line.clock.venue_ns(now_ns)

    def found(self, order: EarlierOrder, now_ns: int) -> TrackedOrder:
        """Take an order the venue shows that is ours by its id and in no books."""
        self.reports.append(OrderFound(order, now_ns))
        return self.orders.restore(order, now_ns)

    def doubt(self, order: TrackedOrder, reason: str, now_ns: int) -> None:
        """Note that nobody knows what the venue has of an order."""
        self.counts.in_doubt += not order.in_doubt
        self.reports += self.orders.doubt(order, reason, now_ns)

    def ask(self, order: TrackedOrder, now_ns: int) -> None:
        """Ask for an order."""
        self.counts.asked += 1
        self.orders.asked(order, now_ns)
        self.line.ask_order(order.symbol, order.client_order_id, now_ns)

    def ask_lists(self, now_ns: int) -> None:
        """Ask for the open orders of every symbol."""
        for symbol in self.instruments:
            if self.line.may(Ask.LIST, now_ns):
                self.line.ask_list(symbol, now_ns)

    def try_cancel(self, order: TrackedOrder, now_ns: int) -> None:
        """Send a cancel that is wanted, if the connection, its pace and the budget allow it now."""
        ready = self.may_act and not order.canceling and now_ns >= order.cancel_due_ns
        if ready and self.line.may(Ask.CANCEL, now_ns):
            order.canceling = True
            self.counts.cancels += 1
            self.line.cancel(order.symbol, order.client_order_id, now_ns)

    def cancel_failed(self, order: TrackedOrder, now_ns: int) -> None:
        """Ask what became of the order, and cancel again in a while: a cancel that failed proves nothing."""
        order.canceling = False
        wait_ms = _CANCEL_AGAIN_MS[min(order.cancel_tries, len(_CANCEL_AGAIN_MS) - 1)]
        order.cancel_tries += 1
        order.cancel_due_ns = now_ns + wait_ms * MS
        self.orders.ask_at(order, now_ns)

    def unreadable(self, message: Unreadable, now_ns: int) -> None:
        """Count a message nobody can believe, and tell of it."""
        self.counts.unreadable += 1
        self.reports.append(FrameRefused(message.reason, message.detail, now_ns))
