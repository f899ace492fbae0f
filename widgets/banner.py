"""The banner while killed: who stopped it, that the position stays, and how far the cancels are."""

from __future__ import annotations

from pipeline.core.snapshot import ConsoleSnapshot, KillView
from widgets.cells import clean, money, position_word, qty_text
from widgets.lines import Item, Line, fit, line_width, text
from widgets.times import clock_text


def kill_line(kill: KillView, snapshot: ConsoleSnapshot, width: int) -> Line:
    """Give who killed, and that the position stays."""
    view = snapshot.instrument
    lots = qty_text(view, kill.position_lots, sign=True)
    value = f"{money(abs(kill.position_quote_e8), 0, sign=False)} {clean(view.quote, 8)}"
    stays = f"YOUR POSITION STAYS: {lots} {clean(view.base, 8)} {position_word(kill.position_lots)} = {value}"
    items: list[Item] = [
        (0, text(" KILLED", "kill")),
        (2, text(f"by {clean(kill.who, 24)}", "kill")),
        (3, text(clock_text(kill.ts_ns, milliseconds=True), "kill")),
        (5, text(clean(kill.reason, 40), "kill")),
        (1, text("Orders stop.", "kill")),
        (0, text(stays if kill.position_lots else "NO POSITION.", "kill")),
    ]
    if kill.position_lots and not snapshot.position.exit_resting:
        items.append((4, text("no exit rests", "kill")))
    return fit(items, width)


def convergence_line(kill: KillView, snapshot: ConsoleSnapshot, choice: str, width: int) -> Line:
    """Give how far our orders are cancelled; `none left` only once the venue has said so."""
    if kill.confirmed_ts_ns:
        state = f"NO ORDERS LEFT (venue {clock_text(kill.confirmed_ts_ns, milliseconds=True)})"
    else:
        state = "asking the venue until none is left"
    counts = f" our orders {kill.ours_total}: cancel sent {kill.cancels_sent}, gone {kill.gone}"
    late = f"filled late {kill.filled_late}, unknown {kill.unknown}"
    foreign = snapshot.counts.foreign
    items: list[Item] = [
        (0, text(counts, "kill")),
        (2, text(late, "kill")),
        (1, text(state, "kill")),
        (4, text(f"foreign {foreign} kept" if foreign else "", "kill")),
        (0 if choice else 3, text(choice or (":release to begin again" if kill.latched else ""), "kill")),
    ]
    return fit(items, width)


def reversed_line(line: Line, width: int) -> Line:
    """Draw a line in the banner's role from edge to edge."""
    words = "".join(part for part, _ in line)
    return ((words + " " * (width - line_width(line)), "kill"),)
