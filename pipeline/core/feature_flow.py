"""Order flow of each of the best levels of the depth book, over one second.

Levels are compared by position, so one new quote inside the spread moves all of them at once; and a feed
that sends net changes every 100 ms shows the net flow only, which is why the cadence is part of the schema.
"""

from __future__ import annotations

from typing import NamedTuple

from pipeline.core.book import OrderBook
from pipeline.core.feature_spec import MS_NS
from pipeline.core.feature_table import LEVEL_DEPTH_TAU_MS, MLOFI_LEVELS, MLOFI_WINDOW_MS
from pipeline.core.windows import EwmaLevel, WindowSum


def better_flow(before_ticks: int, before_units: int, ticks: int, units: int) -> int:
    """Give one side's part of an order-flow event, for prices that are better when higher.

    The size that came at a better price, the change at the same price, or minus the size that was left.
    For asks negate the prices.
    """
    if ticks == before_ticks:
        return units - before_units
    return units if ticks > before_ticks else -before_units


class TopLevels(NamedTuple):
    """A copy of the best `MLOFI_LEVELS` levels of each side, best last as in the book."""

    bid_prices: list[int]
    bid_sizes: list[int]
    ask_prices: list[int]
    ask_sizes: list[int]


NO_LEVELS = TopLevels([], [], [], [])


def top_levels(book: OrderBook) -> TopLevels:
    """Copy the best levels; fewer where the book has fewer."""
    return TopLevels(
        book.bid_prices[-MLOFI_LEVELS:],
        book.bid_sizes[-MLOFI_LEVELS:],
        book.ask_prices[-MLOFI_LEVELS:],
        book.ask_sizes[-MLOFI_LEVELS:],
    )


class LevelFlow:
    """Order-flow sums of levels 1 to `MLOFI_LEVELS`, and the mean depth they are measured in."""

    __slots__ = ("_depth", "_flows")

    def __init__(self, capacity: int) -> None:
        """Start empty; `capacity` bounds the updates a window can hold."""
        window_ns = (MLOFI_WINDOW_MS * MS_NS,)
        self._flows = tuple(WindowSum(window_ns, capacity) for _ in range(MLOFI_LEVELS))
        self._depth = EwmaLevel(LEVEL_DEPTH_TAU_MS * MS_NS)

    def clear(self) -> None:
        """Forget everything but the counters."""
        for flow in self._flows:
            flow.clear()
        self._depth.clear()

    @property
    def overflows(self) -> int:
        """Give how many items the windows gave up because they were full."""
        return sum(flow.overflows for flow in self._flows)

    def update(self, ts_ns: int, was: TopLevels, now: TopLevels) -> None:
        """Take in a change of the best levels; from `NO_LEVELS` it is a start and no event.

        A level that is missing on either side, before or after, has no event.
        """
        sizes = now.bid_sizes + now.ask_sizes
        if sizes:
            self._depth.update(ts_ns, sum(sizes) / len(sizes))
        was_bids, was_bid_sizes, was_asks, was_ask_sizes = was
        bids, bid_sizes, asks, ask_sizes = now
        shared = min(len(was_bids), len(was_asks), len(bids), len(asks))
        for n in range(-1, -shared - 1, -1):
            event = better_flow(was_bids[n], was_bid_sizes[n], bids[n], bid_sizes[n])
            event -= better_flow(-was_asks[n], was_ask_sizes[n], -asks[n], ask_sizes[n])
            if event:
                self._flows[-n - 1].add(ts_ns, event)

    def level(self, level: int, ts_ns: int) -> float:
        """Give the flow of one level, 1 the best, in mean depths."""
        return self._flows[level - 1].total(0, ts_ns) / self._depth.at(ts_ns)

    def mean(self, ts_ns: int) -> float:
        """Give the mean flow of all levels, in mean depths."""
        flow = sum([flow.total(0, ts_ns) for flow in self._flows])
        return flow / MLOFI_LEVELS / self._depth.at(ts_ns)
