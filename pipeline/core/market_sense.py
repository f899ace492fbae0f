"""Whether one symbol's market makes sense: spread, sizes, and how far the mid moves by its own measure (C20).

The measure is the root of the mean square of the mid's moves from second to second over the last minute. A
jump is many times that; before half a minute is known, and beyond it, a fixed bound holds. A quiet market's
measure is next to nothing, so that it never counts for less than a tenth of a basis point, and a jump is
never less than two spreads. A move takes part in the measure at most as large as the bound lets pass.
"""

from __future__ import annotations

from collections import deque
from math import isqrt

from pipeline.core.params import RiskLimits
from pipeline.core.types import E6, DenyReason

MOVES_KEPT = 60
LEAST_MOVES = 30
_LEAST_SIGMA_E6 = 10
_SPREADS = 2
_CALM_NS = 1_000_000_000
_WINDOW_NS = 60_000_000_000

Breach = tuple[DenyReason, int, int]


class MarketSense:
    """Measures one symbol's moves and counts how often its market made no sense."""

    def __init__(self, limits: RiskLimits | None) -> None:
        self._limits = limits
        self._squares: deque[int] = deque()
        self._sum = 0
        self._senseless_ns = -_WINDOW_NS
        self._began: deque[int] = deque()

    @property
    def sigma_e6(self) -> int:
        """Give the usual move of the mid in a second, in 1e-6; -1 while it is not known."""
        known = len(self._squares)
        return isqrt(self._sum // known) if known >= LEAST_MOVES else -1

    def on_second(self, before: int, mid: int, spread: int) -> None:
        """Take the mid of a second ago and of now, and the spread, in half ticks; 0 where there was none."""
        if before <= 0 or mid <= 0:
            return
        move = min(abs(mid - before) * E6 // before, self.most_jump_e6(mid, spread))
        self._squares.append(move * move)
        self._sum += move * move
        if len(self._squares) > MOVES_KEPT:
            self._sum -= self._squares.popleft()

    def most_jump_e6(self, mid: int, spread: int) -> int:
        """Give how far the mid may move within a second, in 1e-6."""
        limits = self._limits
        if limits is None:
            return 0
        sigma = self.sigma_e6
        if sigma < 0 or not limits.max_jump_sigmas:
            return limits.max_jump_e6
        own = max(limits.max_jump_sigmas * max(sigma, _LEAST_SIGMA_E6), _SPREADS * spread * E6 // mid)
        return min(limits.max_jump_e6, own)

    def look(self, breach: Breach | None, now_ns: int) -> tuple[bool, bool]:
        """Take what is wrong with the market now; say whether that is news, and whether it is once too often.

        What goes on is one time, and so is what comes back within a second.
        """
        if breach is None or self._limits is None:
            return False, False
        news = now_ns - self._senseless_ns >= _CALM_NS
        self._senseless_ns = now_ns
        if not news:
            return False, False
        self._began.append(now_ns)
        while self._began[0] <= now_ns - _WINDOW_NS:
            self._began.popleft()
        often = len(self._began) >= self._limits.max_market_breaches
        if often:
            self._began.clear()
        return True, often


def market_breach(
    limits: RiskLimits, spread_e6: int, jump_e6: int, most_jump_e6: int, touch_quote_e8: int
) -> Breach | None:
    """Give what makes no sense, the limit and the value; None of a market one may trade in."""
    if spread_e6 > limits.max_spread_e6:
        return DenyReason.SPREAD, limits.max_spread_e6, spread_e6
    if touch_quote_e8 > limits.max_touch_quote_e8:
        return DenyReason.TOUCH_SIZE, limits.max_touch_quote_e8, touch_quote_e8
    if jump_e6 > most_jump_e6:
        return DenyReason.MARKET_JUMP, most_jump_e6, jump_e6
    return None
