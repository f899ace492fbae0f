"""The last minute of the mid as a line, with our fills under it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pipeline.core.snapshot import ChartView, ConsoleSnapshot
from pipeline.core.types import scaled_text
from widgets.base import SnapshotWidget
from widgets.cells import grouped, price_text, right
from widgets.glyphs import FILL_DOWN, FILL_UP, TIMES, VERTICAL
from widgets.lines import BLANK, Line, line_width, overprint, text
from widgets.plot import averages, braille_chart, nice_step, whole_columns

POINT_NS = 250_000_000
"""Distance of two points of a path."""
_LABEL = 11
"""Cells of the usual price label and its rule: what decides how many points a column stands for."""


class ChartPanel(SnapshotWidget):
    """Mid price over 60 s."""

    TITLE = "PRICE"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Give the exact touch and the spread."""
        touch = touch_words(snapshot)
        forms = (touch, touch[:3], tight_touch(touch))
        shown = next((form for form in forms if line_width(form) <= room), BLANK)
        return shown, text("60 s", "dim")

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give the path, then our buys and sells, then the time axis."""
        chart = snapshot.chart
        path = chart.mid_half_ticks
        if height <= 0 or not any(path):
            return overprint([()] * height, "NO PRICE YET", "dim", width)
        extra = 3 if height >= 8 else 1 if height >= 4 else 0
        view = snapshot.instrument
        scale = (view.price_decimals, view.tick_units)
        phase = snapshot.ts_ns // POINT_NS
        rows = height - extra
        per = columns_in(len(path), width - _LABEL)
        done = whole_columns(path, per, phase)
        if not any(done):
            return overprint([()] * height, "NO PRICE YET", "dim", width)
        lines = list(_drawn_path(done, scale, width, rows, per))
        gutter = len(lines[0][0][0]) - 1
        across = width - gutter - 1
        if extra == 3:
            lines += _fill_rows(chart, len(path), per, phase, gutter, across)
        if extra:
            lines.append(((" " * (gutter + 1) + time_axis(len(path), per, across), "dim"),))
        return lines


_Scale = tuple[int, int]
"""(price decimals, tick units) of an instrument."""


@lru_cache(maxsize=4)
def _drawn_path(path: tuple[int, ...], scale: _Scale, width: int, rows: int, per: int) -> tuple[Line, ...]:
    """Draw the rows; kept, because the path changes less often than the screen is drawn."""
    known = [value for value in path if value]
    low, row_step = price_scale(min(known), max(known), rows)
    labels = price_labels(scale, low, row_step, rows)
    gutter = max(len(label) for label in labels)
    columns = averages([value or None for value in path], per)
    picture = braille_chart(columns, low, low + row_step * rows, max(1, width - gutter - 2), rows)
    return tuple(
        ((right(label, gutter) + " " + VERTICAL, "dim"), (row, "path"))
        for label, row in zip(labels, picture, strict=True)
    )


def touch_words(snapshot: ConsoleSnapshot) -> Line:
    """Give the best bid and ask exactly, and the spread in ticks; nothing of a book that is not ok."""
    ladder, view = snapshot.ladder, snapshot.instrument
    if not (ladder.bids and ladder.asks and ladder.state == "SYNCED"):
        return text("no ok book", "stale")
    bid, ask = ladder.bids[0][0], ladder.asks[0][0]
    return (
        (price_text(view, bid), "bid-strong"),
        (f" {TIMES} ", "dim"),
        (price_text(view, ask), "ask-strong"),
        (f"  spread {ask - bid} t", "dim"),
    )


def tight_touch(touch: Line) -> Line:
    """Give bid and ask of `touch_words` without a needless cell."""
    if len(touch) < 3:
        return touch
    return tuple((words.strip().replace(",", ""), role) for words, role in touch[:3])


def price_scale(lowest: int, highest: int, rows: int) -> tuple[int, int]:
    """Give (value of the lowest row, step of a row) in half ticks, on whole 1-2-5 ticks."""
    step = 2 * nice_step(max(1, -(-(highest - lowest) // (2 * max(1, rows - 1)))))
    low = lowest // step * step
    spare = rows - 1 - (highest - low) // step
    return low - max(0, spare) // 2 * step, step


def price_labels(scale: _Scale, low: int, row_step: int, rows: int) -> list[str]:
    """Label every second row from below with its price, from the top row down; `low` in half ticks."""
    decimals, tick_units = scale
    prices = [(low + row_step * row) // 2 * tick_units for row in range(rows)]
    labels = [
        grouped(scaled_text(price, decimals)) if row % 2 == 0 else "" for row, price in enumerate(prices)
    ]
    return labels[::-1]


def columns_in(points: int, across: int) -> int:
    """Give the points a dot column stands for, so that the whole path fits in `across` cells."""
    return max(1, -(-points // (2 * max(1, across))))


def cell_of(back: int, per: int, phase: int, across: int) -> int:
    """Give the cell of the point `back` places before the newest; `across` where it is not drawn yet."""
    begun = (phase + 1) % per
    if back < begun:
        return across
    return (2 * across - 1 - (back - begun) // per) // 2


def time_axis(points: int, per: int, across: int) -> str:
    """Write 60 s, 40 s, 20 s and now under a path."""
    cells = [" "] * across
    for label, back in (("-60 s", points - 1), ("-40 s", points * 2 // 3), ("-20 s", points // 3)):
        start = max(0, cell_of(back, per, per - 1, across))
        if start + len(label) < across - 4:
            cells[start : start + len(label)] = label
    if across >= 3:
        cells[-3:] = "now"
    return "".join(cells)


_FILL_NAMES = (("we bought", "we sold"), ("bought", "sold"), ("B", "S"))


def _fill_rows(chart: ChartView, points: int, per: int, phase: int, gutter: int, across: int) -> list[Line]:
    bought, sold = next((pair for pair in _FILL_NAMES if len(pair[0]) < gutter), _FILL_NAMES[-1])
    grid = (points, per, phase, gutter, across)
    return [
        _fill_row(chart.marks, 1, FILL_UP, bought, "bid-strong", grid),
        _fill_row(chart.marks, -1, FILL_DOWN, sold, "ask-strong", grid),
    ]


def _fill_row(
    marks: Sequence[tuple[int, int, int]],
    sign: int,
    glyph: str,
    name: str,
    role: str,
    grid: tuple[int, int, int, int, int],
) -> Line:
    points, per, phase, gutter, across = grid
    cells = [" "] * across
    for index, lots, _ in marks:
        cell = cell_of(points - 1 - index, per, phase, across)
        if lots * sign > 0 and 0 <= cell < across:
            cells[cell] = glyph
    return (name.rjust(gutter - 1) + "  ", "dim"), ("".join(cells), role)
