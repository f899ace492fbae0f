"""One row of the ladder in its columns: own bid, bar, size, price, size, bar, own ask. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from pipeline.core.snapshot import InstrumentView
from pipeline.core.types import scaled_text
from widgets.axis import LadderAxis
from widgets.cells import cell_width, right, size_places, size_text, size_width
from widgets.glyphs import CENTRE, LAST_PRINT
from widgets.ladder_book import Own, RowFacts
from widgets.lines import Line, Segment
from widgets.plot import bar_from_right, half_bar


class Columns(NamedTuple):
    """Widths of the columns, and the scales the numbers are printed with."""

    step_units: int
    """Price of one row in units of the last decimal shown."""
    decimals: int
    size_decimals: int
    places: int
    price: int
    size: int
    outer: int
    """Cells outside of the size at each side: the bar, and over its far end our orders."""
    spare: int
    """Blank cells at the right edge, 0 or 1."""


def columns_for(view: InstrumentView, axis: LadderAxis, width: int, height: int) -> Columns:
    """Divide `width` cells among the columns of an axis with `height` rows."""
    decimals = shown_decimals(view, axis.step)
    step_units = axis.step * view.tick_units // 10 ** (view.price_decimals - decimals)
    price = len(scaled_text((axis.centre + height) * step_units, decimals))
    size = size_width(view)
    room = max(0, width - price - 3)
    outer, spare = room // 2 - size, room % 2
    if outer < 2:
        outer = spare = 0
    return Columns(step_units, decimals, view.size_decimals, size_places(view), price, size, outer, spare)


def shown_decimals(view: InstrumentView, step: int) -> int:
    """Give the decimals that all prices on an axis of this step need."""
    units, decimals = step * view.tick_units, view.price_decimals
    while decimals > 0 and units % 10 == 0:
        units //= 10
        decimals -= 1
    return decimals


@lru_cache(maxsize=512)
def draw_row(columns: Columns, facts: RowFacts) -> Line:
    """Draw one row; kept, because most rows do not change from one picture to the next."""
    return (
        *_bid_side(columns, facts),
        (" ", "text"),
        *_price(columns, facts),
        _last_print(facts.last_side),
        (" ", "text"),
        *_ask_side(columns, facts),
        (" " * columns.spare, "text"),
    )


def _price(columns: Columns, facts: RowFacts) -> Line:
    """Print a price; the zeros all tiny prices begin with are dim."""
    words = right(scaled_text(facts.row * columns.step_units, columns.decimals), columns.price)
    bare = words.lstrip(" ")
    if not bare.startswith("0.00"):
        return ((words, facts.price_role),)
    zeros = len(words) - len(bare.lstrip("0."))
    return ((words[:zeros], "dim"), (words[zeros:], facts.price_role))


def _last_print(side: int) -> Segment:
    return (LAST_PRINT, "up" if side > 0 else "down") if side else (" ", "text")


def _bid_side(columns: Columns, facts: RowFacts) -> Line:
    own, own_role = _own(columns, facts.own_bid)
    if facts.bid_units < 0:
        rest = columns.outer + columns.size - cell_width(own)
        filler = CENTRE * (rest - 1) + " " if facts.rule_left else " " * rest
        return (own, own_role), (filler, "rule")
    room = columns.outer - cell_width(own)
    picture = (
        bar_from_right(facts.bid_units, facts.full, columns.outer - 1)[-(room - 1) :] if room > 1 else ""
    )
    return (
        (own, own_role),
        (picture.rjust(max(0, room - 1)) + " " * (room > 0), facts.bar_role),
        (_size(columns, facts.bid_units), facts.size_role),
    )


def _ask_side(columns: Columns, facts: RowFacts) -> Line:
    own, own_role = _own(columns, facts.own_ask)
    if facts.ask_units < 0:
        rest = columns.outer + columns.size - cell_width(own)
        filler = " " + CENTRE * (rest - 1) if facts.rule_right else " " * rest
        return (filler, "rule"), (own, own_role)
    room = columns.outer - cell_width(own)
    picture = half_bar(facts.ask_units, facts.full, columns.outer - 1)[: room - 1] if room > 1 else ""
    return (
        (_size(columns, facts.ask_units), facts.size_role),
        (" " * (room > 0) + picture.ljust(max(0, room - 1)), facts.bar_role),
        (own, own_role),
    )


def _size(columns: Columns, units: int) -> str:
    return right(size_text(units, columns.size_decimals, columns.places), columns.size)


def _own(columns: Columns, own: Own) -> Segment:
    """Give the longest text of our orders that has room."""
    forms, role = own
    return next((form for form in forms if cell_width(form) <= columns.outer), ""), role
