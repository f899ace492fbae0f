"""The small screen's five lines: imbalance, score, why not, prints, newest alert."""

from __future__ import annotations

from pipeline.core.snapshot import NONE_E6, ConsoleSnapshot
from widgets.alerts import alert_line, in_sight
from widgets.base import SnapshotWidget
from widgets.cells import price_text, ratio, right, side_word, size_places, size_text
from widgets.chart import POINT_NS, touch_words
from widgets.imbalance import flow_items
from widgets.lines import Item, Line, fit, join, text
from widgets.marks import side_role
from widgets.plot import averages, sparkline, whole_columns
from widgets.score import score_role
from widgets.why import edge_parts, funnel, stopped_parts

_E6 = 1_000_000
_PER_BLOCK = 8
"""Points of the score a block of the sparkline stands for: two seconds."""


class MarketPanel(SnapshotWidget):
    """One line each of what the large screen has panels for."""

    TITLE = "MARKET"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Give the exact touch."""
        del room
        planted = snapshot.why.planted
        return touch_words(snapshot), text("flow is planted" if planted else "", "warn")

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give five lines."""
        alert = (
            alert_line(in_sight(snapshot.alerts, 1)[0], snapshot, width)
            if snapshot.alerts
            else text(" no alerts", "dim")
        )
        parts = (*funnel(snapshot.why)[:5], join(stopped_parts(snapshot.why)[:2], 1))
        why = list(enumerate(parts))
        lines = [
            _labelled("imb", _imbalance_items(snapshot), width),
            score_line(snapshot, width),
            _labelled("60 s", why, width, gap=1),
            _prints_line(snapshot, width),
            alert,
        ]
        return lines[:height]


def _labelled(label: str, items: list[Item], width: int, gap: int = 2) -> Line:
    return ((f" {label:<5} ", "dim"), *fit(items, width - 7, gap))


def _imbalance_items(snapshot: ConsoleSnapshot) -> list[Item]:
    view = snapshot.imbalance
    pairs = (("L1", view.qi_1_e6), ("L5", view.qi_5_e6), ("L10", view.qi_10_e6), ("flow 1 s", view.ofi_1s_e6))
    items: list[Item] = [
        (place, ((f"{name} ", "dim"), (right(ratio(value), 6 if "flow" in name else 5), _role(value))))
        for place, (name, value) in enumerate(pairs)
    ]
    return items + [(priority + 4, part) for priority, part in flow_items(view)]


def _role(value_e6: int) -> str:
    if value_e6 == NONE_E6:
        return "stale"
    return "bid" if value_e6 > 0 else "ask" if value_e6 < 0 else "text"


def score_line(snapshot: ConsoleSnapshot, width: int) -> Line:
    """Give score, its last minute, the entry it must pass, and the edge."""
    score = snapshot.score
    if not score.ready:
        words = "MODEL NOT READY" if snapshot.model is not None else "NO MODEL"
        return _labelled("score", [(0, text(words, "overprint"))], width)
    whole = whole_columns(score.path_e6, _PER_BLOCK, snapshot.ts_ns // POINT_NS)
    points = [None if value == NONE_E6 else value for value in whole]
    path = sparkline(averages(points, _PER_BLOCK), -_E6, _E6, 30)
    items: list[Item] = [
        (0, ((right(ratio(score.score_e6), 5), score_role(score)),)),
        (2, text(path, "path")),
        (1, (("entry ", "dim"), (ratio(score.entry_e6, sign=False), "text"))),
        (3, edge_parts(snapshot.why)[1]),
    ]
    return _labelled("score", items, width)


def _prints_line(snapshot: ConsoleSnapshot, width: int) -> Line:
    tape, view = snapshot.tape, snapshot.instrument
    if not tape.prints:
        return _labelled("last", [(0, text("no trades yet", "dim"))], width)
    items: list[Item] = []
    for place, (_, side, ticks, units) in enumerate(tape.prints[:6]):
        size = size_text(units, view.size_decimals, size_places(view))
        words = f"{side_word(side)[0]} {size} {price_text(view, ticks)}"
        large = tape.large_units and units >= tape.large_units
        items.append((place, text(words, side_role(side) + ("-strong" if large else ""))))
    return _labelled("last", items, width)
