"""Do probabilities mean what they say: Brier score, calibration error and a table by decile. Pure.

Over the newest calls that moved. Bins hold equal counts in the order of the probability, ties in the order
they came, as `research/scores.py` bins them. Nothing is summed before somebody asks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.types import E6

CALLS_KEPT = 2_000
BINS = 10

Call = tuple[int, bool, int]
"""(P(up) in 1e-6, whether it went up, move of the mid in 1e-9 of the price)."""


@dataclass(frozen=True, slots=True)
class Decile:
    """One bin of equal count, the lowest probability first."""

    calls: int
    p_up_e6: int
    """Mean probability."""
    up_e6: int
    """Share that went up."""
    hit_e6: int
    """Share that went where the probability pointed; one half points nowhere and misses."""
    move_e9: int
    """Mean move in the direction the probability pointed, in 1e-9 of the price."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """All of it at one moment."""

    calls: int
    brier_e6: int
    ece_e6: int
    """Mean |share that went up - mean probability| over the bins."""
    bias_e6: int
    """Mean probability less the share that went up."""
    deciles: tuple[Decile, ...]


NOTHING = Reliability(0, 0, 0, 0, ())


class RecentCalls:
    """The newest calls whose outcome is known."""

    __slots__ = ("_calls", "noted")

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self.noted = 0
        """Calls ever noted."""

    def add(self, p_up_e6: int, up: bool, move_e9: int) -> None:
        """Note one call that moved."""
        self._calls.append((p_up_e6, up, move_e9))
        self.noted += 1

    def reliability(self) -> Reliability:
        """Sum it up: a millisecond when full."""
        return reliability_of(tuple(self._calls))

    def state(self) -> tuple[Call, ...]:
        """Give the calls, oldest first."""
        return tuple(self._calls)

    def restore(self, calls: Sequence[Call]) -> None:
        """Go on from calls of before."""
        self._calls.extend(calls)
        self.noted += len(calls)


def reliability_of(calls: Sequence[Call]) -> Reliability:
    """Sum up calls; an empty sequence gives zeros."""
    count = len(calls)
    if not count:
        return NOTHING
    brier = sum((p - E6 * up) ** 2 for p, up, _ in calls)
    apart = sum(p - E6 * up for p, up, _ in calls)
    bins = _bins(sorted(calls, key=_by_probability))
    gaps = [abs(sum(p - E6 * up for p, up, _ in part)) for part in bins]
    return Reliability(
        calls=count,
        brier_e6=brier // (count * E6),
        ece_e6=sum(gaps) // count,
        bias_e6=apart // count,
        deciles=tuple(_decile(part) for part in bins),
    )


def _by_probability(call: Call) -> int:
    return call[0]


def _bins(ordered: list[Call]) -> list[list[Call]]:
    """Cut into ten parts whose counts differ by one at most, the larger first; one part for a constant."""
    if ordered[0][0] == ordered[-1][0]:
        return [ordered]
    least, longer = divmod(len(ordered), BINS)
    bins, start = [], 0
    for place in range(BINS):
        end = start + least + (place < longer)
        bins.append(ordered[start:end])
        start = end
    return [part for part in bins if part]


def _decile(calls: list[Call]) -> Decile:
    count = len(calls)
    return Decile(
        calls=count,
        p_up_e6=sum(p for p, _, _ in calls) // count,
        up_e6=E6 * sum(up for _, up, _ in calls) // count,
        hit_e6=E6 * sum(p != E6 // 2 and (p > E6 // 2) == up for p, up, _ in calls) // count,
        move_e9=sum(move * _sign(p) for p, _, move in calls) // count,
    )


def _sign(p_up_e6: int) -> int:
    return (p_up_e6 > E6 // 2) - (p_up_e6 < E6 // 2)
