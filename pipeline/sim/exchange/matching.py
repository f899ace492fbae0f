"""The matching engine of one symbol: price first, then time; nothing here knows accounts or money.

Prices are ticks, sizes lots. A side keeps its prices times the side's sign in one ascending list, so that
the best is last on both. Every change of a level takes the next update id.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.core.types import Side
from pipeline.sim.exchange.order import STREET, BookOrder, SelfTrade

Top = tuple[int, int, int, int]
"""(bid ticks, bid lots, ask ticks, ask lots); zeros for a side without levels."""

ANY_PRICE = {Side.BUY: 1 << 52, Side.SELL: 0}
"""The limit of an order without one."""


class Level:
    """The queue at one price, first come first served."""

    __slots__ = ("client_lots", "lots", "orders")

    def __init__(self) -> None:
        self.lots = 0
        self.client_lots = 0
        """How much of `lots` is not the street's."""
        self.orders: dict[int, BookOrder] = {}
        """By order id, in order of arrival."""


class BookSide:
    """One side of the book."""

    __slots__ = ("keys", "levels", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.keys: list[int] = []
        """Prices in ticks times the side's sign, ascending: the best is last."""
        self.levels: dict[int, Level] = {}
        """By price in ticks."""

    @property
    def best_ticks(self) -> int:
        """Give the best price; the side must not be empty."""
        return self.keys[-1] * self.side

    def lots_at(self, ticks: int) -> int:
        """Give the size at a price, 0 without a level."""
        level = self.levels.get(ticks)
        return level.lots if level is not None else 0

    def band(self, nearest: int, farthest: int, from_ticks: int) -> list[int]:
        """Give the prices `nearest` to `farthest` ticks behind a price, the farthest first."""
        key = from_ticks * self.side
        low, high = bisect_left(self.keys, key - farthest), bisect_right(self.keys, key - nearest)
        return [key * self.side for key in self.keys[low:high]]

    def ladder(self, most: int = 1 << 30) -> list[tuple[int, int]]:
        """Give at most that many (ticks, lots), best first."""
        side = self.side
        return [(key * side, self.levels[key * side].lots) for key in self.keys[: -most - 1 : -1]]


@dataclass(frozen=True, slots=True)
class Fill:
    """One maker order met; `lots` traded at the maker's price."""

    maker: BookOrder
    ticks: int
    lots: int


@dataclass(slots=True)
class Match:
    """What became of a taker: its fills in order, makers that gave way, and whether it has to give way."""

    fills: list[Fill] = field(default_factory=list)
    gave_way: list[BookOrder] = field(default_factory=list)
    taker_gives_way: bool = False


class MatchingBook:
    """Both sides, who queues where, the update id, and which prices changed since the last depth frame."""

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
    def top(self) -> Top:
        """Give the best price and size of both sides."""
        bids, asks = self.bids, self.asks
        bid = bids.best_ticks if bids.keys else 0
        ask = asks.best_ticks if asks.keys else 0
        return bid, bids.lots_at(bid), ask, asks.lots_at(ask)

    def would_take(self, side: Side, ticks: int) -> bool:
        """Say whether an order at this price would trade at once."""
        other = self.on(side.opposite)
        return bool(other.keys) and side * (ticks - other.best_ticks) >= 0

    def queue_for(self, side: Side, ticks: int) -> Iterator[BookOrder]:
        """Give the resting orders one with this limit would meet, in the order it would meet them."""
        other = self.on(side.opposite)
        for key in reversed(other.keys):
            price = key * other.side
            if side * (ticks - price) < 0:
                return
            yield from other.levels[price].orders.values()

    def rest(self, order: BookOrder) -> None:
        """Queue an order behind those at its price; it must not be able to trade."""
        own = self.on(order.side)
        level = own.levels.get(order.ticks)
        if level is None:
            level = own.levels[order.ticks] = Level()
            insort(own.keys, order.ticks * order.side)
        level.orders[order.order_id] = order
        level.lots += order.lots
        if order.owner != STREET:
            level.client_lots += order.lots
        self._touch(order.side, order.ticks)

    def remove(self, order: BookOrder) -> None:
        """Take a resting order out of its queue."""
        level = self.on(order.side).levels[order.ticks]
        del level.orders[order.order_id]
        self._shrink(level, order, order.lots)

    def match(
        self, taker: BookOrder, self_trade: SelfTrade = SelfTrade.NONE, most_fills: int = 1 << 30
    ) -> Match:
        """Trade a taker against the other side as far as its price goes; its `lots` become what is left.

        It stops after `most_fills`, for whoever has to settle before the next one.
        """
        found = Match()
        other, side = self.on(taker.side.opposite), taker.side
        while taker.lots and other.keys and len(found.fills) < most_fills:
            ticks = other.best_ticks
            if side * (taker.ticks - ticks) < 0:
                break
            level = other.levels[ticks]
            maker = next(iter(level.orders.values()))
            if maker.owner == taker.owner != STREET and self_trade is not SelfTrade.NONE:
                if self_trade is not SelfTrade.EXPIRE_TAKER:
                    self.remove(maker)
                    found.gave_way.append(maker)
                found.taker_gives_way = self_trade is not SelfTrade.EXPIRE_MAKER
                if found.taker_gives_way:
                    break
                continue
            lots = min(taker.lots, maker.lots)
            taker.lots -= lots
            maker.lots -= lots
            if not maker.lots:
                del level.orders[maker.order_id]
            self._shrink(level, maker, lots)
            found.fills.append(Fill(maker, ticks, lots))
        return found

    def fill_at_once(self, maker: BookOrder, lots: int) -> Fill:
        """Trade with a resting order out of its turn, as a match does that was under way already."""
        level = self.on(maker.side).levels[maker.ticks]
        maker.lots -= lots
        if not maker.lots:
            del level.orders[maker.order_id]
        self._shrink(level, maker, lots)
        return Fill(maker, maker.ticks, lots)

    def take_changes(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Give what changed since the last call as (ticks, lots now), bids downwards, asks upwards."""
        bids = [(ticks, self.bids.lots_at(ticks)) for ticks in sorted(self._changed[Side.BUY], reverse=True)]
        asks = [(ticks, self.asks.lots_at(ticks)) for ticks in sorted(self._changed[Side.SELL])]
        self._changed = {Side.BUY: {}, Side.SELL: {}}
        return bids, asks

    def _shrink(self, level: Level, order: BookOrder, lots: int) -> None:
        level.lots -= lots
        if order.owner != STREET:
            level.client_lots -= lots
        if not level.orders:
            own = self.on(order.side)
            del own.levels[order.ticks]
            del own.keys[bisect_left(own.keys, order.ticks * order.side)]
        self._touch(order.side, order.ticks)

    def _touch(self, side: Side, ticks: int) -> None:
        self._changed[side][ticks] = None
        self.update_id += 1
