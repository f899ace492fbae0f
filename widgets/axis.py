"""The ladder's price axis: which step, which centre, and when either may move.

Pure values. The step is the smallest at which the rows span twice the 10 s range, and at which at least
half of them hold a level: a quiet market would else be a ladder of empty rows. The axis stands still while
the touch moves inside its middle half. Times are the engine's, in ns; they may jump back (a replay sought),
which never holds the axis fast.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.core.snapshot import LadderView
from widgets.plot import nice_step

RECENTRE_EVERY_NS = 1_000_000_000
STEP_EVERY_NS = 30_000_000_000
SETTLE_NS = 10_000_000_000
"""In the first ten seconds the 10 s range is still growing: the step may follow it upwards at once."""
_HELD, _HELD_TO_REFINE, _OF = 4, 5, 8
"""Eighths of the rows that must hold a level."""


@dataclass(frozen=True, slots=True)
class LadderAxis:
    """State of one axis; `step` in ticks, `centre` in steps (price / step of the middle row)."""

    step: int = 0
    """0 before the first book."""
    centre: int = 0
    by_hand: bool = False
    """True after `+` or `-`: the step no longer follows the range."""
    born_ns: int = 0
    step_ns: int = 0
    centred_ns: int = 0

    def follow(self, ladder: LadderView, rows: int, ts_ns: int, held: bool = False) -> LadderAxis:
        """Give the axis for a ladder of `rows` rows; `held` (an order cursor) forbids recentring."""
        if not ladder.mid_half_ticks or rows <= 0:
            return self
        if not self.step:
            step = _wanted_step(ladder, rows)
            return LadderAxis(step, _centre(ladder, step), False, ts_ns, ts_ns, ts_ns)
        axis = self._restep(ladder, rows, ts_ns)
        off_centre = abs(_centre(ladder, axis.step) - axis.centre) > rows // 4
        if off_centre and not held and _passed(axis.centred_ns, ts_ns, RECENTRE_EVERY_NS):
            return axis.recentred(ladder, ts_ns)
        return axis

    def _restep(self, ladder: LadderView, rows: int, ts_ns: int) -> LadderAxis:
        young = not _passed(self.born_ns, ts_ns, SETTLE_NS)
        may_fall = _passed(self.step_ns, ts_ns, STEP_EVERY_NS)
        if self.by_hand or not (young or may_fall):
            return self
        wanted = _wanted_step(ladder, rows, self.step)
        if wanted == self.step or (wanted < self.step and not may_fall):
            return self
        return replace(self, step=wanted, step_ns=ts_ns).recentred(ladder, ts_ns)

    def recentred(self, ladder: LadderView, ts_ns: int) -> LadderAxis:
        """Put the mid into the middle row."""
        if not ladder.mid_half_ticks or not self.step:
            return self
        return replace(self, centre=_centre(ladder, self.step), centred_ns=ts_ns)

    def stepped(self, direction: int, ladder: LadderView, ts_ns: int) -> LadderAxis:
        """Take the next larger (+1) or smaller (-1) 1-2-5 step, never below one tick."""
        if not self.step:
            return self
        step = nice_step(self.step + 1) if direction > 0 else _smaller_step(self.step)
        return replace(self, step=step, by_hand=True, step_ns=ts_ns).recentred(ladder, ts_ns)

    def automatic(self) -> LadderAxis:
        """Let the step follow the range again."""
        return replace(self, by_hand=False, step_ns=0)


def _wanted_step(ladder: LadderView, rows: int, now: int = 0) -> int:
    """Give the 1-2-5 step for the 10 s range and for the levels there are; `now` is the step of the axis.

    A finer step than the one of the axis wants more levels, so that a book at the border does not swing.
    """
    step = nice_step(max(1, -(-2 * ladder.range_10s_ticks // rows)))
    while step < ladder.mid_half_ticks:
        held, beyond = _held_rows(ladder, rows, step)
        if not beyond or held * _OF >= rows * (_HELD_TO_REFINE if step < now else _HELD):
            break
        step = nice_step(step + 1)
    return step


def _held_rows(ladder: LadderView, rows: int, step: int) -> tuple[int, bool]:
    """Count the rows round the mid that hold a level, and tell whether a level lies beyond them."""
    top = _centre(ladder, step) + rows // 2
    held, beyond = 0, False
    for levels, place in ((ladder.bids, bid_row), (ladder.asks, ask_row)):
        last = None
        for price, _ in levels:
            row = place(price, step)
            if not top - rows < row <= top:
                beyond = True
                break
            held += row != last
            last = row
    return held, beyond


def _smaller_step(step: int) -> int:
    candidate, smaller = 1, 1
    while candidate < step:
        smaller, candidate = candidate, nice_step(candidate + 1)
    return smaller


def _centre(ladder: LadderView, step: int) -> int:
    return ladder.mid_half_ticks // (2 * step)


def _passed(since_ns: int, ts_ns: int, span_ns: int) -> bool:
    return not 0 <= ts_ns - since_ns < span_ns


def bid_row(price_ticks: int, step: int) -> int:
    """Give the step a bid belongs to: rounded down, so that it never looks better than it is."""
    return price_ticks // step


def ask_row(price_ticks: int, step: int) -> int:
    """Give the step an ask belongs to: rounded up."""
    return -(-price_ticks // step)
