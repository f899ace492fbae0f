"""What a taker finds in one symbol's book: displayed sizes minus what we already took.

What we took stays taken until the venue shows another size at that level. An update that repeats the same
size is no news here, which errs on the side of fewer fills.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.core.book import OrderBook
from pipeline.core.types import Side

L1 = tuple[int, int, int, int]
"""(bid_ticks, bid_units, ask_ticks, ask_units); 0 prices where a side is empty."""

_TAKEN_LEVELS = 1_024
"""Levels that may be used up at once; beyond it nothing more is found until the venue updates some."""


class Liquidity:
    """The book of one symbol as our taker orders find it; sides are those of the resting orders."""

    def __init__(self) -> None:
        self._book: OrderBook | None = None
        self._touch: L1 | None = None
        self._taken: dict[tuple[Side, int], tuple[int, int]] = {}

    def on_book(self, book: OrderBook | None, touch: L1 | None) -> None:
        """Take the book after a change; `touch` is a fresher L1 where there is one, None a lost book."""
        self._book = book
        self._touch = touch
        for (side, price_ticks), (_, seen_units) in list(self._taken.items()):
            if self.displayed_units(side, price_ticks) != seen_units:
                del self._taken[side, price_ticks]

    def best_ticks(self, side: Side) -> int:
        """Give the best price of a side; 0 without a book or with that side empty."""
        if self._book is None:
            return 0
        if self._touch is not None:
            return self._touch[0] if side is Side.BUY else self._touch[2]
        return self._book.best_bid if side is Side.BUY else self._book.best_ask

    @property
    def two_sided(self) -> bool:
        """Say whether both sides are there."""
        return self.best_ticks(Side.BUY) > 0 and self.best_ticks(Side.SELL) > 0

    def displayed_units(self, side: Side, price_ticks: int) -> int:
        """Give the size shown at a price; a level the fresher touch has left behind shows nothing."""
        if self._book is None:
            return 0
        if self._touch is not None:
            best, units = self._touch[0:2] if side is Side.BUY else self._touch[2:4]
            if price_ticks == best:
                return units
            if side * (price_ticks - best) > 0:
                return 0
        return self._book.size_at(side, price_ticks)

    def sweep(self, taker: Side, limit_ticks: int, lots: int, lot_units: int) -> list[tuple[int, int]]:
        """Take up to `lots` at the limit or better; gives (price_ticks, lots) by level and uses them up."""
        maker = taker.opposite
        fills: list[tuple[int, int]] = []
        for price_ticks in self._prices(maker):
            if lots == 0 or taker * (price_ticks - limit_ticks) > 0:
                break
            shown = self.displayed_units(maker, price_ticks)
            taken, _ = self._taken.get((maker, price_ticks), (0, shown))
            here = min(lots, (shown - taken) // lot_units)
            if here > 0 and (taken or len(self._taken) < _TAKEN_LEVELS):
                self._taken[maker, price_ticks] = (taken + here * lot_units, shown)
                fills.append((price_ticks, here))
                lots -= here
        return fills

    def _prices(self, side: Side) -> Iterator[int]:
        """Give the prices of a side, best first, the fresher touch in front."""
        best = self.best_ticks(side)
        if self._book is None or best == 0:
            return
        yield best
        prices = self._book.bid_prices if side is Side.BUY else self._book.ask_prices
        for price_ticks in reversed(prices):
            if side * (best - price_ticks) > 0:
                yield price_ticks
