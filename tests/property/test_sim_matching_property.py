"""Price first, then time: the matching book against a list that is sorted anew for every order."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.types import Side
from pipeline.sim.exchange.matching import MatchingBook
from pipeline.sim.exchange.order import STREET, BookOrder

ORDERS = st.lists(
    st.one_of(
        st.tuples(st.just("new"), st.sampled_from(Side), st.integers(95, 105), st.integers(1, 20)),
        st.tuples(st.just("gone"), st.sampled_from(Side), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("now"), st.sampled_from(Side), st.integers(0, 30), st.integers(1, 20)),
    ),
    max_size=60,
)
MOST = st.sampled_from((1, 2, 1 << 30))


@dataclass
class Waiting:
    number: int
    side: Side
    ticks: int
    lots: int


class SortedList:
    """The whole law in a few lines; slow."""

    def __init__(self) -> None:
        self.waiting: list[Waiting] = []

    def new(self, number: int, side: Side, ticks: int, lots: int) -> list[tuple[int, int, int]]:
        fills = []
        others = [one for one in self.waiting if one.side is not side and side * (ticks - one.ticks) >= 0]
        for maker in sorted(others, key=lambda one: (side * one.ticks, one.number)):
            part = min(lots, maker.lots)
            if not part:
                break
            lots -= part
            maker.lots -= part
            fills.append((maker.number, maker.ticks, part))
        self.waiting = [one for one in self.waiting if one.lots]
        if lots:
            self.waiting.append(Waiting(number, side, ticks, lots))
        return fills


@given(ORDERS, MOST)
def test_every_fill_is_the_one_a_sorted_list_gives(
    orders: list[tuple[str, Side, int, int]], most: int
) -> None:
    book, law, known = MatchingBook(0), SortedList(), dict[int, BookOrder]()
    for number, (what, side, value, lots) in enumerate(orders, 1):
        mine = [one for one in law.waiting if one.side is side]
        if what == "new":
            taker = BookOrder(number, STREET, side, value, lots)
            fills = matched(book, taker, most)
            if taker.lots:
                known[number] = taker
                book.rest(taker)
            assert fills == law.new(number, side, value, lots)
        elif mine and what == "gone":
            one = mine[value % len(mine)]
            law.waiting.remove(one)
            book.remove(known[one.number])
        elif mine:
            one = mine[value % len(mine)]
            fill = book.fill_at_once(known[one.number], min(lots, one.lots))
            assert (fill.maker.order_id, fill.ticks, fill.lots) == (
                one.number,
                one.ticks,
                min(lots, one.lots),
            )
            one.lots -= fill.lots
            law.waiting = [two for two in law.waiting if two.lots]
        assert_same(book, law)


def matched(book: MatchingBook, taker: BookOrder, most: int) -> list[tuple[int, int, int]]:
    """All fills of a taker, taken so many at a time."""
    found: list[tuple[int, int, int]] = []
    while True:
        fills = book.match(taker, most_fills=most).fills
        found += [(one.maker.order_id, one.ticks, one.lots) for one in fills]
        if len(fills) < most:
            return found


def assert_same(book: MatchingBook, law: SortedList) -> None:
    for side in Side:
        queues = [
            (order.order_id, order.ticks, order.lots)
            for ticks, _ in book.on(side).ladder()
            for order in book.on(side).levels[ticks].orders.values()
        ]
        mine = [one for one in law.waiting if one.side is side]
        best_first = sorted(mine, key=lambda one: (-one.side * one.ticks, one.number))
        assert queues == [(one.number, one.ticks, one.lots) for one in best_first]
        totals: dict[int, int] = {}
        for one in best_first:
            totals[one.ticks] = totals.get(one.ticks, 0) + one.lots
        assert book.on(side).ladder() == list(totals.items())
