"""The order book against a dict, the way anyone would first write it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.book import OrderBook
from pipeline.core.types import Level, Side
from tests.fakes.market_builders import SPOT

prices = st.integers(1, 30) | st.integers(1, 400)
levels = st.lists(st.tuples(prices, st.integers(0, 3)), max_size=40)
updates = st.lists(st.tuples(levels, levels), max_size=12)


def set_levels(side: dict[int, int], changed: list[Level]) -> None:
    for price, size in changed:
        if size:
            side[price] = size
        else:
            side.pop(price, None)


@given(levels, levels, updates, st.sampled_from([1, 5, 40, 1_000]))
@settings(max_examples=150)
def test_book_equals_a_dict_after_every_update(
    bids: list[Level], asks: list[Level], changes: list[tuple[list[Level], list[Level]]], n: int
) -> None:
    book = OrderBook(SPOT)
    book.load(bids, asks)
    bid_side: dict[int, int] = {}
    ask_side: dict[int, int] = {}
    for price, size in bids:
        set_levels(bid_side, [(price, size)] if size else [])
    for price, size in asks:
        set_levels(ask_side, [(price, size)] if size else [])
    for changed_bids, changed_asks in [([], []), *changes]:
        l1 = book.apply(changed_bids, changed_asks)
        set_levels(bid_side, changed_bids)
        set_levels(ask_side, changed_asks)
        book._check()
        best_bids = tuple(sorted(bid_side.items(), reverse=True)[:n])
        best_asks = tuple(sorted(ask_side.items())[:n])
        assert book.top(n) == (best_bids, best_asks)
        assert l1 == book.l1 == (best_bids or ((0, 0),))[0] + (best_asks or ((0, 0),))[0]
        for price in (1, 7, 30, 400):
            assert book.size_at(Side.BUY, price) == bid_side.get(price, 0)
            assert book.size_at(Side.SELL, price) == ask_side.get(price, 0)


@given(updates, st.integers(1, 20))
@settings(max_examples=60)
def test_bounded_book_keeps_the_nearest_of_what_it_was_given(
    changes: list[tuple[list[Level], list[Level]]], bound: int
) -> None:
    book = OrderBook(SPOT, max_levels=bound)
    for bids, asks in changes:
        before = len(book.bid_prices) + len(book.ask_prices)
        dropped = book.dropped_levels
        farthest = book.bid_prices[0] if len(book.bid_prices) == bound else 0
        book.apply(bids, asks)
        book._check()
        assert len(book.bid_prices) + len(book.ask_prices) <= before + len(bids) + len(asks)
        assert book.dropped_levels >= dropped
        if not any(size == 0 for _, size in bids) and farthest:
            assert book.bid_prices[0] >= farthest
