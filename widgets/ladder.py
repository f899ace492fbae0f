"""The ladder: a static price axis with the book's sizes, our orders, the last print and the book's state.

Bids stand left of the price, asks right of it; our orders at the outer edges. Levels are grouped by the axis'
step, rounded so that no level looks better than it is. While the book is not ok no size is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.core.snapshot import ConsoleSnapshot, InstrumentView, LadderView
from pipeline.core.types import BookState, OrderState, Side
from widgets.axis import LadderAxis, ask_row, bid_row
from widgets.base import SnapshotWidget
from widgets.cells import cell_width, plain_price, right, short_qty, size_places, size_text, size_width
from widgets.glyphs import CENTRE, LAST_PRINT
from widgets.lines import Line, Segment, overprint, text
from widgets.marks import BOOK_WORDS, order_mark
from widgets.plot import bar_from_right, full_scale, half_bar
from widgets.times import age_text


@dataclass(frozen=True, slots=True)
class _Grouped:
    """What one ladder shows, by row of the axis."""

    bids: dict[int, int]
    asks: dict[int, int]
    own: dict[tuple[int, int], tuple[int, str, int]]
    """(row, side) -> (lots, state, number of orders)."""
    best_bid: int | None
    best_ask: int | None
    lowest: int
    """Lowest and highest row with a known level; beyond them the book is not known to be empty."""
    highest: int
    full: int
    """Size of a full bar, in units."""


class LadderPanel(SnapshotWidget):
    """The book around the touch."""

    TITLE = "LADDER"

    def __init__(self, *, plain: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Make a ladder with an axis that waits for its first book."""
        super().__init__(plain=plain, id=id)
        self.axis = LadderAxis()
        self._symbol = ""
        self._rows = 0

    def advance(self, snapshot: ConsoleSnapshot) -> None:
        """Let the axis follow the book; another symbol starts a new axis."""
        if snapshot.instrument.symbol != self._symbol:
            self._symbol = snapshot.instrument.symbol
            self.axis = LadderAxis()
        self.axis = self.axis.follow(snapshot.ladder, self._rows, snapshot.ts_ns)

    def recentre(self) -> None:
        """Put the touch into the middle row now."""
        if self.snapshot is not None:
            self.axis = self.axis.recentred(self.snapshot.ladder, self.snapshot.ts_ns)
            self.redraw()

    def change_step(self, direction: int) -> None:
        """Take the next larger (+1) or smaller (-1) step."""
        if self.snapshot is not None:
            self.axis = self.axis.stepped(direction, self.snapshot.ladder, self.snapshot.ts_ns)
            self.redraw()

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Give the book's state and age, and the step."""
        ladder, view, step = snapshot.ladder, snapshot.instrument, self.axis.step
        if ladder.state is not BookState.SYNCED:
            return text(BOOK_WORDS[ladder.state], "overprint"), ()
        age = age_text(ladder.age_ms).rjust(6)
        price = plain_price(view, step, _decimals(view, step)) if step else ""
        forms = (
            (f"book ok {age}", f"step {price} = {step} t"),
            (f"book ok {age}", f"x{step} t"),
            (f"ok {age}", f"x{step} t"),
        )
        start, end = next((form for form in forms if len(form[0]) + len(form[1]) <= room), forms[-1])
        return text(start, "dim"), text(end if step else "", "dim")

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give one line a price, highest first."""
        if height != self._rows:
            self._rows = height
            self.axis = self.axis.follow(snapshot.ladder, height, snapshot.ts_ns)
        ladder, ok = snapshot.ladder, snapshot.ladder.state is BookState.SYNCED
        if not self.axis.step:
            blank: list[Line] = [()] * height
            return overprint(
                blank, BOOK_WORDS[ladder.state] if not ok else "NO PRICE YET", "overprint", width
            )
        columns = _Columns.of(snapshot.instrument, self.axis, width, height)
        grouped = _grouped(ladder, self.axis.step, ok)
        top = self.axis.centre + height // 2
        lines = [columns.line(row, grouped, ladder, ok) for row in range(top, top - height, -1)]
        return lines if ok else overprint(lines, _state_words(ladder), "overprint", width)


def _state_words(ladder: LadderView) -> str:
    words = BOOK_WORDS[ladder.state]
    return f"{words} {age_text(ladder.age_ms)}" if ladder.state is BookState.STALE else words


def _decimals(view: InstrumentView, step: int) -> int:
    """Give the decimals that all prices on an axis of this step need."""
    units, decimals = step * view.tick_units, view.price_decimals
    while decimals > 0 and units % 10 == 0:
        units //= 10
        decimals -= 1
    return decimals


def _grouped(ladder: LadderView, step: int, ok: bool) -> _Grouped:
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    if ok:
        for price, size in ladder.bids:
            row = bid_row(price, step)
            bids[row] = bids.get(row, 0) + size
        for price, size in ladder.asks:
            row = ask_row(price, step)
            asks[row] = asks.get(row, 0) + size
    own: dict[tuple[int, int], tuple[int, str, int]] = {}
    for price, lots, state, _ in ladder.mine:
        side = Side.BUY if lots > 0 else Side.SELL
        key = (bid_row(price, step) if side is Side.BUY else ask_row(price, step), int(side))
        before, worst, count = own.get(key, (0, state, 0))
        own[key] = (
            before + abs(lots),
            OrderState.UNKNOWN if OrderState.UNKNOWN in (worst, state) else worst,
            count + 1,
        )
    rows = (*bids, *asks)
    return _Grouped(
        bids,
        asks,
        own,
        max(bids) if bids else None,
        min(asks) if asks else None,
        min(rows, default=1),
        max(rows, default=0),
        full_scale(max([*bids.values(), *asks.values(), 1])),
    )


@dataclass(frozen=True, slots=True)
class _Columns:
    """Widths of the ladder's columns, and the drawing of one row in them."""

    view: InstrumentView
    step: int
    decimals: int
    price: int
    size: int
    outer: int
    """Cells outside of the size at each side: the bar, and over its far end our orders."""
    spare: int
    """Blank cells at the right edge, 0 or 1."""

    @classmethod
    def of(cls, view: InstrumentView, axis: LadderAxis, width: int, height: int) -> _Columns:
        """Divide `width` cells."""
        decimals = _decimals(view, axis.step)
        highest = plain_price(view, (axis.centre + height) * axis.step, decimals)
        price, size = len(highest), size_width(view)
        columns = cls(view, axis.step, decimals, price, size, 0, 0)
        zone = max(0, width - price - 3) // 2
        outer = zone - size
        return replace(columns, outer=outer, spare=max(0, width - price - 3) % 2) if outer >= 2 else columns

    def line(self, row: int, grouped: _Grouped, ladder: LadderView, ok: bool) -> Line:
        """Draw one row of the axis."""
        touch = ok and row in (grouped.best_bid, grouped.best_ask)
        return (
            *self._bid_side(row, grouped),
            (" ", "text"),
            *self._price(row, _price_role(row, grouped, touch)),
            self._last_print(row, ladder, ok),
            (" ", "text"),
            *self._ask_side(row, grouped),
            (" " * self.spare, "text"),
        )

    def _price(self, row: int, role: str) -> Line:
        """Print a price; the zeros all tiny prices begin with are dim."""
        words = right(plain_price(self.view, row * self.step, self.decimals), self.price)
        bare = words.lstrip(" ")
        if not bare.startswith("0.00"):
            return ((words, role),)
        zeros = len(words) - len(bare.lstrip("0."))
        return ((words[:zeros], "dim"), (words[zeros:], role))

    def _last_print(self, row: int, ladder: LadderView, ok: bool) -> Segment:
        if not ok or not ladder.last_side or not ladder.last_price_ticks:
            return " ", "text"
        place = ask_row if ladder.last_side > 0 else bid_row
        here = place(ladder.last_price_ticks, self.step) == row
        return (LAST_PRINT, "up" if ladder.last_side > 0 else "down") if here else (" ", "text")

    def _bid_side(self, row: int, grouped: _Grouped) -> tuple[Segment, ...]:
        size = grouped.bids.get(row)
        own, own_role = self._own(row, Side.BUY, grouped)
        if size is None:
            filler = _is_centre(row, grouped, grouped.best_ask)
            rest = self.outer + self.size - cell_width(own)
            return (own, own_role), ((CENTRE * (rest - 1) + " ") if filler else " " * rest, "rule")
        room = self.outer - cell_width(own)
        picture = bar_from_right(size, grouped.full, self.outer - 1)[-(room - 1) :] if room > 1 else ""
        role, bar_role = _size_roles("bid", row, grouped.best_bid, row == grouped.lowest and self.step > 1)
        return (
            (own, own_role),
            (picture.rjust(max(0, room - 1)) + " " * (room > 0), bar_role),
            (right(self._size(size), self.size), role),
        )

    def _ask_side(self, row: int, grouped: _Grouped) -> tuple[Segment, ...]:
        size = grouped.asks.get(row)
        own, own_role = self._own(row, Side.SELL, grouped)
        if size is None:
            filler = _is_centre(row, grouped, grouped.best_bid)
            rest = self.outer + self.size - cell_width(own)
            return ((" " + CENTRE * (rest - 1)) if filler else " " * rest, "rule"), (own, own_role)
        room = self.outer - cell_width(own)
        picture = half_bar(size, grouped.full, self.outer - 1) if room > 1 else ""
        role, bar_role = _size_roles("ask", row, grouped.best_ask, row == grouped.highest and self.step > 1)
        return (
            (right(self._size(size), self.size), role),
            (" " * (room > 0) + picture[: max(0, room - 1)].ljust(max(0, room - 1)), bar_role),
            (own, own_role),
        )

    def _size(self, units: int) -> str:
        return size_text(units, self.view.size_decimals, size_places(self.view))

    def _own(self, row: int, side: Side, grouped: _Grouped) -> Segment:
        """Give our orders of one side at a row: letter, quantity, state mark; shorter where needed."""
        found = grouped.own.get((row, int(side)))
        if found is None or not self.outer:
            return "", "text"
        lots, state, count = found
        mark, role = order_mark(state, side)
        letter = "B" if side is Side.BUY else "S"
        many = f"{count}x" if count > 1 else ""
        forms = (
            f"{letter}{short_qty(self.view, lots)}{mark}{many}",
            f"{letter}{short_qty(self.view, lots)}{mark}",
            letter + mark,
        )
        words = next((form for form in forms if cell_width(form) <= self.outer), "")
        return words, role if role != "working" else ("bid-strong" if side is Side.BUY else "ask-strong")


def _size_roles(side: str, row: int, best: int | None, perhaps_more: bool) -> tuple[str, str]:
    """Give the roles of size and bar; dim where the snapshot ends inside a group and more may stand there."""
    if perhaps_more:
        return "dim", "rule"
    return f"{side}-strong" if row == best else side, f"{side}-bar"


def _is_centre(row: int, grouped: _Grouped, touch: int | None) -> bool:
    """Tell whether the centre line runs through a side's blank: beside the other touch, and in the spread."""
    if grouped.best_bid is None or grouped.best_ask is None:
        return False
    return row == touch or grouped.best_bid < row < grouped.best_ask


def _price_role(row: int, grouped: _Grouped, touch: bool) -> str:
    if touch:
        return "touch"
    return "text" if grouped.lowest <= row <= grouped.highest else "dim"
