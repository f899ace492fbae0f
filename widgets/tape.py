"""Prints of the venue, newest first; large ones are marked."""

from __future__ import annotations

from pipeline.core.snapshot import ConsoleSnapshot, InstrumentView
from widgets.base import SnapshotWidget
from widgets.cells import price_text, right, side_word, size_places, size_text, size_width
from widgets.glyphs import LARGE
from widgets.lines import Line, text
from widgets.marks import side_role
from widgets.times import clock_text


class TapePanel(SnapshotWidget):
    """Time and sales."""

    TITLE = "TAPE"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Say from which size a print counts as large."""
        del room
        large, view = snapshot.tape.large_units, snapshot.instrument
        if not large:
            return (), ()
        size = size_text(large, view.size_decimals, size_places(view))
        return (), text(f"{LARGE} from {size}", "dim")

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give one line a print."""
        tape, view = snapshot.tape, snapshot.instrument
        if not tape.prints:
            return [text("  no trades yet", "dim")]
        return [print_line(entry, view, tape.large_units, width) for entry in tape.prints[:height]]


def print_line(entry: tuple[int, int, int, int], view: InstrumentView, large_units: int, width: int) -> Line:
    """Give one print: time, aggressor's side, size, price; the time goes first where room is short."""
    ts_ns, side, ticks, units = entry
    role = side_role(side)
    large = large_units > 0 and units >= large_units
    price, size = price_text(view, ticks), size_text(units, view.size_decimals, size_places(view))
    core: Line = (
        (f" {side_word(side):<4} ", role),
        (f"{right(size, size_width(view))} ", f"{role}-strong" if large else "text"),
        (f"{right(price, max(9, len(price)))} ", role),
        (LARGE if large else " ", f"{role}-strong" if large else "text"),
    )
    room = width - sum(len(words) for words, _ in core)
    time = clock_text(ts_ns, milliseconds=True) if room >= 14 else clock_text(ts_ns) if room >= 10 else ""
    return ((f" {time}" if time else "", "dim"), *core)
