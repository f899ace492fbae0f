"""What the ladder shows on each row of its axis: the book grouped by the axis' step, our orders, the marks.

Pure. Bids are rounded down and asks up to a row, so that no level looks better than it is; a row
therefore holds one side only. Where the snapshot ends inside a group, more may stand there than is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pipeline.core.snapshot import InstrumentView, LadderView
from pipeline.core.types import BookState, OrderState, Side
from widgets.axis import ask_row, bid_row
from widgets.cells import short_qty
from widgets.marks import order_mark
from widgets.plot import full_scale

Own = tuple[tuple[str, ...], str]
"""Our orders at a row and side: (texts from long to short, role); no texts where there are none."""

NO_OWN: Own = ((), "text")


class RowFacts(NamedTuple):
    """One row, ready to draw; equal facts make equal rows."""

    row: int
    bid_units: int
    """-1 where there is no bid."""
    ask_units: int
    own_bid: Own
    own_ask: Own
    size_role: str
    bar_role: str
    price_role: str
    last_side: int
    """Side of the last print where it was at this row, else 0."""
    rule_left: bool
    """True where the centre line runs through the blank left (right) side."""
    rule_right: bool
    full: int
    """Size of a full bar, in units."""


def rows_of(ladder: LadderView, view: InstrumentView, step: int, rows: Iterable[int]) -> Iterator[RowFacts]:
    """Give the facts of each row; a book that is not ok has no sizes, no touch and no last print."""
    ok = ladder.state is BookState.SYNCED
    bids = _grouped(ladder.bids, step, up=False) if ok else {}
    asks = _grouped(ladder.asks, step, up=True) if ok else {}
    own = _own_orders(ladder, view, step)
    best_bid, best_ask = max(bids, default=None), min(asks, default=None)
    lowest, highest = min(bids, default=0), max(asks, default=0)
    full = full_scale(max([*bids.values(), *asks.values(), 1]))
    last = _last_row(ladder, step) if ok else None
    for row in rows:
        bid, ask = bids.get(row, -1), asks.get(row, -1)
        touch = row in (best_bid, best_ask)
        inside = best_bid is not None and best_ask is not None and best_bid < row < best_ask
        side, best = ("bid", best_bid) if bid >= 0 else ("ask", best_ask)
        perhaps_more = step > 1 and row in (lowest, highest)
        yield RowFacts(
            row,
            bid,
            ask,
            own.get((row, Side.BUY), NO_OWN),
            own.get((row, Side.SELL), NO_OWN),
            "dim" if perhaps_more else f"{side}-strong" if row == best else side,
            "rule" if perhaps_more else f"{side}-bar",
            "touch" if touch else "text" if lowest <= row <= highest else "dim",
            ladder.last_side if row == last else 0,
            bid < 0 and best_bid is not None and (inside or row == best_ask),
            ask < 0 and best_ask is not None and (inside or row == best_bid),
            full,
        )


def _grouped(levels: tuple[tuple[int, int], ...], step: int, up: bool) -> dict[int, int]:
    """Sum the sizes by row."""
    place = ask_row if up else bid_row
    rows: dict[int, int] = {}
    for price, size in levels:
        row = place(price, step)
        rows[row] = rows.get(row, 0) + size
    return rows


def _last_row(ladder: LadderView, step: int) -> int | None:
    if not ladder.last_side or not ladder.last_price_ticks:
        return None
    return (ask_row if ladder.last_side > 0 else bid_row)(ladder.last_price_ticks, step)


def _own_orders(ladder: LadderView, view: InstrumentView, step: int) -> dict[tuple[int, int], Own]:
    """Sum our orders by row and side; UNKNOWN wins over every other state."""
    sums: dict[tuple[int, int], tuple[int, str, int]] = {}
    for price, lots, state, _ in ladder.mine:
        side = Side.BUY if lots > 0 else Side.SELL
        key = (bid_row(price, step) if side is Side.BUY else ask_row(price, step), int(side))
        total, worst, count = sums.get(key, (0, state, 0))
        worst = OrderState.UNKNOWN if OrderState.UNKNOWN in (worst, state) else worst
        sums[key] = (total + abs(lots), worst, count + 1)
    return {key: _own_text(view, key[1], *found) for key, found in sums.items()}


def _own_text(view: InstrumentView, side: int, lots: int, state: str, count: int) -> Own:
    """Write side letter, quantity, state mark and number of orders, in forms from long to short."""
    mark, role = order_mark(state, side)
    letter, colour = ("B", "bid-strong") if side == Side.BUY else ("S", "ask-strong")
    whole = f"{letter}{short_qty(view, lots)}{mark}"
    many = f"{whole}{count}x" if count > 1 else whole
    return (many, whole, letter + mark), colour if role == "working" else role
