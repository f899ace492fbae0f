"""How the model's calls came out: the sign of the score against the move of the mid over the horizon.

One call a second is followed, so that neighbouring rows do not count the same move ten times. For the
screen, and for the health agent that takes AUTO from a model far worse than a coin.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

SAMPLE_NS = 1_000_000_000
SHOWN = 12
_PENDING = 64
JUDGED = 50
"""Calls the skill is judged by: by chance alone 70 % of them are wrong once in 400 times."""


@dataclass(frozen=True, slots=True)
class _Call:
    due_ns: int
    sign: int
    mid_half_ticks: int


class Outcomes:
    """Calls waiting for their horizon, and the marks of those that came of age."""

    def __init__(self, horizon_ns: int) -> None:
        self._horizon_ns = horizon_ns
        self._pending: deque[_Call] = deque(maxlen=_PENDING)
        self._marks: deque[str] = deque(maxlen=SHOWN)
        self._next_ns = 0
        self._hits: deque[bool] = deque(maxlen=JUDGED)

    @property
    def misses_percent(self) -> int:
        """Give how many of the last calls with a move were wrong, in percent; 0 before there are enough."""
        full = len(self._hits) == JUDGED
        return 100 * self._hits.count(False) // JUDGED if full else 0

    def note(self, score_e6: int, mid_half_ticks: int, ts_ns: int) -> None:
        """Follow a call, at most one a second; a score of zero or a missing mid is no call."""
        if ts_ns < self._next_ns or score_e6 == 0 or mid_half_ticks <= 0:
            return
        self._next_ns = ts_ns + SAMPLE_NS
        sign = 1 if score_e6 > 0 else -1
        self._pending.append(_Call(ts_ns + self._horizon_ns, sign, mid_half_ticks))

    def mature(self, mid_half_ticks: int, ts_ns: int) -> None:
        """Judge the calls whose horizon is over by the mid now; without a mid they wait no longer."""
        while self._pending and self._pending[0].due_ns <= ts_ns:
            call = self._pending.popleft()
            if mid_half_ticks > 0:
                mark = _mark(call.sign, mid_half_ticks - call.mid_half_ticks)
                self._marks.append(mark)
                if mark != ".":
                    self._hits.append(mark == "+")

    def forget(self) -> None:
        """Drop calls that wait, after a break in the book."""
        self._pending.clear()

    @property
    def marks(self) -> str:
        """Give the newest marks, newest last: `+` came true, `-` did not, `.` no move."""
        return "".join(self._marks)


def _mark(sign: int, move: int) -> str:
    if move == 0:
        return "."
    return "+" if move * sign > 0 else "-"
