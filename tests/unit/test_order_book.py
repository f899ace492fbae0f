"""The order book's lists, best last, and its bounds."""

import pytest

from pipeline.core.book import OrderBook
from pipeline.core.types import Side
from tests.fakes.market_builders import SPOT


def book(max_levels: int = 100) -> OrderBook:
    built = OrderBook(SPOT, max_levels)
    built.load([(100, 5), (98, 3), (99, 4)], [(103, 7), (101, 5), (102, 6)])
    return built


def test_new_book_is_empty() -> None:
    empty = OrderBook(SPOT)
    empty._check()
    assert (empty.best_bid, empty.best_ask) == (0, 0)
    assert empty.l1 == (0, 0, 0, 0)
    assert empty.top(10) == ((), ())
    assert empty.size_at(Side.BUY, 100) == 0


def test_lists_hold_the_best_last() -> None:
    loaded = book()
    loaded._check()
    assert (loaded.bid_prices, loaded.bid_sizes) == ([98, 99, 100], [3, 4, 5])
    assert (loaded.ask_prices, loaded.ask_sizes) == ([103, 102, 101], [7, 6, 5])
    assert (loaded.best_bid, loaded.best_ask) == (100, 101)
    assert loaded.l1 == (100, 5, 101, 5)


def test_top_is_best_first_and_as_short_as_the_book() -> None:
    assert book().top(2) == (((100, 5), (99, 4)), ((101, 5), (102, 6)))
    assert book().top(9) == (((100, 5), (99, 4), (98, 3)), ((101, 5), (102, 6), (103, 7)))


def test_snapshot_with_empty_and_repeated_levels() -> None:
    loaded = book()
    loaded.load([(100, 5), (99, 0), (100, 8)], [])
    loaded._check()
    assert loaded.top(5) == (((100, 8),), ())
    assert loaded.l1 == (100, 8, 0, 0)


def test_sizes_are_absolute_and_zero_removes() -> None:
    changed = book()
    l1 = changed.apply([(100, 0), (99, 9)], [(101, 1), (103, 0)])
    changed._check()
    assert changed.top(5) == (((99, 9), (98, 3)), ((101, 1), (102, 6)))
    assert l1 == changed.l1 == (99, 9, 101, 1)


def test_levels_enter_at_both_ends_and_between() -> None:
    changed = book()
    changed.apply([(104, 1), (97, 1)], [(105, 2), (96, 2)])
    changed._check()
    assert changed.bid_prices == [97, 98, 99, 100, 104]
    assert changed.ask_prices == [105, 103, 102, 101, 96]


def test_removing_a_level_that_is_not_there_changes_nothing() -> None:
    changed = book()
    before = changed.top(9)
    changed.apply([(120, 0), (95, 0)], [(90, 0), (120, 0)])
    changed._check()
    assert changed.top(9) == before


def test_levels_far_from_the_best_are_inserted_in_order() -> None:
    deep = OrderBook(SPOT)
    deep.load([(p, 1) for p in range(1_000, 2_000, 2)], [(p, 1) for p in range(3_000, 4_000, 2)])
    deep.apply([(1_001, 7), (1_999, 8)], [(3_999, 7), (2_999, 8)])
    deep._check()
    assert (deep.size_at(Side.BUY, 1_001), deep.size_at(Side.SELL, 3_999)) == (7, 7)
    assert deep.l1 == (1_999, 8, 2_999, 8)


def test_side_that_runs_empty_fills_again() -> None:
    changed = book()
    assert changed.apply([(98, 0), (99, 0), (100, 0)], []) == (0, 0, 101, 5)
    assert changed.apply([(50, 2)], [(101, 0), (102, 0), (103, 0)]) == (50, 2, 0, 0)
    assert changed.apply([], [(60, 3)]) == (50, 2, 60, 3)
    changed._check()


def test_size_is_looked_up_by_side_and_price() -> None:
    assert book().size_at(Side.BUY, 99) == 4
    assert book().size_at(Side.SELL, 103) == 7
    assert book().size_at(Side.SELL, 99) == 0
    assert book().size_at(Side.BUY, 101) == 0


def test_levels_beyond_the_bound_are_dropped_farthest_first_and_counted() -> None:
    bounded = book(max_levels=3)
    bounded.apply([(97, 1)], [(101, 1), (100, 1)])
    bounded._check()
    assert bounded.bid_prices == [98, 99, 100]
    assert bounded.ask_prices == [102, 101, 100]
    assert bounded.dropped_levels == 2
    bounded.load([(p, 1) for p in range(1, 10)], [])
    bounded._check()
    assert bounded.bid_prices == [7, 8, 9]
    assert bounded.dropped_levels == 8


def test_cleared_book_is_empty_in_place() -> None:
    cleared = book()
    bids = cleared.bid_prices
    cleared.clear()
    cleared._check()
    assert bids is cleared.bid_prices
    assert bids == []


@pytest.mark.parametrize("name", ["bid_sizes", "ask_prices", "_ask_keys"])
def test_check_notices_a_broken_list(name: str) -> None:
    broken = book()
    getattr(broken, name)[0] = 0
    with pytest.raises(AssertionError):
        broken._check()
