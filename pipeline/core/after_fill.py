"""Where the mid went after our fills: the honest measure of what a fill was worth.

Each fill waits in one bounded queue per horizon until the clock passes fill time plus horizon; then the mid
of that moment is compared with the mid at the fill. A fill whose horizon passes without an ok book is void.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.core.types import Side

HORIZONS_NS = (1_000_000_000, 10_000_000_000, 60_000_000_000)
"""1, 10 and 60 seconds."""

NONE_MATURED_E6 = 1 << 52
"""What a mean move reads as before any fill has matured."""

_E9 = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Waiting:
    due_ns: int
    symbol: str
    side: Side
    maker: bool
    mid_half_ticks: int


@dataclass(slots=True)
class _Mean:
    sum_e9: int = 0
    count: int = 0

    def add(self, value_e9: int) -> None:
        self.sum_e9 += value_e9
        self.count += 1


@dataclass(slots=True)
class _Horizon:
    waiting: deque[_Waiting] = field(default_factory=deque)
    maker: _Mean = field(default_factory=_Mean)
    taker: _Mean = field(default_factory=_Mean)


class AfterFillMoves:
    """Mean signed move of the mid after our fills, by horizon, makers and takers apart."""

    def __init__(self, bound: int = 1_024) -> None:
        """Start empty; `bound` is how many fills may wait for one horizon, the oldest is dropped first."""
        self._bound = bound
        self._horizons = tuple(_Horizon() for _ in HORIZONS_NS)
        self.overflowed = 0
        """Fills dropped before they matured, counted once a horizon."""
        self.void = 0
        """Fills that matured without an ok book."""

    def on_fill(self, symbol: str, side: Side, maker: bool, mid_half_ticks: int, ts_ns: int) -> None:
        """Note a fill at a mid (twice the mid in ticks); one without a mid (0) is not followed."""
        if mid_half_ticks <= 0:
            return
        for horizon, span_ns in zip(self._horizons, HORIZONS_NS, strict=True):
            horizon.waiting.append(_Waiting(ts_ns + span_ns, symbol, side, maker, mid_half_ticks))
            if len(horizon.waiting) > self._bound:
                horizon.waiting.popleft()
                self.overflowed += 1

    def mature(self, mid_half_ticks: Mapping[str, int], now_ns: int) -> None:
        """Compare every fill whose horizon has passed with the mid now; a missing or 0 mid makes it void."""
        for horizon in self._horizons:
            waiting = horizon.waiting
            while waiting and waiting[0].due_ns <= now_ns:
                fill = waiting.popleft()
                mid = mid_half_ticks.get(fill.symbol, 0)
                if mid <= 0:
                    self.void += 1
                    continue
                move_e9 = fill.side * (mid - fill.mid_half_ticks) * _E9 // fill.mid_half_ticks
                (horizon.maker if fill.maker else horizon.taker).add(move_e9)

    def mean_e6(self, index: int, maker: bool | None = None) -> int:
        """Give the mean move over `HORIZONS_NS[index]` in 1e-6 of the price, positive = in our favour.

        `maker` picks one kind of fill, None takes both. `NONE_MATURED_E6` while none has matured.
        """
        horizon = self._horizons[index]
        kinds = [horizon.maker, horizon.taker]
        if maker is not None:
            kinds = [horizon.maker if maker else horizon.taker]
        count = sum(kind.count for kind in kinds)
        if count == 0:
            return NONE_MATURED_E6
        return sum(kind.sum_e9 for kind in kinds) // (count * 1_000)

    def count(self, index: int, maker: bool) -> int:
        """Give how many fills of a kind have matured over `HORIZONS_NS[index]`."""
        horizon = self._horizons[index]
        return (horizon.maker if maker else horizon.taker).count
