"""The whole account in words: positions and orders of every symbol, for the dialogs about it."""

from __future__ import annotations

from app.gate_picture import live_orders
from pipeline.core.snapshot import ConsoleSnapshot
from widgets.cells import clean, money
from widgets.scales import held_elsewhere, shown_held


def account_lines(drawn: ConsoleSnapshot) -> list[str]:
    """Give the position of the shown symbol, those of the others, and our working orders of all."""
    lines = [f"position {shown_held(drawn).words()}"]
    for held in held_elsewhere(drawn):
        value = f"{money(held.notional_quote_e8, sign=False)} {clean(held.instrument.quote, 8)}"
        lines.append(f"position {held.words()} = {value}")
    resting = [
        f"{other.orders} on {clean(other.instrument.symbol, 14)}" for other in drawn.others if other.orders
    ]
    where = f" ({', '.join(resting)})" if resting else ""
    return [*lines, f"our working orders: {live_orders(drawn)}{where}"]
