"""The banner over a picture nothing follows: the session is gone, or only this console's link to it.

What counts comes first: whether orders of ours may still work somewhere, and what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.core.types import VenueMode
from widgets.cells import clean
from widgets.lines import Item, Line, fit, text
from widgets.scales import held_elsewhere, shown_held
from widgets.times import clock_text


@dataclass(frozen=True, slots=True)
class LostView:
    """Why no picture comes any more, and what was working when the last one came."""

    gone: bool
    """True: the session's process is no more. False: it goes on, without this console."""
    reason: str
    orders: int
    """Our orders the venue had or might have had, of every symbol in the blotter."""
    guard: str = ""
    """What the session's guard says of them; empty where none is at work."""
    no_orders: bool = False
    """True once the guard has the venue's word that none of ours is left."""


def lost_lines(lost: LostView, snapshot: ConsoleSnapshot, width: int) -> list[Line]:
    """Give three lines: what happened, what of the orders, what to do."""
    clock = clock_text(snapshot.ts_ns, milliseconds=True)
    head: list[Item] = [
        (0, text(f" {_title(lost)}", "kill")),
        (1, text(f"last picture {clock}", "kill")),
        (2, text("all below is old", "kill")),
        (3, text(clean(lost.reason, 90), "kill")),
    ]
    return [fit(head, width), _orders(lost, snapshot, width), _to_do(lost, snapshot, width)]


def lost_line(lost: LostView, snapshot: ConsoleSnapshot, width: int) -> Line:
    """Give the one line of a small screen."""
    items: list[Item] = [
        (0, text(f" {_title(lost)}", "kill")),
        (1, text(_short(lost, snapshot), "kill")),
        (2, text(f"pos {held_words(snapshot)}", "kill")),
        (3, text("q leaves", "kill")),
    ]
    return fit(items, width, gap=1)


def _title(lost: LostView) -> str:
    return "SESSION GONE" if lost.gone else "LINK LOST"


def _short(lost: LostView, snapshot: ConsoleSnapshot) -> str:
    if not lost.gone:
        return "orders go on"
    if _on_paper(snapshot):
        return "orders were on paper"
    if lost.no_orders:
        return "NO ORDERS LEFT"
    return "guard cancels" if lost.guard else "ORDERS MAY STILL WORK"


def _orders(lost: LostView, snapshot: ConsoleSnapshot, width: int) -> Line:
    seen = f"{lost.orders} working when last seen"
    if not lost.gone:
        first, second = f" The session goes on; our orders too: {seen}.", "Kill and halt keys still stop it."
    elif _on_paper(snapshot):
        first, second = " Orders and position were on paper and ended with it.", "No venue has any of them."
    elif lost.guard:
        first, second = f" {clean(lost.guard, 120)}", ""
    else:
        first, second = f" ORDERS MAY STILL WORK AT THE VENUE: {seen}.", "Nobody here cancels them."
    items: list[Item] = [
        (0, text(first, "kill")),
        (2, text(second, "kill")),
        (1, text(f"Position {held_words(snapshot)}.", "kill")),
    ]
    return fit(items, width)


def _to_do(lost: LostView, snapshot: ConsoleSnapshot, width: int) -> Line:
    name = clean(snapshot.header.session, 34)
    if not lost.gone:
        first, second = f" Do: q, then `lobdeck attach {name}`.", "`lobdeck kill` in another shell stops it."
    elif _on_paper(snapshot):
        first, second = " Do: q leaves and names the log.", "Start it anew when you know why."
    elif lost.no_orders:
        first, second = " Do: check the position at the venue; it stays.", f"`lobdeck release {name}` later."
    elif lost.guard:
        first, second = " Do: wait for NO ORDERS LEFT.", "q leaves; the guard goes on."
    else:
        first, second = (
            " Do: cancel at the venue NOW, check the position there.",
            "q leaves and names the log.",
        )
    return fit([(0, text(first, "kill")), (1, text(second, "kill"))], width)


def _on_paper(snapshot: ConsoleSnapshot) -> bool:
    """Say whether the venue lived inside the session's own process."""
    return snapshot.header.mode in (VenueMode.REPLAY, VenueMode.PAPER)


def held_words(snapshot: ConsoleSnapshot) -> str:
    """Give the position of the shown symbol, then those of the others."""
    shown = shown_held(snapshot)._replace(lots=snapshot.header.position_lots)
    return ", ".join(held.words() for held in (shown, *held_elsewhere(snapshot)))
