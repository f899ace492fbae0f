"""The banner while killed: who stopped it, that the position stays, and how far the cancels are."""

from __future__ import annotations

from pipeline.core.snapshot import ConsoleSnapshot, KillView
from widgets.cells import clean, money
from widgets.lines import Item, Line, fit, line_width, text
from widgets.scales import Held, held_elsewhere, shown_held
from widgets.times import clock_text


def kill_line(kill: KillView, snapshot: ConsoleSnapshot, width: int) -> Line:
    """Give who killed, and that the position stays."""
    held = _held(kill, snapshot)
    items: list[Item] = [
        (0, text(" KILLED", "kill")),
        (2, text(f"by {clean(kill.who, 24)}", "kill")),
        (3, text(clock_text(kill.ts_ns, milliseconds=True), "kill")),
        (5, text(clean(kill.reason, 40), "kill")),
        (1, text("Orders stop.", "kill")),
        (0, text(_stays(held, width - line_width(text(" KILLED  "))), "kill")),
    ]
    if any(one.dust for one in held):
        items.append((3, text("dust is less than the venue takes: it stays", "kill")))
    if any(not one.exit_resting and not one.dust for one in held):
        items.append((4, text("UNMANAGED: no exit rests", "kill")))
    return fit(items, width)


def _held(kill: KillView, snapshot: ConsoleSnapshot) -> list[Held]:
    """Give every open position, the largest value first."""
    shown = shown_held(snapshot)._replace(lots=kill.position_lots, notional_quote_e8=kill.position_quote_e8)
    held = [shown, *held_elsewhere(snapshot)] if shown.lots else held_elsewhere(snapshot)
    return sorted(held, key=lambda one: -abs(one.notional_quote_e8))


def _stays(held: list[Held], width: int) -> str:
    """Name every position where there is room, else the largest and how many more; the value is gross."""
    if not held:
        return "NO POSITION."
    gross = sum(abs(one.notional_quote_e8) for one in held)
    value = f"{money(gross, 0, sign=False)} {clean(held[0].instrument.quote, 8)}"
    if len(held) == 1:
        return f"YOUR POSITION STAYS: {held[0].words()} = {value}"
    every = f"YOUR POSITIONS STAY: {', '.join(one.words() for one in held)} = {value} gross"
    if len(every) <= width:
        return every
    return f"YOUR POSITIONS STAY: {held[0].words()} and {len(held) - 1} more = {value} gross"


def convergence_line(kill: KillView, snapshot: ConsoleSnapshot, choice: str, width: int) -> Line:
    """Give how far our orders are cancelled; `none left` only once the venue has said so."""
    counts = f" our orders {kill.ours_total}: cancel sent {kill.cancels_sent}, gone {kill.gone}"
    late = f"filled late {kill.filled_late}, unknown {kill.unknown}"
    items: list[Item] = [
        (0, text(counts, "kill")),
        (2, text(late, "kill")),
        (1, text(_progress(kill), "kill")),
        (4, text(_foreign(kill, snapshot.counts.foreign), "kill")),
        (0 if choice else 3, text(choice or (":release to begin again" if kill.latched else ""), "kill")),
    ]
    return fit(items, width)


def _progress(kill: KillView) -> str:
    if kill.confirmed_ts_ns:
        return f"NO ORDERS LEFT (venue {clock_text(kill.confirmed_ts_ns, milliseconds=True)})"
    if kill.left:
        return "LEFT RESTING, X cancels them"
    return "not cancelled yet" if kill.choosing else "asking the venue until none is left"


def _foreign(kill: KillView, foreign: int) -> str:
    if not foreign:
        return ""
    return f"foreign {foreign}: cancelling" if kill.account else f"foreign {foreign} kept"


def reversed_line(line: Line, width: int) -> Line:
    """Draw a line in the banner's role from edge to edge."""
    words = "".join(part for part, _ in line)
    return ((words + " " * (width - line_width(line)), "kill"),)
