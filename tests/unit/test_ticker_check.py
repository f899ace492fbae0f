"""Shared update ids of depth and ticker, as the data sheet counts them."""

from pipeline.core.ticker_check import REMEMBERED, TickerCheck

BEST = (100, 5, 101, 6)
OTHER_SIZE = (100, 4, 101, 6)


def counts(check: TickerCheck) -> tuple[int, int]:
    return check.shared, check.equal


def test_depth_then_ticker_of_one_id_is_shared() -> None:
    check = TickerCheck()
    check.on_depth(1, BEST)
    check.on_ticker(2, BEST)
    assert counts(check) == (0, 0)
    check.on_ticker(1, BEST)
    assert counts(check) == (1, 1)


def test_ticker_then_depth_of_one_id_is_shared() -> None:
    check = TickerCheck()
    check.on_ticker(1, BEST)
    check.on_depth(1, BEST)
    assert counts(check) == (1, 1)


def test_a_size_that_differs_is_shared_but_not_equal() -> None:
    check = TickerCheck()
    check.on_ticker(1, OTHER_SIZE)
    check.on_depth(1, BEST)
    assert counts(check) == (1, 0)


def test_the_thousandth_last_id_is_remembered_and_the_one_before_is_not() -> None:
    check = TickerCheck()
    for update_id in range(2 * REMEMBERED + 300):
        check.on_depth(update_id, BEST)
    check.on_ticker(REMEMBERED + 299, BEST)
    assert counts(check) == (0, 0)
    check.on_ticker(REMEMBERED + 300, BEST)
    check.on_ticker(2 * REMEMBERED + 299, BEST)
    assert counts(check) == (2, 2)


def test_memory_is_bounded() -> None:
    check = TickerCheck()
    for update_id in range(10 * REMEMBERED):
        check.on_ticker(update_id, BEST)
    held = check._tickers
    assert len(held.young) + len(held.old) <= 2 * REMEMBERED
