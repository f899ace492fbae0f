"""Features of the depth book: shape, order flow by level and cancels, behind one set of readers.

Shapes cost nothing until a row asks; flow and cancels cost at each update, and are kept only when wanted.
"""

from __future__ import annotations

from typing import Final

from pipeline.core.book import OrderBook
from pipeline.core.feature_cancels import CancelRatio
from pipeline.core.feature_flow import NO_LEVELS, LevelFlow, top_levels
from pipeline.core.feature_shape import band_imbalance, imbalance, slope, weighted_imbalance
from pipeline.core.feature_spec import FeatureSpec, Reader
from pipeline.core.feature_touch import TouchFeatures
from pipeline.core.types import Side

FLOW_FORMULAS: Final = ("level_order_flow", "mean_level_order_flow")


class DepthFeatures:
    """Rolling state of the depth book, and readers of its shape."""

    __slots__ = ("_book", "_cancels", "_flow", "_top", "_touch", "last_ns")

    def __init__(self, touch: TouchFeatures, capacity: int, formulas: tuple[str, ...]) -> None:
        """Start without a book; `capacity` bounds the updates a window can hold, `touch` gives the mid.

        Only what `formulas` need at each update is kept up; the others of that kind have no reader.
        """
        self._touch = touch
        self._flow = LevelFlow(capacity) if any(name in FLOW_FORMULAS for name in formulas) else None
        self._cancels = CancelRatio() if "cancel_ratio" in formulas else None
        self.clear()

    def clear(self) -> None:
        """Forget everything but the counters."""
        for kept in (self._flow, self._cancels):
            if kept is not None:
                kept.clear()
        self._book: OrderBook | None = None
        self._top = NO_LEVELS
        self.last_ns = 0
        """Time of the last update."""

    @property
    def overflows(self) -> int:
        """Give how many items were given up because a bound was reached."""
        return sum(kept.overflows for kept in (self._flow, self._cancels) if kept is not None)

    @property
    def levels(self) -> int:
        """Give how many levels both sides have; 0 when the book is one-sided, locked or crossed."""
        book = self._book
        if book is None or not book.bid_prices or not book.ask_prices:
            return 0
        crossed = book.bid_prices[-1] >= book.ask_prices[-1]
        return 0 if crossed else min(len(book.bid_prices), len(book.ask_prices))

    def on_trade(self, price_ticks: int, size_units: int, aggressor_side: Side) -> None:
        """Remember a trade, so that the level it took from does not count as cancelled."""
        if self._cancels is not None:
            self._cancels.on_trade(price_ticks, size_units, aggressor_side)

    def update(self, ts_ns: int, book: OrderBook) -> None:
        """Take in the book as it stands after an update; it is kept, and read again when a row asks."""
        self.last_ns = ts_ns
        self._book = book
        if self._flow is None and self._cancels is None:
            return
        was = self._top
        self._top = now = top_levels(book)
        if self._cancels is not None:
            self._cancels.update(ts_ns, was, now)
        if self._flow is not None and now != was:
            self._flow.update(ts_ns, was, now)

    def reader(self, spec: FeatureSpec) -> Reader:
        """Give the function that reads one of this group's features.

        Call it only while there are `spec.min_levels` levels and the touch is valid.

        Raises: ValueError for a formula of another group, or one that is not kept up.
        """
        flow, cancels, levels = self._flow, self._cancels, spec.levels
        match spec.formula:
            case "queue_imbalance":
                return lambda _ts_ns: imbalance(self._now(), levels)
            case "weighted_imbalance":
                return lambda _ts_ns: weighted_imbalance(self._now())
            case "band_imbalance":
                return lambda _ts_ns: band_imbalance(self._now(), self._touch.mid_half_ticks)
            case "depth_slope":
                return lambda _ts_ns: slope(self._now())
            case "level_order_flow" if flow is not None:
                return lambda ts_ns: flow.level(levels, ts_ns)
            case "mean_level_order_flow" if flow is not None:
                return flow.mean
            case "cancel_ratio" if cancels is not None:
                return lambda _ts_ns: cancels.ratio()
            case formula:
                raise ValueError(f"{formula} is not a formula of the depth book that is kept up")

    def _now(self) -> OrderBook:
        if self._book is None:
            raise ValueError("a shape was read before there was a book")
        return self._book
