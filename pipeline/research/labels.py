"""Labels of a decision: what the market did from the decision time plus a delay, over a horizon.

All of them read the *path* of the touch on the receive clock: the last state at or before an instant counts,
nothing is taken from after it, nothing is filled backwards. A stretch without a believable book is part of
the path; a label that would look across one is unknown, as is one that would end after the path does.

Instants of a row decided at t, with delay d and horizon h: start = t + d, end = t + d + h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
Signs = npt.NDArray[np.int8]

SECOND_NS = 1_000_000_000
SIGMA_SAMPLES = 30
"""One-second moves the trailing volatility is made of."""


@dataclass(frozen=True, slots=True)
class TouchPath:
    """The best prices over time; each state holds until the next one."""

    ts_ns: Times
    """Receive times, never falling, [m]; at least one."""
    bid_ticks: Times
    """Best bid, [m]; 0 where no book could be believed."""
    ask_ticks: Times
    """Best ask, [m]; 0 where no book could be believed."""
    end_ns: int
    """The last instant the path is known for."""

    def at(self, ts_ns: Times) -> npt.NDArray[np.intp]:
        """Give the index of the state at each instant; -1 before the first."""
        return np.searchsorted(self.ts_ns, ts_ns, side="right") - 1

    def mid_half_ticks(self) -> Floats:
        """Give bid + ask of every state, NaN where no book could be believed, [m]."""
        return np.where(self._whole, self.bid_ticks + self.ask_ticks, np.nan)

    def known(self, start_ns: Times, end_ns: Times) -> npt.NDArray[np.bool_]:
        """Say for each span whether a book could be believed at every instant of it."""
        first, last = self.at(start_ns), self.at(end_ns)
        lost_until = np.concatenate(([0], np.cumsum(~self._whole)))
        whole = lost_until[last + 1] == lost_until[np.maximum(first, 0)]
        known: npt.NDArray[np.bool_] = (first >= 0) & (end_ns <= self.end_ns) & whole
        return known

    @property
    def _whole(self) -> npt.NDArray[np.bool_]:
        return (self.bid_ticks > 0) & (self.ask_ticks > self.bid_ticks)


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when a label looks, in ns."""

    delay_ns: int
    horizon_ns: int

    def __post_init__(self) -> None:
        """Refuse a window that looks at nothing.

        Raises:
            ValueError: a horizon that is not above 0, or a delay below.
        """
        if self.horizon_ns <= 0 or self.delay_ns < 0:
            raise ValueError(f"horizon {self.horizon_ns} ns, delay {self.delay_ns} ns: want > 0 and >= 0")


def mid_returns(path: TouchPath, ts_ns: Times, window: Window) -> Floats:
    """Give mid(end) / mid(start) - 1 of each row, [n]; NaN where it is unknown."""
    start_ns, end_ns, known = _span(path, ts_ns, window)
    mid = path.mid_half_ticks()
    moves = mid[path.at(end_ns)] / mid[path.at(start_ns)] - 1.0
    return np.where(known, moves, np.nan)


def executable_returns(path: TouchPath, ts_ns: Times, window: Window) -> tuple[Floats, Floats]:
    """Give what a taker gets before fees, as fractions, [n] each.

    Long is bid(end) / ask(start) - 1, short is 1 - ask(end) / bid(start); NaN where it is unknown. Fees are
    left to who knows them: subtract a round trip's from both.
    """
    start_ns, end_ns, known = _span(path, ts_ns, window)
    first, last = path.at(start_ns), path.at(end_ns)
    bid, ask = path.bid_ticks.astype(np.float64), path.ask_ticks.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        long = bid[last] / ask[first] - 1.0
        short = 1.0 - ask[last] / bid[first]
    return np.where(known, long, np.nan), np.where(known, short, np.nan)


def trailing_sigma(path: TouchPath, ts_ns: Times) -> Floats:
    """Give the root mean square of the last 30 one-second mid returns before each row, [n]; NaN unless whole.

    Only states at or before the row's own instant are read.
    """
    mid = path.mid_half_ticks()
    total = np.zeros(len(ts_ns))
    newer = path.at(ts_ns)
    for back in range(1, SIGMA_SAMPLES + 1):
        older = path.at(ts_ns - back * SECOND_NS)
        move = mid[newer] / mid[older] - 1.0
        total += np.where(older >= 0, move, np.nan) ** 2
        newer = older
    return np.sqrt(total / SIGMA_SAMPLES)


@dataclass(frozen=True, slots=True)
class Barriers:
    """What became of each row between two barriers, [n] each."""

    outcome: Signs
    """1: the upper barrier came first; -1: the lower; 0: neither within the horizon, or unknown."""
    end_ns: Times
    """When the outcome was settled: the touch, or the end of the horizon; 0 where it is unknown."""


def triple_barrier(path: TouchPath, ts_ns: Times, window: Window, width: Floats) -> Barriers:
    """Give which of mid(start) * (1 +- width) the mid reaches first within the horizon.

    `width` is a fraction of the price for each row; a row whose width is NaN or not above 0 is unknown.
    The outcome of a row is settled at its touch, so purging must use `end_ns`.
    """
    start_ns, end_ns, known = _span(path, ts_ns, window)
    known &= np.nan_to_num(width) > 0.0
    mid = path.mid_half_ticks()
    first, last = path.at(start_ns), path.at(end_ns)
    outcome = np.zeros(len(ts_ns), dtype=np.int8)
    settled = np.where(known, end_ns, 0)
    for row in np.flatnonzero(known):
        low, high = first[row], last[row] + 1
        moves = mid[low:high] / mid[low] - 1.0
        reached = np.abs(moves) >= width[row]
        if reached.any():
            at = int(reached.argmax())
            outcome[row] = 1 if moves[at] > 0.0 else -1
            settled[row] = path.ts_ns[low + at]
    return Barriers(outcome, settled)


def three_classes(returns: Floats, theta: float) -> Signs:
    """Give -1, 0 or 1 for a move below -theta, within, or above; unknown returns give 0, mask them apart."""
    moved = np.abs(np.nan_to_num(returns)) > theta
    return np.where(moved, np.sign(np.nan_to_num(returns)), 0.0).astype(np.int8)


def _span(path: TouchPath, ts_ns: Times, window: Window) -> tuple[Times, Times, npt.NDArray[np.bool_]]:
    start_ns = ts_ns + window.delay_ns
    end_ns = start_ns + window.horizon_ns
    return start_ns, end_ns, path.known(start_ns, end_ns)
