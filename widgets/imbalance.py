"""Order-book imbalance by depth and order flow, as bars around a centre line."""

from __future__ import annotations

from pipeline.core.snapshot import NONE_E6, ConsoleSnapshot, ImbalanceView
from widgets.base import SnapshotWidget
from widgets.cells import ratio, right
from widgets.glyphs import VERTICAL
from widgets.lines import Item, Line, fit, text
from widgets.plot import centre_bar
from widgets.times import age_text

_E6 = 1_000_000
_FLOW_FULL_E6 = 20 * _E6
"""Flow of this many mean depths fills the bar."""
_NUMBERS_RANK = 4
_FLOW_RANK, _TRADES_RANK = 6, 7
"""The line of numbers comes after four bars in importance."""


class ImbalancePanel(SnapshotWidget):
    """Who leans on the book, and who trades."""

    TITLE = "IMBALANCE"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Give the age of the row."""
        del room
        return text(f"row {age_text(snapshot.imbalance.age_ms).rjust(6)}", "dim"), text(
            "- sell  + buy", "dim"
        )

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give one bar a depth, then the flow."""
        view = snapshot.imbalance
        bars = (
            (0, "L1", view.qi_1_e6, _E6),
            (2, "L5", view.qi_5_e6, _E6),
            (3, "L10", view.qi_10_e6, _E6),
            (5, "weighted", view.dwi_e6, _E6),
            (1, "flow 1 s", view.ofi_1s_e6, _FLOW_FULL_E6),
            (_FLOW_RANK, "flow 5 s", view.ofi_5s_e6, _FLOW_FULL_E6),
            (_TRADES_RANK, "trades", view.tfi_1s_e6, _E6),
        )
        rows = [bar_row(name, value, full, width) for rank, name, value, full in bars if rank < height]
        drawn = 3 if height > _TRADES_RANK else 2 if height > _FLOW_RANK else 0
        micro, flow, trades = flow_items(view)
        numbers = [micro, *([flow] if drawn < 2 else []), *([trades] if drawn < 3 else [])]
        return [*rows, fit(numbers, width)] if height > _NUMBERS_RANK else rows


def bar_row(name: str, value_e6: int, full_e6: int, width: int) -> Line:
    """Give one signed bar with its name and number."""
    half = max(1, (width - 18) // 2)
    label = ((f"{name:<8} ", "dim"), (right(ratio(value_e6), 6) + " ", _role(value_e6)))
    if value_e6 == NONE_E6:
        return (*label, (" " * half, "text"), (VERTICAL, "rule"), (" " * half, "text"))
    before, after = centre_bar(value_e6, full_e6, half)
    return (*label, (before, "ask-bar"), (VERTICAL, "rule"), (after, "bid-bar"))


def flow_items(view: ImbalanceView) -> list[Item]:
    """Give the numbers without a bar."""
    return [
        (0, _number("micro", view.micro_dev_e6, " t")),
        (1, _number("flow 5 s", view.ofi_5s_e6)),
        (2, _number("trades 1 s", view.tfi_1s_e6)),
    ]


def _number(name: str, value_e6: int, unit: str = "") -> Line:
    return (f"{name} ", "dim"), (
        right(ratio(value_e6), 6) + (unit if value_e6 != NONE_E6 else ""),
        _role(value_e6),
    )


def _role(value_e6: int) -> str:
    if value_e6 == NONE_E6:
        return "stale"
    return "bid" if value_e6 > 0 else "ask" if value_e6 < 0 else "text"
