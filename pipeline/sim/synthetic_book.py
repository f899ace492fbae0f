"""The order book the synthetic session is played on: levels by price, and which of them changed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field

from pipeline.core.types import Side


@dataclass(slots=True)
class BookSide:
    """One side; `keys` are prices in ticks times the side's sign, ascending, so that the best is last."""

    side: Side
    keys: list[int] = field(default_factory=list)
    lots: dict[int, int] = field(default_factory=dict)
    """Size by key, in lots."""

    @property
    def best_ticks(self) -> int:
        """Give the best price; the side must not be empty."""
        return self.keys[-1] * self.side

    def size(self, ticks: int) -> int:
        """Give the lots at a price, 0 without a level."""
        return self.lots.get(ticks * self.side, 0)

    def put(self, ticks: int, lots: int) -> None:
        """Make a price hold exactly `lots`; 0 removes the level."""
        key = ticks * self.side
        if lots <= 0:
            if self.lots.pop(key, 0):
                del self.keys[bisect_left(self.keys, key)]
            return
        if key not in self.lots:
            insort(self.keys, key)
        self.lots[key] = lots

    def band(self, nearest: int, farthest: int) -> list[int]:
        """Give the prices at `nearest` to `farthest` ticks behind the best one, the farthest first."""
        best = self.keys[-1]
        low, high = bisect_left(self.keys, best - farthest), bisect_right(self.keys, best - nearest)
        return [key * self.side for key in self.keys[low:high]]

    def levels(self) -> list[tuple[int, int]]:
        """Give (ticks, lots), best first."""
        return [(key * self.side, self.lots[key]) for key in reversed(self.keys)]


class SyntheticBook:
    """Both sides, the update id, and the prices changed since the last depth frame."""

    def __init__(self, first_update_id: int) -> None:
        """Start empty; the first change gets the id after `first_update_id`."""
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)
        self.update_id = first_update_id
        self._changed: dict[Side, dict[int, None]] = {Side.BUY: {}, Side.SELL: {}}

    def on(self, side: Side) -> BookSide:
        """Give one side."""
        return self.bids if side is Side.BUY else self.asks

    @property
    def spread_ticks(self) -> int:
        """Give best ask minus best bid; always positive."""
        return self.asks.best_ticks - self.bids.best_ticks

    @property
    def top(self) -> tuple[int, int, int, int]:
        """Give (bid ticks, bid lots, ask ticks, ask lots) of the best prices."""
        bid, ask = self.bids.best_ticks, self.asks.best_ticks
        return bid, self.bids.size(bid), ask, self.asks.size(ask)

    def change(self, side: Side, ticks: int, lots: int) -> None:
        """Make a price hold exactly `lots` and count the change."""
        self.on(side).put(ticks, lots)
        self._changed[side][ticks] = None
        self.update_id += 1

    def take_changes(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Give what changed since the last call as (ticks, lots now), bids downwards, asks upwards."""
        bids = [(ticks, self.bids.size(ticks)) for ticks in sorted(self._changed[Side.BUY], reverse=True)]
        asks = [(ticks, self.asks.size(ticks)) for ticks in sorted(self._changed[Side.SELL])]
        self._changed = {Side.BUY: {}, Side.SELL: {}}
        return bids, asks
