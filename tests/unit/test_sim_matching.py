"""Price first, then time."""

from __future__ import annotations

import pytest

from pipeline.sim.exchange.matching import ANY_PRICE, MatchingBook
from pipeline.sim.exchange.order import STREET, BookOrder, SelfTrade
from tests.fakes.venue import ASK, BID, BUY, SELL


def resting(book: MatchingBook, *orders: tuple[int, int, int, int]) -> list[BookOrder]:
    """Queue asks given as (order id, owner, ticks, lots)."""
    made = [BookOrder(order_id, owner, SELL, ticks, lots) for order_id, owner, ticks, lots in orders]
    for order in made:
        book.rest(order)
    return made


def taker(lots: int, ticks: int = ASK + 10, owner: int = STREET) -> BookOrder:
    return BookOrder(99, owner, BUY, ticks, lots)


def test_best_price_trades_first_then_the_order_that_came_first() -> None:
    book = MatchingBook(0)
    resting(book, (1, 0, ASK + 1, 5), (2, 0, ASK, 5), (3, 0, ASK, 5), (4, 0, ASK + 1, 5))
    match = book.match(taker(17))
    assert [(fill.maker.order_id, fill.ticks, fill.lots) for fill in match.fills] == [
        (2, ASK, 5),
        (3, ASK, 5),
        (1, ASK + 1, 5),
        (4, ASK + 1, 2),
    ]
    assert book.asks.ladder() == [(ASK + 1, 3)]


def test_a_partial_fill_keeps_its_place_in_the_queue() -> None:
    book = MatchingBook(0)
    resting(book, (1, 0, ASK, 5), (2, 0, ASK, 5))
    book.match(taker(2))
    assert [fill.maker.order_id for fill in book.match(taker(4)).fills] == [1, 2]


def test_nothing_trades_beyond_the_limit_and_the_rest_is_left() -> None:
    book = MatchingBook(0)
    resting(book, (1, 0, ASK, 5), (2, 0, ASK + 2, 5))
    order = taker(9, ticks=ASK + 1)
    assert [fill.ticks for fill in book.match(order).fills] == [ASK]
    assert order.lots == 4


@pytest.mark.parametrize("side", [BUY, SELL])
def test_an_order_without_limit_meets_every_price(side: int) -> None:
    book = MatchingBook(0)
    book.rest(BookOrder(1, 0, SELL, 9_000_000, 1))
    book.rest(BookOrder(2, 0, BUY, 1, 1))
    one_side = BUY if side == BUY else SELL
    assert len(book.match(BookOrder(3, 0, one_side, ANY_PRICE[one_side], 5)).fills) == 1


def test_every_change_takes_an_update_id_and_is_reported_once() -> None:
    book = MatchingBook(100)
    orders = resting(book, (1, 0, ASK, 5), (2, 0, ASK + 1, 7))
    book.rest(BookOrder(3, 0, BUY, BID, 4))
    assert book.update_id == 103
    assert book.take_changes() == ([(BID, 4)], [(ASK, 5), (ASK + 1, 7)])
    book.remove(orders[1])
    book.match(taker(2))
    assert book.update_id == 105
    assert book.take_changes() == ([], [(ASK, 3), (ASK + 1, 0)])
    assert book.take_changes() == ([], [])


def test_top_has_zeros_for_an_empty_side() -> None:
    book = MatchingBook(0)
    assert book.top == (0, 0, 0, 0)
    book.rest(BookOrder(3, 0, BUY, BID, 4))
    assert book.top == (BID, 4, 0, 0)


def test_clients_share_of_a_level_is_known() -> None:
    book = MatchingBook(0)
    _, ours = resting(book, (1, STREET, ASK, 5), (2, 7, ASK, 6))
    assert (book.asks.levels[ASK].lots, book.asks.levels[ASK].client_lots) == (11, 6)
    book.match(taker(7))
    assert (book.asks.levels[ASK].lots, book.asks.levels[ASK].client_lots) == (4, 4)
    book.remove(ours)
    assert not book.asks.levels


@pytest.mark.parametrize(
    ("rule", "fills", "gave_way", "taker_gives_way"),
    [
        (SelfTrade.NONE, [1, 2, 3], [], False),
        (SelfTrade.EXPIRE_MAKER, [1, 3], [2], False),
        (SelfTrade.EXPIRE_TAKER, [1], [], True),
        (SelfTrade.EXPIRE_BOTH, [1], [2], True),
    ],
)
def test_self_trade_is_prevented_as_the_taker_asks(
    rule: SelfTrade, fills: list[int], gave_way: list[int], taker_gives_way: bool
) -> None:
    book = MatchingBook(0)
    resting(book, (1, 8, ASK, 5), (2, 7, ASK, 5), (3, 8, ASK, 5))
    match = book.match(taker(15, owner=7), rule)
    assert [fill.maker.order_id for fill in match.fills] == fills
    assert [order.order_id for order in match.gave_way] == gave_way
    assert match.taker_gives_way is taker_gives_way


def test_band_lists_prices_by_their_distance() -> None:
    book = MatchingBook(0)
    resting(book, *((n, 0, ASK + n, 1) for n in range(1, 10)))
    assert book.asks.band(2, 4, ASK) == [ASK + 4, ASK + 3, ASK + 2]
