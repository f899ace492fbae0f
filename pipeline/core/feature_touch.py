"""Features of the touch: best prices and sizes, whichever of ticker and depth book is fresher.

Fed with the touch after every ticker and depth message; the caller gives non-decreasing times. Mids are in
half ticks (bid + ask), so that they are integers. A touch that is one-sided, locked or crossed is counted
and makes the group invalid until a proper one comes; nothing is computed from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Final

from pipeline.core.feature_flow import better_flow
from pipeline.core.feature_spec import MS_NS, FeatureSpec, Reader
from pipeline.core.feature_table import (
    DEPTH_TAU_MS,
    IMBALANCE_TAU_MS,
    OFI_WINDOWS_MS,
    RATE_TAU_MS,
    RET_WINDOWS_MS,
)
from pipeline.core.feature_volatility import SecondVolatility
from pipeline.core.windows import DecayedSum, EwmaLevel, WindowSum

Touch = tuple[int, int, int, int]
"""(bid_ticks, bid_units, ask_ticks, ask_units)."""

NO_TOUCH: Final[Touch] = (0, 0, 0, 0)


class TouchFeatures:
    """Rolling state of the touch, O(1) an event."""

    __slots__ = (
        *("_depth", "_flow", "_lean", "_leans", "_messages", "_moves", "_touch", "_volatility"),
        *("invalid_touches", "last_ns", "mid_half_ticks", "valid"),
    )

    def __init__(self, capacity: int, formulas: Sequence[str]) -> None:
        """Start without a touch; `capacity` bounds the changes of the touch a window can hold.

        The mean imbalance is kept up only when it is among `formulas`: it costs 0.4 us a change of the touch.
        """
        self._flow = WindowSum(tuple(ms * MS_NS for ms in OFI_WINDOWS_MS), capacity)
        self._moves = WindowSum(tuple(ms * MS_NS for ms in RET_WINDOWS_MS), capacity)
        self._depth = EwmaLevel(DEPTH_TAU_MS * MS_NS)
        self._messages = DecayedSum(RATE_TAU_MS * MS_NS)
        self._lean = EwmaLevel(IMBALANCE_TAU_MS * MS_NS)
        self._leans = "mean_queue_imbalance" in formulas
        self._volatility = SecondVolatility()
        self.invalid_touches = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything but the counters; the next touch starts anew, without an order-flow event."""
        for rolling in (self._flow, self._moves, self._depth, self._lean, self._messages, self._volatility):
            rolling.clear()
        self._touch = NO_TOUCH
        self.mid_half_ticks = 0
        """Bid + ask of the last proper touch."""
        self.last_ns = 0
        """Time of the last message, whether or not it changed the touch."""
        self.valid = False
        """True while there is a touch with both sides, bid below ask."""

    @property
    def overflows(self) -> int:
        """Give how many items the windows gave up because they were full."""
        return self._flow.overflows + self._moves.overflows

    def update(self, ts_ns: int, touch: Touch) -> None:
        """Take in the touch as it stands after a message."""
        self.last_ns = ts_ns
        self._messages.add(ts_ns, 1.0)
        before = self._touch
        if touch == before:
            self.valid = before is not NO_TOUCH
            return
        bid, bid_units, ask, ask_units = touch
        if not 0 < bid < ask or bid_units <= 0 or ask_units <= 0:
            self.valid = False
            self.invalid_touches += 1
            return
        self._touch = touch
        self.valid = True
        if before is not NO_TOUCH:
            flow = better_flow(before[0], before[1], bid, bid_units)
            flow -= better_flow(-before[2], before[3], -ask, ask_units)
            if flow:
                self._flow.add(ts_ns, flow)
        self._depth.update(ts_ns, bid_units + ask_units)
        if self._leans:
            self._lean.update(ts_ns, (bid_units - ask_units) / (bid_units + ask_units))
        mid, mid_before = bid + ask, self.mid_half_ticks
        if mid != mid_before:
            if mid_before:
                self._moves.add(ts_ns, mid - mid_before)
            self.mid_half_ticks = mid
            self._volatility.update(ts_ns, mid)

    def reader(self, spec: FeatureSpec) -> Reader:
        """Give the function that reads one of this group's features; call it only while `valid`.

        Raises: ValueError for a formula of another group.
        """
        match spec.formula:
            case "queue_imbalance":
                return self._imbalance
            case "mean_queue_imbalance":
                return self._lean.at
            case "micro_deviation":
                return self._micro_deviation
            case "log_spread":
                return self._log_spread
            case "order_flow":
                return partial(self._order_flow, OFI_WINDOWS_MS.index(spec.window_ms))
            case "mid_return":
                return partial(self._mid_return, RET_WINDOWS_MS.index(spec.window_ms))
            case "realised_volatility":
                return self._log_volatility
            case "book_rate":
                return self._book_rate
            case "book_gap":
                return self._gap
            case "touch_depth":
                return self._relative_depth
            case _:
                raise ValueError(f"{spec.formula} is not a formula of the touch")

    def volatility(self, ts_ns: int) -> float:
        """Give the deviation of the mid in one second, as a fraction of the mid; call while `valid`."""
        return self._volatility.half_ticks(ts_ns) / self.mid_half_ticks

    def _imbalance(self, _ts_ns: int) -> float:
        _, bid_units, _, ask_units = self._touch
        return (bid_units - ask_units) / (bid_units + ask_units)

    def _micro_deviation(self, ts_ns: int) -> float:
        # (a * B + b * A) / (A + B) - (a + b) / 2 is the imbalance times half the spread.
        return self._imbalance(ts_ns) * (self._touch[2] - self._touch[0]) / 2

    def _log_spread(self, _ts_ns: int) -> float:
        return math.log(self._touch[2] - self._touch[0])

    def _order_flow(self, window: int, ts_ns: int) -> float:
        return 2 * self._flow.total(window, ts_ns) / self._depth.at(ts_ns)

    def _mid_return(self, window: int, ts_ns: int) -> float:
        return self._moves.total(window, ts_ns) / max(self._volatility.half_ticks(ts_ns), 1.0)

    def _log_volatility(self, ts_ns: int) -> float:
        return math.log(max(self._volatility.half_ticks(ts_ns), 1.0) / self.mid_half_ticks * 1e6)

    def _book_rate(self, ts_ns: int) -> float:
        return math.log(1.0 + self._messages.at(ts_ns))

    def _gap(self, ts_ns: int) -> float:
        return math.log(1.0 + (ts_ns - self.last_ns) / MS_NS)

    def _relative_depth(self, ts_ns: int) -> float:
        return math.log((self._touch[1] + self._touch[3]) / self._depth.at(ts_ns))
