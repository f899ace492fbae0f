"""The facts the header is made of, at every size: position, gate, book, alerts, profit and loss."""

from __future__ import annotations

from pipeline.core.snapshot import ConsoleSnapshot, HeaderView
from pipeline.core.types import TradingState
from widgets.cells import clean, money, percent, position_word, qty_text
from widgets.lines import Line, text
from widgets.marks import book_words, money_role, side_role
from widgets.position import loss_role
from widgets.scales import open_elsewhere


def position_item(snapshot: ConsoleSnapshot, wide: bool) -> Line:
    """Give the signed position with its word, and what of it no exit rule manages."""
    header, view = snapshot.header, snapshot.instrument
    lots, loose = header.position_lots, header.unmanaged_lots
    base = f" {clean(view.base, 8)}" if wide else ""
    dust = " dust" if snapshot.position.dust else ""
    held = f"{qty_text(view, lots, sign=True)}{base} {position_word(lots)}{dust}"
    if loose and loose == lots:
        return ((f" UNMANAGED {held} ", "overprint"),)
    line: Line = (("pos ", "dim"), (held, side_role(lots) + "-strong" if lots else "text"))
    return (*line, (f" UNMANAGED {qty_text(view, loose, sign=True)} ", "overprint")) if loose else line


def others_item(snapshot: ConsoleSnapshot, wide: bool) -> Line:
    """Count the symbols not on the screen that have a position or orders; empty without one."""
    count = open_elsewhere(snapshot)
    return text(f"others {count} open" if wide else f"others {count}", "warn") if count else ()


def gate_item(header: HeaderView, wide: bool) -> Line:
    """Say who holds the gate closed; while killed the banner says it."""
    if header.gate_open or header.trading_state is TradingState.KILLED:
        return ()
    closers = ", ".join(clean(closer, 12) for closer in header.gate_closers) if wide else ""
    return text(f" GATE CLOSED {closers}".rstrip() + " ", "halt")


def alerts_item(header: HeaderView, word: str) -> Line:
    """Count the alerts nobody has noted."""
    count = header.alerts_unnoted
    return (f"{word} ", "dim"), (f"{count}", "warn" if count else "text")


def day_item(header: HeaderView, snapshot: ConsoleSnapshot) -> Line:
    """Give the day's profit with its currency."""
    words = f"{money(header.day_quote_e8)} {clean(snapshot.instrument.quote, 8)}"
    return ("day ", "dim"), (words, money_role(header.day_quote_e8))


def loss_item(header: HeaderView) -> Line:
    """Give how much of the loss limit is used; that there is none is a warning."""
    if header.loss_used_e6 < 0:
        return text("no loss limit", "warn")
    return (
        ("loss ", "dim"),
        (percent(header.loss_used_e6), loss_role(header.loss_used_e6)),
        (f" of {money(header.loss_limit_quote_e8, 0, sign=False)}", "dim"),
    )


def book_item(snapshot: ConsoleSnapshot) -> Line:
    """Give the book's state: one word while it is ok, its age too where nothing comes."""
    words, ok = book_words(snapshot.ladder)
    if ok:
        return ("book ", "dim"), (words, "text")
    return text(f" {words} " if "BOOK" in words else f" book {words} ", "overprint")
