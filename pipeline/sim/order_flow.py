"""The street: everybody but the customers, trading one symbol by chance, one event after the other.

Theory of operation. Makers quote around the price they believe in: two queues at the touch that are drawn to
a target size, sparse levels behind. Takers come by chance on both sides and never take a whole queue. When
news is out (`news.py`) the makers move their quotes at once. Those who know the news before it is out hold
back on the side that will be hit and lean in on the other, then sweep up to the price they know; makers
mostly follow what was swept. So a lopsided book announces a move because both have one cause: no price, no
quote and no taker here ever reads the imbalance, and without informed traders it announces nothing. Quiet,
normal and busy stretches take turns.

The street acts through the exchange like anybody: what it does can trade with customers' orders, and what
customers eat is quoted again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.core.types import Side
from pipeline.sim.chance import Chance
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.matching import Level
from pipeline.sim.exchange.order import STREET, BookOrder
from pipeline.sim.news import SECOND_NS, NewsFeed, NewsParams, Phase

BANDS = (
    # nearest and farthest ticks behind the touch, levels wanted, mean size of a level in touch queues
    (1, 120, 4, 0.067),
    (120, 600, 10, 0.11),
    (600, 2_500, 30, 0.18),
    (2_500, 8_000, 50, 0.25),
    (8_000, 25_000, 75, 0.375),
)
ACTIVITY = ((0.45, 9.0), (1.0, 14.0), (2.4, 4.0))
"""Multiple of all rates and mean seconds of the quiet, normal and busy stretches."""

_ANY_SIDE = (Side.BUY, Side.SELL)
_NEWS_STREAM = 0x6E657773
"""Told apart from the orders' chance, so that the same news comes whatever happens on the book."""


@dataclass(frozen=True, slots=True)
class FlowParams:
    """Rates in events a second, sizes in touch queues."""

    news: NewsParams = field(default_factory=NewsParams)
    touch_hz: float = 60.0
    deep_hz: float = 62.0
    taker_hz: float = 5.0
    informed_taker_hz: float = 26.0
    close_gap_hz: float = 160.0
    lean: float = 0.9
    """How much of its target a queue gives up, or gains, before an informed move."""
    patient_lean: float = 0.3
    follows: float = 0.84
    """How often makers follow a sweep instead of quoting again where they were."""
    most_of_queue: float = 0.6
    """The most a chance taker takes of the best level."""
    most_levels: int = 280
    """Levels of a side beyond which the farthest are cancelled."""


