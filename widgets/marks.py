"""How the state of an order, an axis or a book looks: mark, role and word, in one table each.

The order states are the table of the order's life on screen: mark (a letter or sign that is enough without
colour) and role.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.core.snapshot import LadderView
from pipeline.core.types import Authority, BookState, OrderState, Side, TradingState, WorkerState
from widgets.cells import rounded
from widgets.times import age_text

IDEA_MARK = ("?", "waiting")
PERMITTED_MARK = (">", "waiting")

ORDER_MARKS: Mapping[str, tuple[str, str]] = {
    OrderState.INITIALIZED: (">", "waiting"),
    OrderState.DENIED: ("!", "refused"),
    OrderState.SUBMITTED: ("…", "sent"),
    OrderState.ACCEPTED: ("=", "working"),
    OrderState.PARTIALLY_FILLED: ("%", "partial"),
    OrderState.FILLED: ("*", "bid-strong"),
    OrderState.PENDING_CANCEL: ("~", "cancelling"),
    OrderState.CANCELED: ("-", "gone"),
    OrderState.REJECTED: ("!", "refused"),
    OrderState.EXPIRED: ("-", "gone"),
    OrderState.UNKNOWN: ("??", "unknown"),
}
"""Mark and role of every order state; a fill takes the colour of its side (`order_mark`)."""

ORDER_WORDS: Mapping[str, str] = {
    OrderState.INITIALIZED: "not sent",
    OrderState.DENIED: "denied",
    OrderState.SUBMITTED: "sent",
    OrderState.ACCEPTED: "working",
    OrderState.PARTIALLY_FILLED: "partial",
    OrderState.FILLED: "filled",
    OrderState.PENDING_CANCEL: "cancel asked",
    OrderState.CANCELED: "cancelled",
    OrderState.REJECTED: "rejected",
    OrderState.EXPIRED: "expired",
    OrderState.UNKNOWN: "UNKNOWN",
}

WORKING = (
    OrderState.SUBMITTED,
    OrderState.ACCEPTED,
    OrderState.PARTIALLY_FILLED,
    OrderState.PENDING_CANCEL,
    OrderState.UNKNOWN,
)
"""States in which an order may still fill."""

BOOK_WORDS: Mapping[str, str] = {
    BookState.EMPTY: "NO BOOK YET",
    BookState.SYNCING: "SYNCING",
    BookState.SYNCED: "ok",
    BookState.GAP: "GAP",
    BookState.CHECKSUM: "CHECKSUM",
    BookState.CROSSED: "CROSSED",
    BookState.STALE: "STALE",
    BookState.SUSPENDED: "VENUE SUSPENDED",
}

AUTHORITY_ROLES: Mapping[int, str] = {
    Authority.OBSERVE: "dim",
    Authority.APPROVE: "bright",
    Authority.AUTO: "warn",
}

STATE_ROLES: Mapping[int, str] = {
    TradingState.KILLED: "kill",
    TradingState.HALTED: "halt",
    TradingState.REDUCING: "overprint",
    TradingState.ACTIVE: "good",
}

WORKER_ROLES: Mapping[str, str] = {
    WorkerState.STARTING: "waiting",
    WorkerState.READY: "good",
    WorkerState.BUSY: "text",
    WorkerState.STALLED: "overprint",
    WorkerState.DEAD: "halt",
}


def book_words(ladder: LadderView) -> tuple[str, bool]:
    """Give the book's state, with its age where nothing comes any more, and whether it may be sized from."""
    words, ok = BOOK_WORDS[ladder.state], ladder.state is BookState.SYNCED
    return (f"{words} {age_text(ladder.age_ms)}" if ladder.state is BookState.STALE else words), ok


def order_mark(state: str, side: int) -> tuple[str, str]:
    """Give the mark and role of an order; a fill is drawn in the colour of its side."""
    mark, role = ORDER_MARKS.get(state, ("??", "unknown"))
    if state == OrderState.FILLED and side == Side.SELL:
        return mark, "ask-strong"
    return mark, role


def side_role(side: int) -> str:
    """Give the role of a side: buys like bids, sells like asks."""
    return "bid" if side > 0 else "ask"


def money_role(value_e8: int) -> str:
    """Give the role of an amount as it is printed, in hundredths: what reads 0.00 is no loss."""
    return signed_role(rounded(value_e8, 6))


def signed_role(value: int) -> str:
    """Give the role of a gain or loss."""
    if value == 0:
        return "text"
    return "up" if value > 0 else "down"
