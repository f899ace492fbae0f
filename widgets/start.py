"""Two lines while what an earlier session left is not settled: what differs, and what a person can do."""

from __future__ import annotations

from pipeline.core.snapshot import StartView
from widgets.cells import clean
from widgets.lines import Item, Line, fit, text

ROLE = "overprint"


def left_line(start: StartView, width: int) -> Line:
    """Give what was left: orders, fills the journal missed, and the position as the books have it."""
    source = f"left by {clean(start.session, 32)}" if start.session else "left before, no earlier books"
    items: list[Item] = [
        (0, text(" UNRECONCILED", ROLE)),
        (3, text(source, ROLE)),
        (1, text(_orders(start), ROLE)),
        *((2, text(f"missed {symbol} {fills} fills {qty}", ROLE)) for symbol, fills, qty in start.missed),
        *((4, text(f"position {symbol} {qty}", ROLE)) for symbol, qty in start.held),
    ]
    return fit([item for item in items if item[1]], width)


def choice_line(start: StartView, width: int) -> Line:
    """Give what the account holds otherwise, and the words that settle it."""
    balances = [f"{symbol} has {found}, books {expected}" for symbol, expected, found in start.balances]
    items: list[Item] = [
        *((2, text(f" {words}", ROLE)) for words in balances),
        (3, text(clean(start.trouble, 60), ROLE)),
        (0, text(" cancelling" if start.canceling else " :adopt as found", ROLE)),
        (1, text("" if start.canceling or not _orders(start) else ":cancel-earlier", ROLE)),
        (4, text("nothing is armed before", ROLE)),
    ]
    return fit([item for item in items if item[1]], width)


def _orders(start: StartView) -> str:
    if not start.orders_known and not start.orders_unknown:
        return ""
    unknown = f", {start.orders_unknown} in no journal" if start.orders_unknown else ""
    return f"orders {start.orders_known + start.orders_unknown}{unknown}"
