"""Share of level changes near the touch that are cancels, as far as a level-2 book can tell.

Between two depth updates only the net change of a level is visible, so a decrease larger than what traded
there in between must hold a cancel, and one that is not may hide one. Levels that enter or leave the view
because the touch moved are no changes.
"""

from __future__ import annotations

from typing import Final

from pipeline.core.feature_flow import NO_LEVELS, TopLevels
from pipeline.core.feature_spec import MS_NS
from pipeline.core.feature_table import CANCEL_TAU_MS, MLOFI_LEVELS
from pipeline.core.types import Side
from pipeline.core.windows import DecayedSum

MAX_TRADED_PRICES: Final = 1024
"""Prices a side whose trades are remembered between two depth updates; further ones are counted as lost."""

MAX_PRICE_TICKS: Final = 1 << 62
"""Beyond any price."""

Traded = dict[int, int]
"""Units traded, by price in ticks."""


class CancelRatio:
    """Decayed counts of changes and of cancels among the best levels of both sides."""

    __slots__ = ("_bought", "_cancels", "_changes", "_sold", "overflows")

    def __init__(self) -> None:
        """Start without a book."""
        self._changes = DecayedSum(CANCEL_TAU_MS * MS_NS)
        self._cancels = DecayedSum(CANCEL_TAU_MS * MS_NS)
        self._bought: Traded = {}
        self._sold: Traded = {}
        self.overflows = 0
        """Trades not remembered."""

    def clear(self) -> None:
        """Forget everything but the counter."""
        for kept in (self._changes, self._cancels, self._bought, self._sold):
            kept.clear()

    def on_trade(self, price_ticks: int, size_units: int, aggressor_side: Side) -> None:
        """Remember what traded: a sale takes from the bids, a purchase from the asks."""
        traded = self._sold if aggressor_side is Side.SELL else self._bought
        if price_ticks in traded:
            traded[price_ticks] += size_units
        elif len(traded) < MAX_TRADED_PRICES:
            traded[price_ticks] = size_units
        else:
            self.overflows += 1

    def update(self, ts_ns: int, was: TopLevels, now: TopLevels) -> None:
        """Take in the best levels after an update; from `NO_LEVELS` it is a start and no change."""
        if was is not NO_LEVELS:
            bids = _compare(was.bid_prices, was.bid_sizes, now.bid_prices, now.bid_sizes, self._sold, 1)
            asks = _compare(was.ask_prices, was.ask_sizes, now.ask_prices, now.ask_sizes, self._bought, -1)
            if bids[0] or asks[0]:
                self._changes.add(ts_ns, bids[0] + asks[0])
                self._cancels.add(ts_ns, bids[1] + asks[1])
        self._sold.clear()
        self._bought.clear()

    def ratio(self) -> float:
        """Give cancels / changes in [0, 1], 0 without a change; both decay alike, so time cancels out."""
        changes = self._changes.value
        return self._cancels.value / changes if changes else 0.0


def _compare(
    was_prices: list[int],
    was_sizes: list[int],
    prices: list[int],
    sizes: list[int],
    traded: Traded,
    sign: int,
) -> tuple[int, int]:
    """Count the changes of one side and the cancels among them; `sign` is -1 where lower is better."""
    changes = cancels = 0
    if prices == was_prices:
        for price, size, left in zip(prices, was_sizes, sizes, strict=True):
            if left != size:
                changes += 1
                cancels += size - left > traded.get(price, 0)
        return changes, cancels
    # Only prices in view both times compare; a side with fewer levels is seen to its end.
    view = -MAX_PRICE_TICKS
    for seen in (was_prices, prices):
        if len(seen) == MLOFI_LEVELS:
            view = max(view, sign * seen[0])
    new = dict(zip(prices, sizes, strict=True))
    for price, size in zip(was_prices, was_sizes, strict=True):
        left = new.pop(price, 0)
        if left != size and sign * price >= view:
            changes += 1
            cancels += size - left > traded.get(price, 0)
    for price in new:
        changes += sign * price >= view
    return changes, cancels
