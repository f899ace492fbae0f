"""Whether the live model's probabilities mean what they say, by decile, and what a call earns."""

from __future__ import annotations

from pipeline.core.snapshot import NONE_E6, ConsoleSnapshot, DecileView
from widgets.base import SnapshotWidget
from widgets.cells import basis_points, percent, right
from widgets.lines import Line, shortened, text
from widgets.plot import bar

_E6 = 1_000_000
_TABLE = 46


class ReliabilityPanel(SnapshotWidget):
    """The newest calls that moved, in ten bins of equal count."""

    TITLE = "RELIABILITY"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Give what a round trip costs, which no move of a decile comes near on most markets."""
        watch = snapshot.model.watch if snapshot.model is not None else None
        if watch is None or watch.cost_e6 == NONE_E6:
            return (), ()
        words = f"a round trip costs {basis_points(watch.cost_e6, sign=False)} bp"
        return text(words if len(words) <= room else "", "dim"), ()

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give head and one line a bin, the lowest probability first."""
        watch = snapshot.model.watch if snapshot.model is not None else None
        if watch is None or not watch.deciles:
            return [text("  no call has come of age yet", "dim")]
        head: Line = ((f" {'calls':>6}{'said up':>9}{'went up':>9}{'right':>8}{'move bp':>10}", "dim"),)
        return [head, *shortened([_line(one, width) for one in watch.deciles], height - 1)][:height]


def _line(one: DecileView, width: int) -> Line:
    room = width - _TABLE - 2
    apart = abs(one.p_up_e6 - one.up_e6) > 100_000
    return (
        (f" {one.calls:>6}", "dim"),
        (right(percent(one.p_up_e6), 9), "text"),
        (right(percent(one.up_e6), 9), "warn" if apart else "text"),
        (right(percent(one.hit_e6), 8), "text"),
        (right(basis_points(one.move_e6), 10), "text"),
        ("  " + bar(one.up_e6, _E6, room) if room >= 6 else "", "bid"),
    )