class OrderFlow:
    """The street in one symbol: at `next_ns` call `act`; the same seed trades the same."""

    def __init__(
        self, exchange: Exchange, symbol: str, seed: int, now_ns: int, params: FlowParams | None = None
    ) -> None:
        """Fill the book and draw the first event."""
        self._exchange = exchange
        self._market = exchange.market(symbol)
        self._symbol = symbol
        self._params = params if params is not None else FlowParams()
        self._chance = Chance(seed)
        listing = self._market.listing
        self._touch_lots = listing.touch_lots
        self.news = NewsFeed(Chance(seed ^ _NEWS_STREAM), self._params.news, listing.open_ticks, now_ns)
        self._bid_ticks = listing.open_ticks
        """Where makers want the best bid; the best ask belongs a tick above."""
        self._now_ns = now_ns
        self._activity = 1.0
        self._regime_ends_ns = now_ns + 6 * SECOND_NS
        self._fill()
        self.next_ns = self._draw()

    def act(self) -> None:
        """Let what is due at `next_ns` happen, and draw the next event."""
        self._now_ns = now_ns = self.next_ns
        if now_ns >= self._regime_ends_ns:
            self._activity, mean_s = ACTIVITY[self._chance.below(len(ACTIVITY))]
            self._regime_ends_ns = now_ns + int(self._chance.exponential(mean_s) * SECOND_NS)
        if now_ns >= self.news.next.out_ns:
            self.news.come_out(now_ns)
            self._move_quotes(self.news.value_ticks)
        elif now_ns < self._boundary_ns:
            self._act_by_chance()
        self.next_ns = self._draw()

    def _draw(self) -> int:
        """Give when something happens next; a wait that a new phase or regime cuts short is drawn anew."""
        wait_ns = int(self._chance.exponential(SECOND_NS / sum(self._rates()))) + 1
        self._boundary_ns = min(self.news.next_change_ns(self._now_ns), self._regime_ends_ns)
        return min(self._now_ns + wait_ns, max(self._boundary_ns, self._now_ns + 1))

    def _rates(self) -> tuple[float, float, float, float, float]:
        """Give events a second of each kind, in the order of `_act_by_chance`."""
        params, activity = self._params, self._activity
        book, bid = self._market.book, self._bid_ticks
        whole = book.bids.lots_at(bid) and book.asks.lots_at(bid + 1)
        informed = self.news.next.ticks and self.news.phase(self._now_ns) is Phase.TAKING
        return (
            params.touch_hz * activity,
            params.deep_hz * activity,
            params.taker_hz * activity,
            params.informed_taker_hz if informed else 0.0,
            0.0 if whole else params.close_gap_hz,
        )

    def _act_by_chance(self) -> None:
        rates = self._rates()
        pick = self._chance.unit() * sum(rates)
        actions = (self._touch, self._deep, self._chance_taker, self._informed_taker, self._close_gap)
        for rate, action in zip(rates, actions, strict=True):
            if pick < rate:
                action()
                return
            pick -= rate

    def _touch(self) -> None:
        """Join a queue at the touch, or cancel an order in it, as it is short or long of its target."""
        side = self._any_side()
        ticks, target = self._fair(side), self._target_lots(side)
        level = self._market.book.on(side).levels.get(ticks)
        size = 0 if level is None else level.lots - level.client_lots
        if self._chance.unit() * (target + size) < target:
            self._place(side, ticks, int(self._chance.exponential(self._touch_lots * 0.22)) + 50)
        elif level is not None:
            ours = _street_orders(level)
            if len(ours) > 1:
                self._exchange.street_cancel(self._symbol, ours[self._chance.below(len(ours))])

    def _deep(self) -> None:
        """Keep a band of levels near its number: add where some are missing, else change or cancel one."""
        side = self._any_side()
        nearest, farthest, wanted, mean = BANDS[self._chance.below(len(BANDS))]
        own = self._market.book.on(side)
        there = own.band(nearest, farthest, self._fair(side))
        if len(there) < wanted:
            self._add_level(side, nearest, farthest, mean)
        elif there:
            ticks = there[self._chance.below(len(there))]
            gone = len(there) > wanted or self._chance.unit() < 0.35
            self._clear_level(side, ticks)
            if not gone:
                self._place(side, ticks, self._level_lots(mean))
        if len(own.keys) > self._params.most_levels:
            self._clear_level(side, own.keys[0] * side)

    def _chance_taker(self) -> None:
        """Take a part of the best level, never all of a queue the street stands in."""
        side = self._any_side()
        large = 5.0 if self._chance.unit() < 0.06 else 1.0
        lots = int(self._chance.exponential(self._touch_lots * 0.075) * large) + 10
        other = self._market.book.on(side.opposite)
        if not other.keys:
            return
        level = other.levels[other.best_ticks]
        if level.client_lots < level.lots:
            lots = min(lots, int(level.lots * self._params.most_of_queue))
        if lots:
            self._take(side, lots, other.best_ticks)

    def _informed_taker(self) -> None:
        """Take everything up to the price the news is worth, or as much as fits one order."""
        side, bid = self.news.next.side, self.news.informed_ticks
        limit = bid if side is Side.BUY else bid + 1
        self._take(side, int(self._chance.exponential(self._touch_lots * 0.35)) + 500, limit)

    def _close_gap(self) -> None:
        """Quote where the touch is gone: behind the sweep, believing it, or again where it was."""
        book, bid = self._market.book, self._bid_ticks
        eaten = Side.SELL if not book.asks.lots_at(bid + 1) else Side.BUY
        if self._chance.unit() < self._params.follows:
            # Up to the last price paid, and never across what still stands there.
            swept_ticks = self._market.last_ticks - (eaten is Side.BUY)
            self._bid_ticks = self._uncrossed(swept_ticks)
            self._requote(eaten.opposite)
        self._requote(eaten)

    def _uncrossed(self, bid_ticks: int) -> int:
        """Give the bid nearest to a wanted one at which neither quote meets what stands on the other side."""
        book = self._market.book
        highest = book.asks.best_ticks - 1 if book.asks.keys else bid_ticks
        lowest = book.bids.best_ticks if book.bids.keys else bid_ticks
        return max(min(bid_ticks, highest), lowest)

    def _move_quotes(self, bid_ticks: int) -> None:
        """Move both quotes at once: cancel what stands beyond the new ones and thin what stays behind."""
        if bid_ticks == self._bid_ticks:
            return
        for side in _ANY_SIDE:
            behind = self._market.book.on(side).levels.get(self._fair(side))
            for order in _street_orders(behind)[1:] if behind is not None else ():
                self._exchange.street_cancel(self._symbol, order)
        self._bid_ticks = bid_ticks
        for side in _ANY_SIDE:
            own = self._market.book.on(side)
            beyond = [key * side for key in reversed(own.keys) if key > self._fair(side) * side]
            for ticks in beyond:
                self._clear_level(side, ticks)
        for side in _ANY_SIDE:
            self._requote(side)

    def _requote(self, side: Side) -> None:
        if self._market.book.on(side).lots_at(self._fair(side)):
            return
        lots = int(self._target_lots(side) * (0.15 + 0.6 * self._chance.unit())) + 100
        self._place(side, self._fair(side), lots)

    def _fair(self, side: Side) -> int:
        return self._bid_ticks if side is Side.BUY else self._bid_ticks + 1

    def _target_lots(self, side: Side) -> float:
        """Give the size a queue at the touch is drawn to now."""
        news = self.news.next
        if not news.is_known:
            return float(self._touch_lots)
        patient = self.news.phase(self._now_ns) is Phase.PATIENT
        lean = self._params.patient_lean if patient else self._params.lean * news.strength
        return self._touch_lots * (1.0 + lean * side * news.side)

    def _add_level(self, side: Side, nearest: int, farthest: int, mean: float) -> None:
        ticks = self._fair(side) - side * self._chance.between(nearest, farthest)
        round_price = farthest > 600 and self._chance.unit() < 0.3
        if round_price:
            ticks -= ticks % 100
        if ticks > 0:
            self._place(side, ticks, self._level_lots(mean * 3 if round_price else mean))

    def _level_lots(self, mean: float) -> int:
        """Give a level's size: many small ones, a few very large."""
        lots = self._chance.exponential(self._touch_lots * mean * 0.55)
        return int(lots * (6.0 if self._chance.unit() < 0.15 else 1.0)) + 20

    def _clear_level(self, side: Side, ticks: int) -> None:
        for order in _street_orders(self._market.book.on(side).levels[ticks]):
            self._exchange.street_cancel(self._symbol, order)

    def _place(self, side: Side, ticks: int, lots: int) -> None:
        self._exchange.street_order(self._symbol, side, ticks, lots, self._now_ns)

    def _take(self, side: Side, lots: int, limit_ticks: int) -> None:
        self._exchange.street_order(self._symbol, side, limit_ticks, lots, self._now_ns, rests=False)

    def _any_side(self) -> Side:
        return _ANY_SIDE[self._chance.unit() >= 0.5]

    def _fill(self) -> None:
        """Quote the book the market opens with."""
        for side in _ANY_SIDE:
            for _ in range(4):
                self._place(side, self._fair(side), self._touch_lots // 4)
            for nearest, farthest, wanted, mean in BANDS:
                for _ in range(wanted):
                    self._add_level(side, nearest, farthest, mean)


def _street_orders(level: Level) -> list[BookOrder]:
    return [order for order in level.orders.values() if order.owner == STREET]
