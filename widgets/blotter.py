"""Rows of the blotter: narrow with one note an order, or wide with a column for every fact."""

from __future__ import annotations

from pipeline.core.snapshot import ConsoleSnapshot, InstrumentView, OrderView
from pipeline.core.types import OrderState
from widgets.cells import (
    cell_width,
    clean,
    crop,
    half_price_text,
    left,
    lots_words,
    right,
    side_word,
    size_places,
    size_text,
    ticks_words,
)
from widgets.lines import Item, Line, Segment, fit, text
from widgets.marks import ORDER_WORDS, WORKING, order_mark, side_role
from widgets.scales import scales_of
from widgets.times import age_text, delay_text
from widgets.words import reason_words


def note_items(order: OrderView, view: InstrumentView | None) -> list[Item]:
    """Say how an order stands, as items to fit: what may still happen first, the age longest."""
    role = "text" if order.state in WORKING else "dim"
    age = age_text(order.age_ms)
    match order.state:
        case OrderState.ACCEPTED | OrderState.PARTIALLY_FILLED:
            items: list[Item] = [(0, text(age, role))]
            if order.queue_ahead_units >= 0 and view is not None:
                ahead = size_text(order.queue_ahead_units, view.size_decimals, size_places(view))
                items.insert(0, (2, (("ahead ", "dim"), (ahead, role))))
            if order.filled_lots:
                items.insert(0, (1, text(f"{lots_words(view, order.filled_lots)} done", "partial")))
            return items
        case OrderState.FILLED:
            average = (
                half_price_text(view, order.avg_half_ticks)
                if view is not None and order.avg_half_ticks
                else "--"
            )
            return [(0, text("filled", role)), (1, text(average, role)), (2, text(age, role))]
        case OrderState.DENIED | OrderState.REJECTED:
            who = "risk:" if order.state is OrderState.DENIED else "venue:"
            return [
                (1, text(who, "alert")),
                (0, text(reason_words(order.reason), "text")),
                (2, text(age, "dim")),
            ]
        case _:
            return [(0, text(ORDER_WORDS.get(order.state, order.state), role)), (1, text(age, role))]


def narrow_columns(order: OrderView | None, snapshot: ConsoleSnapshot, width: int) -> Line:
    """Give number, state, side, quantity, price and note; the head for None.

    A refused order shows the reason in place of its price.
    """
    qty_width, price_width = _widths(snapshot)
    room = width - 13 - qty_width - price_width - 3
    if order is None:
        return (
            (f" {'#':>3} st {'side':<4} {right('qty', qty_width)} {right('price', price_width)} ", "dim"),
            (left("note", max(0, room)), "dim"),
        )
    own = scales_of(snapshot, order.symbol)
    notes = note_items(order, own)
    if order.symbol != snapshot.instrument.symbol:
        notes.insert(0, (0, text(clean(order.symbol, 14), "bright")))
    mark, role = order_mark(order.state, order.side)
    quiet = role if role in ("gone", "sent") else side_role(order.side)
    refused = order.state in (OrderState.DENIED, OrderState.REJECTED)
    price = f"{right(ticks_words(own, order.price_ticks), price_width)}  "
    room += len(price) if refused else 0
    return (
        (" ", "text"),
        (f"{order.number:>3} ", "text"),
        (mark, role),
        (" " * (3 - len(mark)), "text"),
        (f"{side_word(order.side):<4} ", quiet),
        (f"{right(lots_words(own, order.qty_lots), qty_width)} ", "text"),
        ("" if refused else price, "text"),
        *fit(notes, max(0, room), gap=1),
    )


def _widths(snapshot: ConsoleSnapshot) -> tuple[int, int]:
    """Give the cells of quantity and price that hold those of every symbol of the session."""
    views = (snapshot.instrument, *(other.instrument for other in snapshot.others))
    lots, price = max(view.lot_decimals for view in views), max(view.price_decimals for view in views)
    return max(7, lots + 3), max(9, 8 + price)


