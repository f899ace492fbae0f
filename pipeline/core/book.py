"""The order book of one symbol: integer levels in parallel sorted lists, best last.

Best last makes the common change, near the touch, the cheap one; measured, plain lists with bisect beat
every tree, dict and array in pure Python at these sizes. Asks are kept a second time with negated prices,
because bisect wants ascending keys. Whether the book may be believed is `core.sync`'s business.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from pipeline.core.types import Instrument, Level, Side

L1 = tuple[int, int, int, int]
"""(bid_ticks, bid_units, ask_ticks, ask_units); zeros for a side without levels."""

_NEAR = 64
"""So close to the best `insert` is the quicker way in: it moves entries one by one, a slice as one block."""

MAX_LEVELS = 8_192
"""Default bound of each side; venues print at most 5,000 a side and change levels beyond them."""


class OrderBook:
    """Price levels of both sides; sizes are positive units of the printed precision.

    `bid_prices` ascends and `ask_prices` descends, so the best is the last of each; `bid_sizes` and
    `ask_sizes` run parallel. Readers must not change the lists, and must not keep them: `load` replaces
    their content in place.
    """

    __slots__ = (
        "_ask_keys",
        "ask_prices",
        "ask_sizes",
        "bid_prices",
        "bid_sizes",
        "dropped_levels",
        "instrument",
        "max_levels",
    )

    def __init__(self, instrument: Instrument, max_levels: int = MAX_LEVELS) -> None:
        """Start empty; `max_levels` bounds each side, the farthest levels are dropped beyond it."""
        self.instrument = instrument
        self.max_levels = max_levels
        self.bid_prices: list[int] = []
        self.bid_sizes: list[int] = []
        self.ask_prices: list[int] = []
        self.ask_sizes: list[int] = []
        self._ask_keys: list[int] = []
        self.dropped_levels = 0

    @property
    def best_bid(self) -> int:
        """Give the highest bid in ticks, 0 without bids."""
        return self.bid_prices[-1] if self.bid_prices else 0

    @property
    def best_ask(self) -> int:
        """Give the lowest ask in ticks, 0 without asks."""
        return self.ask_prices[-1] if self.ask_prices else 0

    @property
    def l1(self) -> L1:
        """Give the best levels of both sides."""
        bids, asks = self.bid_prices, self.ask_prices
        if bids and asks:
            return bids[-1], self.bid_sizes[-1], asks[-1], self.ask_sizes[-1]
        if bids:
            return bids[-1], self.bid_sizes[-1], 0, 0
        return (0, 0, asks[-1], self.ask_sizes[-1]) if asks else (0, 0, 0, 0)

    def top(self, n: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Give up to `n` >= 1 (price_ticks, size_units) of bids and of asks, best first."""
        bids = tuple(zip(self.bid_prices[: -n - 1 : -1], self.bid_sizes[: -n - 1 : -1], strict=True))
        asks = tuple(zip(self.ask_prices[: -n - 1 : -1], self.ask_sizes[: -n - 1 : -1], strict=True))
        return bids, asks

    def size_at(self, side: Side, price_ticks: int) -> int:
        """Give the units resting at a price on the bid (BUY) or ask (SELL) side, 0 for none; O(log n)."""
        keys, sizes = self.bid_prices, self.bid_sizes
        if side is Side.SELL:
            keys, sizes, price_ticks = self._ask_keys, self.ask_sizes, -price_ticks
        index = bisect_left(keys, price_ticks)
        return sizes[index] if index < len(keys) and keys[index] == price_ticks else 0

    def clear(self) -> None:
        """Forget every level."""
        self.load((), ())

    def load(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Replace the whole book; any order, sizes of 0 are left out, the last of equal prices counts."""
        bid_levels = {price: size for price, size in bids if size}
        ask_levels = {price: size for price, size in asks if size}
        self.bid_prices[:] = sorted(bid_levels)
        self.bid_sizes[:] = [bid_levels[price] for price in self.bid_prices]
        self.ask_prices[:] = sorted(ask_levels, reverse=True)
        self.ask_sizes[:] = [ask_levels[price] for price in self.ask_prices]
        self._ask_keys[:] = [-price for price in self.ask_prices]
        self._drop_farthest()

    def apply(self, bids: Iterable[Level], asks: Iterable[Level]) -> L1:
        """Set the absolute size of each level, 0 removes it; give the best levels afterwards, as `l1` does.

        Removing what is not there is normal.

        O(levels * log n), and moving the list's tail for each level that comes or goes.
        """
        keys, sizes = self.bid_prices, self.bid_sizes
        near = len(keys) - _NEAR
        for price, size in bids:
            index = bisect_left(keys, price)
            try:
                if keys[index] == price:
                    if size:
                        sizes[index] = size
                    else:
                        del keys[index]
                        del sizes[index]
                elif size:
                    if index > near:
                        keys.insert(index, price)
                        sizes.insert(index, size)
                    else:
                        keys[index:index] = (price,)
                        sizes[index:index] = (size,)
            except IndexError:
                # Better than the best: rare, and `try` costs nothing where a length test costs 5 %.
                if size:
                    keys.append(price)
                    sizes.append(size)
        keys, sizes, prices = self._ask_keys, self.ask_sizes, self.ask_prices
        near = len(keys) - _NEAR
        for price, size in asks:
            key = -price
            index = bisect_left(keys, key)
            try:
                if keys[index] == key:
                    if size:
                        sizes[index] = size
                    else:
                        del keys[index]
                        del sizes[index]
                        del prices[index]
                elif size:
                    if index > near:
                        keys.insert(index, key)
                        sizes.insert(index, size)
                        prices.insert(index, price)
                    else:
                        keys[index:index] = (key,)
                        sizes[index:index] = (size,)
                        prices[index:index] = (price,)
            except IndexError:
                if size:
                    keys.append(key)
                    sizes.append(size)
                    prices.append(price)
        bid_prices = self.bid_prices
        if len(prices) > self.max_levels or len(bid_prices) > self.max_levels:
            self._drop_farthest()
        if prices and bid_prices:
            return bid_prices[-1], self.bid_sizes[-1], prices[-1], sizes[-1]
        return self.l1

    def _drop_farthest(self) -> None:
        excess = len(self.bid_prices) - self.max_levels
        if excess > 0:
            self.dropped_levels += excess
            del self.bid_prices[:excess], self.bid_sizes[:excess]
        excess = len(self.ask_prices) - self.max_levels
        if excess > 0:
            self.dropped_levels += excess
            del self.ask_prices[:excess], self.ask_sizes[:excess], self._ask_keys[:excess]

    def _check(self) -> None:
        """Walk every invariant; for tests.

        Raises:
            AssertionError: with the invariant that is broken.
        """
        bids, asks = self.bid_prices, self.ask_prices
        assert len(bids) == len(self.bid_sizes) <= self.max_levels, "bid lists differ in length"
        assert len(asks) == len(self.ask_sizes) == len(self._ask_keys) <= self.max_levels, "ask lists differ"
        assert all(low < high for low, high in zip(bids, bids[1:], strict=False)), "bids do not ascend"
        assert all(high > low for high, low in zip(asks, asks[1:], strict=False)), "asks do not descend"
        assert self._ask_keys == [-price for price in asks], "ask keys are not the negated prices"
        assert all(size > 0 for size in self.bid_sizes + self.ask_sizes), "a level of no size"
        assert all(price > 0 for price in bids + asks), "a price of no ticks"
