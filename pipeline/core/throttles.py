"""What one symbol's orders may not do too often: rates, repeated executions, duplicates (C7, C8, C10).

Reading never changes anything, so that the checks built on it are pure; `RiskEngine` writes after a verdict.
Times are in nanoseconds and do not go back.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from pipeline.core.params import RiskLimits
from pipeline.core.types import OrderIntent, Origin, Side

_SECOND_NS = 1_000_000_000
_HALF_NS = 300 * _SECOND_NS
_RECENT_ORDERS = 1_024
"""Far more than any rate limit lets through within a duplicate window."""


class TokenBucket:
    """A bucket of `burst` tokens that fills at a rate; a rate or burst of 0 never gives one."""

    __slots__ = ("_clear_ns", "_interval_ns", "burst")

    def __init__(self, per_second: int, burst: int) -> None:
        self.burst = burst if per_second > 0 else 0
        self._interval_ns = _SECOND_NS // max(1, per_second)
        self._clear_ns = 0

    def used(self, now_ns: int) -> int:
        """Give how many tokens are out now; one more may be taken while this is below `burst`."""
        return -(-max(0, self._clear_ns - now_ns) // self._interval_ns)

    def take(self, now_ns: int) -> None:
        """Take a token; the caller has looked whether there is one."""
        self._clear_ns = max(self._clear_ns, now_ns) + self._interval_ns


class OrdersPerTrade:
    """Orders, and those of them that traded, within the last five to ten minutes (C7)."""

    __slots__ = ("_before", "_half", "_now")

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start counting from nothing."""
        self._half = -1
        self._now, self._before = [0, 0], [0, 0]

    def counts(self, now_ns: int) -> tuple[int, int]:
        """Give orders and trades."""
        gone = now_ns // _HALF_NS - self._half
        if gone > 1:
            return 0, 0
        if gone == 1:
            return self._now[0], self._now[1]
        return self._now[0] + self._before[0], self._now[1] + self._before[1]

    def on_order(self, now_ns: int) -> None:
        """Count an order that may go."""
        self._roll(now_ns)
        self._now[0] += 1

    def on_traded(self, now_ns: int) -> None:
        """Count an order at its first fill."""
        self._roll(now_ns)
        self._now[1] += 1

    def _roll(self, now_ns: int) -> None:
        half = now_ns // _HALF_NS
        if half != self._half:
            self._before = self._now if half == self._half + 1 else [0, 0]
            self._half, self._now = half, [0, 0]


@dataclass(slots=True)
class RepeatedExecution:
    """Stops a strategy that trades on and on: once tripped it stays so until a person re-enables it."""

    limits: RiskLimits
    tripped: bool = False
    same_side_run: int = 0
    """Orders that traded on one side without one of the other since; signed like the side."""
    rejects: int = 0
    """Venue rejections in a row."""
    _order_times_ns: deque[int] = field(default_factory=deque)

    def breach(self, side: Side, now_ns: int) -> tuple[int, int] | None:
        """Give (limit, value) of what stops the next model order of this side; None while nothing does."""
        limits = self.limits
        times_ns, window_ns = self._order_times_ns, limits.throttle_window_ns
        full = len(times_ns) >= limits.throttle_orders
        if self.tripped or (full and (not times_ns or now_ns - times_ns[0] < window_ns)):
            in_window = sum(1 for ts_ns in times_ns if now_ns - ts_ns < window_ns)
            return limits.throttle_orders, in_window + 1
        run = self.same_side_run * side
        if run >= limits.throttle_same_side:
            return limits.throttle_same_side, run + 1
        if self.rejects >= limits.throttle_rejects:
            return limits.throttle_rejects, self.rejects
        return None

    def on_order(self, now_ns: int) -> None:
        """Count a model order that may go."""
        self._order_times_ns.append(now_ns)
        while len(self._order_times_ns) > self.limits.throttle_orders:
            self._order_times_ns.popleft()

    def on_traded(self, side: Side) -> None:
        """Count an order at its first fill."""
        self.same_side_run = self.same_side_run + side if self.same_side_run * side > 0 else int(side)

    def reenable(self) -> None:
        """Start counting from nothing: a person said so."""
        self.tripped = False
        self.same_side_run = 0
        self.rejects = 0
        self._order_times_ns.clear()


class AggressiveFlow:
    """Value of what was sent to take, by side, within a window (C4)."""

    def __init__(self, window_ns: int = 60 * _SECOND_NS) -> None:
        self._window_ns = window_ns
        self._sent: deque[tuple[int, int]] = deque(maxlen=_RECENT_ORDERS)

    def net(self, now_ns: int) -> int:
        """Give bought less sold within the window, in 1e-8 of the quote currency."""
        return sum(value for ts_ns, value in self._sent if now_ns - ts_ns < self._window_ns)

    def add(self, side: Side, value_e8: int, now_ns: int) -> None:
        """Remember an order that may go."""
        while self._sent and now_ns - self._sent[0][0] >= self._window_ns:
            self._sent.popleft()
        self._sent.append((now_ns, side * value_e8))


_Likeness = tuple[Side, int, int, Origin, str]


class RecentOrders:
    """What went out lately, against sending it again; and the newest row a model order was made from."""

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._sent: deque[tuple[int, _Likeness]] = deque(maxlen=_RECENT_ORDERS)
        self.last_feature_seq = -1

    def repeats(self, intent: OrderIntent, now_ns: int) -> int:
        """Give the age in nanoseconds of an order just like this one inside the window; -1 without one."""
        if type(intent.qty_lots) is not int or type(intent.price_ticks) is not int:
            return -1  # Denied by the check of numbers; what compares with what is not asked of garbage.
        likeness = _likeness(intent)
        for ts_ns, sent in reversed(self._sent):
            if now_ns - ts_ns >= self._window_ns:
                return -1
            if sent == likeness:
                return now_ns - ts_ns
        return -1

    def add(self, intent: OrderIntent, now_ns: int) -> None:
        """Remember an order that may go."""
        self._sent.append((now_ns, _likeness(intent)))
        if intent.origin is Origin.MODEL:
            self.last_feature_seq = intent.feature_seq


def _likeness(intent: OrderIntent) -> _Likeness:
    return intent.side, intent.price_ticks, intent.qty_lots, intent.origin, intent.model_id