_WIDE_COLUMNS = (
    ("#", 4), ("st", 2), ("state", 12), ("age", 6), ("symbol", 8), ("side", 4), ("qty", 9), ("filled", 8),
    ("type", 4), ("limit", 11), ("avg", 11), ("ack ms", 6), ("origin", 7), ("permit", 6),
)  # fmt: skip


_NUMBERS = ("#", "age", "qty", "filled", "limit", "avg", "ack ms")


_ALL_COLUMNS = 140
"""From this width on there is room for every column and a reason; below, the last three go."""


def wide_columns(order: OrderView | None, snapshot: ConsoleSnapshot, width: int) -> Line:
    """Give the columns of the blotter; the head for None. The reason takes what is left."""
    columns = _WIDE_COLUMNS if width >= _ALL_COLUMNS else _WIDE_COLUMNS[:-3]
    room = max(0, width - sum(size + 1 for _, size in columns) - 1)
    if order is None:
        cells = [part for name, size in columns for part in _cell(name, size, name, "dim")]
        return ((" ", "dim"), *cells, (left("reason, client id", room), "dim"))
    words = _wide_words(order, scales_of(snapshot, order.symbol))
    cells = [
        part
        for (name, size), (word, role) in zip(columns, words, strict=False)
        for part in _cell(name, size, word, role)
    ]
    why: list[Item] = [
        (0, text(reason_words(order.reason) if order.reason else "", "dim")),
        (1, text(clean(order.client_order_id), "dim")),
    ]
    return ((" ", "text"), *cells, *fit(why, room))


def _wide_words(order: OrderView, view: InstrumentView | None) -> list[Segment]:
    mark, role = order_mark(order.state, order.side)
    average = half_price_text(view, order.avg_half_ticks) if view and order.avg_half_ticks else "--"
    return [
        (str(order.number), "text"),
        (mark, role),
        (ORDER_WORDS.get(order.state, order.state), role),
        (age_text(order.age_ms), "text"),
        (clean(order.symbol), "text"),
        (side_word(order.side), side_role(order.side)),
        (lots_words(view, order.qty_lots), "text"),
        (lots_words(view, order.filled_lots), "text"),
        ("post" if order.post_only else "IOC", "text"),
        (ticks_words(view, order.price_ticks), "text"),
        (average, "text"),
        (delay_text(order.ack_us), "text"),
        (clean(order.origin).lower(), "text"),
        (f"P{order.permit_id}" if order.permit_id else "--", "text"),
    ]


def _cell(name: str, size: int, words: str, role: str) -> Line:
    """Fill one cell and the gap after it; blanks stay out of the role, so that an underline ends."""
    shown = right(words, size) if name in _NUMBERS else left(words, size)
    bare = shown.strip()
    before = len(shown) - len(shown.lstrip())
    return (" " * before, "text"), (bare, role), (" " * (size + 1 - before - cell_width(bare)), "text")


def count_lines(snapshot: ConsoleSnapshot, width: int) -> list[Line]:
    """Give the counts of the session, and how long a press took to become an order."""
    counts = snapshot.counts
    lines: list[Line] = []
    first: list[Item] = [
        (0, _count("sent", counts.sent)),
        (1, _count("filled", counts.filled)),
        (4, _count("cancelled", counts.canceled)),
        (2, _count("rejected", counts.rejected)),
        (3, _count("denied", counts.denied)),
    ]
    lines.append(((" ", "text"), *fit(first, width - 1)))
    if counts.press_to_sent_p50_ms >= 0:
        press = f"p50 {age_text(counts.press_to_sent_p50_ms)}  p90 {age_text(counts.press_to_sent_p90_ms)}"
        lines.append(((" press to sent ", "dim"), (press if cell_width(press) < width - 15 else "", "text")))
    if counts.foreign:
        words = f"{counts.foreign} FOREIGN on this account: not ours, kept"
        lines.append(text(crop(f" {words}", width), "warn"))
    return lines


def _count(word: str, number: int) -> Line:
    return (f"{word} ", "dim"), (f"{number}", "text")
