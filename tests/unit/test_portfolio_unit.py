"""Positions, profit, balances and after-fill moves, situation by situation."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from pipeline.core.after_fill import NONE_MATURED_E6, AfterFillMoves
from pipeline.core.order import Fill
from pipeline.core.portfolio import Portfolio, fee_quote_e8
from pipeline.core.position import Position
from pipeline.core.types import QUOTE_SCALE, Fees, Origin, Side
from tests.fakes.trading import ASK, BID, ETH, MS, PERP, SECOND, SPOT, START, Desk, approved


def bought(lots: int, price_ticks: int = BID, **changes: object) -> Fill:
    base = Fill(
        symbol="BTCUSDT",
        side=Side.BUY,
        lots=lots,
        price_ticks=price_ticks,
        fee_quote_e8=0,
        maker=True,
        trade_id=1,
        client_order_id="c1",
        origin=Origin.MODEL,
        permit_id=0,
        idea_id=0,
        ts_ns=START,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # builders take any field


def sold(lots: int, price_ticks: int = BID, **changes: object) -> Fill:
    return bought(lots, price_ticks, side=Side.SELL, **changes)


def portfolio(*fills: Fill, **changes: int) -> Portfolio:
    built = Portfolio((SPOT, ETH), **changes)
    for fill in fills:
        built.on_fill(fill)
    return built


def test_open_profit_of_a_long_is_marked_at_the_bid() -> None:
    account = portfolio(bought(1_000, 6_000_000))
    account.on_mark("BTCUSDT", 6_000_100, 6_000_300)
    position = account.position("BTCUSDT")
    assert position.open_quote_e8 == 100 * 1_000 * 10
    assert position.leave_ticks == 6_000_100
    assert account.day_quote_e8 == 100 * 1_000 * 10


def test_open_profit_of_a_short_is_marked_at_the_ask() -> None:
    account = portfolio(sold(1_000, 6_000_000))
    account.on_mark("BTCUSDT", 5_999_700, 5_999_900)
    assert account.position("BTCUSDT").open_quote_e8 == 100 * 1_000 * 10


def test_position_without_a_book_is_marked_at_its_last_fill() -> None:
    position = portfolio(bought(1_000, 6_000_000)).position("BTCUSDT")
    assert (position.open_quote_e8, position.leave_ticks, position.reference_ticks) == (0, BID, BID)


def test_average_moves_with_additions_and_not_with_reductions() -> None:
    account = portfolio(bought(100, 1_000), bought(200, 1_300), sold(100, 2_000))
    position = account.position("BTCUSDT")
    assert position.average_ticks == 1_200
    assert position.avg_price_e8 == 12 * QUOTE_SCALE
    assert position.closed_quote_e8 == 800 * 100 * 10


def test_average_is_exact_where_it_is_no_whole_tick() -> None:
    position = portfolio(bought(1, 1_000), bought(2, 1_001)).position("BTCUSDT")
    assert position.average_ticks == Fraction(3_002, 3)
    assert position.avg_price_e8 == 3_002 * QUOTE_SCALE // 300


def test_fill_beyond_flat_opens_the_other_side_at_its_own_price() -> None:
    account = portfolio(bought(100, 1_000), sold(150, 1_100, ts_ns=START + SECOND))
    position = account.position("BTCUSDT")
    assert (position.lots, position.average_ticks) == (-50, Fraction(1_100))
    assert position.closed_quote_e8 == 100 * 100 * 10
    assert position.opened_ns == START + SECOND


def test_flat_position_has_no_average_and_no_age() -> None:
    position = portfolio(bought(100, 1_000), sold(100, 1_100)).position("BTCUSDT")
    assert (position.lots, position.average_ticks, position.avg_price_e8) == (0, Fraction(), 0)
    assert (position.opened_ns, position.open_quote_e8) == (-1, 0)
    assert position.exit_fee_quote_e8 == 0


def test_adding_keeps_the_age_of_a_position() -> None:
    position = portfolio(bought(1), bought(1, ts_ns=START + SECOND)).position("BTCUSDT")
    assert position.opened_ns == START


def test_day_is_closed_plus_open_minus_fees() -> None:
    account = portfolio(bought(100, 1_000, fee_quote_e8=7), sold(50, 1_100, fee_quote_e8=5))
    account.on_mark("BTCUSDT", 1_050, 1_060)
    position = account.position("BTCUSDT")
    assert position.fees_quote_e8 == 12
    assert account.day_quote_e8 == position.closed_quote_e8 + position.open_quote_e8 - 12
    assert account.day_quote_e8 == 50 * 100 * 10 + 50 * 50 * 10 - 12
    assert account.day_loss_quote_e8 == 0


def test_loss_and_drawdown_are_two_numbers() -> None:
    account = portfolio(bought(100, 1_000))
    account.on_mark("BTCUSDT", 1_100, 1_101)
    account.on_mark("BTCUSDT", 900, 901)
    assert account.day_loss_quote_e8 == 100 * 100 * 10
    assert account.drawdown_quote_e8 == 200 * 100 * 10


def test_exit_fee_is_the_taker_fee_of_leaving_now() -> None:
    account = portfolio(bought(1_000, BID))
    account.on_mark("BTCUSDT", BID, ASK)
    position = account.position("BTCUSDT")
    assert position.notional_quote_e8 == 600 * QUOTE_SCALE
    assert position.exit_fee_quote_e8 == 6 * QUOTE_SCALE // 10


def test_days_of_several_symbols_add_up() -> None:
    account = portfolio(bought(100, 1_000), bought(10, 500, symbol="ETHUSDT"))
    account.on_mark("BTCUSDT", 1_001, 1_002)
    account.on_mark("ETHUSDT", 490, 491)
    assert account.day_quote_e8 == 100 * 10 - 100 * 100
    assert account.gross_quote_e8 == 100 * 1_001 * 10 + 10 * 490 * 100
    assert (account.fills, account.find("XRPUSDT")) == (2, None)


def test_unknown_symbol_is_a_broken_invariant() -> None:
    with pytest.raises(KeyError):
        portfolio().position("XRPUSDT")


def test_maker_share_counts_fills() -> None:
    assert portfolio().maker_share_e6 == 0
    assert portfolio(bought(1), bought(1), sold(1, maker=False)).maker_share_e6 == 666_666


def test_home_inventory_is_no_position_and_counts_as_balance() -> None:
    account = portfolio(sold(300), home_base_e8=QUOTE_SCALE // 100)
    assert account.home_lots("BTCUSDT") == 1_000
    assert account.balance_lots("BTCUSDT") == 700
    assert account.position("BTCUSDT").lots == -300


def test_open_buys_and_their_fees_are_not_free_money() -> None:
    desk = Desk(balance_quote_e8=1_000 * QUOTE_SCALE)
    assert desk.portfolio.free_quote_e8(desk.orders) == 1_000 * QUOTE_SCALE
    order = desk.orders.add(approved("c1", qty_lots=1_000), START)
    locked = 600 * QUOTE_SCALE + 6 * QUOTE_SCALE // 10
    assert desk.portfolio.free_quote_e8(desk.orders) == 1_000 * QUOTE_SCALE - locked
    desk.fill(order, 1_000)
    paid = 600 * QUOTE_SCALE + 60
    assert desk.portfolio.free_quote_e8(desk.orders) == 1_000 * QUOTE_SCALE - paid


def test_margin_symbols_lock_no_spot_money() -> None:
    desk = Desk(instrument=PERP, balance_quote_e8=1_000 * QUOTE_SCALE)
    desk.hold(10, 600_000)
    desk.orders.add(approved("c9", qty_lots=10, price_ticks=600_000), START)
    assert desk.portfolio.free_quote_e8(desk.orders) == 1_000 * QUOTE_SCALE


def test_worst_gross_counts_open_orders_and_can_leave_one_symbol_out() -> None:
    desk = Desk()
    desk.hold(1_000)
    desk.orders.add(approved("c8", qty_lots=500), START)
    worst = desk.portfolio.worst_gross_quote_e8(desk.orders)
    assert worst == 1_500 * ASK * 10
    assert desk.portfolio.worst_gross_quote_e8(desk.orders, without="BTCUSDT") == 0


def test_denominator_of_the_average_stays_bounded() -> None:
    position = Position(SPOT)
    for step in range(400):
        position.take(Side.BUY, 7_919, 6_000_000 + step, START)
        position.take(Side.SELL, 104 + step % 7, 6_000_003, START)
    assert position.cost_tick_lots.denominator <= 10**36
    assert 6_000_000 < position.average_ticks < 6_000_400


def test_fees_round_against_us_and_rebates_down() -> None:
    assert fee_quote_e8(1, 1_000) == 1
    assert fee_quote_e8(1_000_000, 1_000) == 1_000
    assert fee_quote_e8(1_000_001, -100) == -100
    assert fee_quote_e8(10, 0) == 0


def test_press_to_sent_quantiles_are_of_the_newest_presses() -> None:
    account = portfolio()
    assert account.press_to_sent_ms() == (-1, -1)
    for _ in range(100):
        account.on_sent_after_press(START, START + 99 * SECOND)
    for ms in range(256):
        account.on_sent_after_press(START, START + ms * MS)
    assert account.press_to_sent_ms() == (127, 229)


def test_clock_that_steps_back_gives_no_negative_wait() -> None:
    account = portfolio()
    account.on_sent_after_press(START, START - 1)
    assert account.press_to_sent_ms() == (0, 0)


def test_after_fill_moves_are_signed_by_side() -> None:
    account = portfolio()
    account.on_mark("BTCUSDT", 1_000_000, 1_000_000)
    account.on_fill(bought(1, maker=True))
    account.on_fill(sold(1, maker=False))
    account.on_mark("BTCUSDT", 1_000_010, 1_000_010)
    account.on_beat(START + SECOND - 1)
    assert account.after_fill.mean_e6(0) == NONE_MATURED_E6
    account.on_beat(START + SECOND)
    assert account.after_fill.mean_e6(0, maker=True) == 10
    assert account.after_fill.mean_e6(0, maker=False) == -10
    assert account.after_fill.mean_e6(0) == 0
    assert account.after_fill.mean_e6(1) == NONE_MATURED_E6
    account.on_beat(START + 60 * SECOND)
    assert account.after_fill.mean_e6(2, maker=True) == 10


def test_fill_that_matures_without_a_book_is_void() -> None:
    account = portfolio()
    account.on_mark("BTCUSDT", BID, ASK)
    account.on_fill(bought(1))
    account.on_book_lost("BTCUSDT")
    account.on_beat(START + 60 * SECOND)
    assert (account.after_fill.void, account.after_fill.mean_e6(2)) == (3, NONE_MATURED_E6)


def test_fill_without_a_mid_is_not_followed_and_waiting_fills_are_bounded() -> None:
    moves = AfterFillMoves(bound=2)
    moves.on_fill("BTCUSDT", Side.BUY, True, 0, START)
    for number in range(3):
        moves.on_fill("BTCUSDT", Side.BUY, True, 2_000_000 + number, START + number)
    assert moves.overflowed == 3
    moves.mature({"BTCUSDT": 2_000_000}, START + 61 * SECOND)
    assert moves.void == 0
    assert moves.mean_e6(0) < 0


def test_costless_instrument_has_no_exit_fee() -> None:
    account = Portfolio((replace(SPOT, fees=Fees(0, 0, "option")),))
    account.on_fill(bought(100))
    assert account.position("BTCUSDT").exit_fee_quote_e8 == 0
