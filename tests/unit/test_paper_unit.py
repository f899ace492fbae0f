"""The paper venue's fill rule, situation by situation (INTERACTION 1.7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.core.book import OrderBook
from pipeline.core.inputs import CancelRejected, ExecutionReport
from pipeline.core.types import QUOTE_SCALE, Fees, Instrument, OrderState, OrderType, Origin, Side
from pipeline.sim.paper import PaperVenue
from pipeline.sim.paper.liquidity import Liquidity
from tests.fakes.trading import ASK, BID, ETH, MS, PERP, SPOT, START, book, cancel, submit, trade

S = OrderState
LOT = SPOT.lot_units
ACK = 12 * MS
AT = START + ACK
"""When an order sent at START arrives."""


SMALL = replace(SPOT, min_notional_quote_e8=1)
"""Takes orders of a few lots, so that the numbers of a situation can be small."""


def venue(instrument: Instrument = SMALL, **changes: Any) -> PaperVenue:
    base: dict[str, Any] = {
        "ack_latency_ns": ACK,
        "cancel_latency_ns": 8 * MS,
        "home_base_e8": 10 * QUOTE_SCALE,
        "balance_quote_e8": 1_000_000 * QUOTE_SCALE,
    }
    return PaperVenue((instrument, ETH), **(base | changes))


def two_sided(bid_lots: int = 5, ask_lots: int = 5) -> OrderBook:
    """Three levels a side, one tick apart, `lots` on each."""
    return book(
        {BID - step: bid_lots * LOT for step in range(3)},
        {ASK + step: ask_lots * LOT for step in range(3)},
    )


def ioc(client_order_id: str = "c1", **changes: Any) -> Any:
    base = {"order_type": OrderType.LIMIT_IOC, "price_ticks": ASK + 9, "qty_lots": 12}
    return submit(client_order_id, **(base | changes))


def fills(reports: list[Any]) -> list[tuple[int, int]]:
    """Give (price, lots) of the fills in order."""
    return [(one.fill_price_ticks, one.filled_lots) for one in reports if getattr(one, "filled_lots", 0)]


def statuses(reports: list[Any]) -> list[OrderState]:
    return [one.status for one in reports if isinstance(one, ExecutionReport)]


def resting(lots: int = 100, ahead_lots: int = 5, **changes: Any) -> PaperVenue:
    """A venue where our buy of `lots` rests at the bid behind `ahead_lots`."""
    place = venue(**changes)
    place.on_book("BTCUSDT", two_sided(bid_lots=ahead_lots), START)
    place.submit(submit(qty_lots=lots), START)
    assert statuses(place.due(AT)) == [S.ACCEPTED]
    return place


# arriving


def test_order_meets_the_book_as_it_is_when_it_arrives() -> None:
    place, market = venue(), two_sided()
    place.on_book("BTCUSDT", market, START)
    place.submit(ioc(), START)
    assert (place.due(AT - 1), place.next_due_ns) == ([], AT)
    market.apply((), ((ASK, 0),))
    place.on_book("BTCUSDT", market, AT - 1)
    assert fills(place.due(AT)) == [(ASK + 1, 5), (ASK + 2, 5)]


def test_reports_come_after_the_way_back() -> None:
    place = venue(report_latency_ns=3 * MS)
    place.on_book("BTCUSDT", two_sided(), START)
    place.submit(ioc(), START)
    assert place.due(AT) == []
    assert place.next_due_ns == AT + 3 * MS
    reports = place.due(AT + 3 * MS)
    assert {(one.ts_event_ns, one.ts_ns) for one in reports if isinstance(one, ExecutionReport)} == {
        (AT, AT + 3 * MS)
    }
    assert place.next_due_ns is None


def test_jitter_is_the_same_for_the_same_seed_and_stays_in_its_range() -> None:
    def arrivals(seed: int) -> list[int]:
        place = venue(jitter_ns=5 * MS, seed=seed)
        times = []
        for number in range(20):
            place.submit(ioc(f"c{number}"), START)
            times.append(place.next_due_ns or 0)
            place.due(START + 60 * MS)
        return times

    assert arrivals(1) == arrivals(1) != arrivals(2)
    assert all(AT <= time <= AT + 5 * MS for time in arrivals(1))
    assert len(dict.fromkeys(arrivals(1))) > 10


# taking


def test_taker_sweeps_level_by_level_up_to_its_limit() -> None:
    place = venue()
    place.on_book("BTCUSDT", two_sided(), START)
    place.submit(ioc(price_ticks=ASK + 1, qty_lots=12), START)
    reports = place.due(AT)
    assert fills(reports) == [(ASK, 5), (ASK + 1, 5)]
    assert statuses(reports) == [S.ACCEPTED, S.PARTIALLY_FILLED, S.PARTIALLY_FILLED, S.EXPIRED]
    assert place.open_orders() == ()


def test_taker_that_finds_everything_ends_filled() -> None:
    place = venue()
    place.on_book("BTCUSDT", two_sided(), START)
    place.submit(ioc(side=Side.SELL, price_ticks=BID - 9, qty_lots=7), START)
    reports = place.due(AT)
    assert fills(reports) == [(BID, 5), (BID - 1, 2)]
    assert statuses(reports)[-1] is S.FILLED
    assert not [one for one in reports if getattr(one, "maker", False)]


def test_what_we_took_stays_taken_until_the_venue_updates_the_level() -> None:
    place, market = venue(), two_sided()
    place.on_book("BTCUSDT", market, START)
    place.submit(ioc("c1", price_ticks=ASK, qty_lots=3), START)
    place.submit(ioc("c2", price_ticks=ASK, qty_lots=9), START)
    assert fills(place.due(AT)) == [(ASK, 3), (ASK, 2)]
    market.apply(((BID, 9 * LOT),), ())
    place.on_book("BTCUSDT", market, AT + MS)
    place.submit(ioc("c3", price_ticks=ASK, qty_lots=9), AT + MS)
    assert fills(place.due(AT + MS + ACK)) == []
    market.apply((), ((ASK, 4 * LOT),))
    place.on_book("BTCUSDT", market, AT + 20 * MS)
    place.submit(ioc("c4", price_ticks=ASK, qty_lots=9), AT + 20 * MS)
    assert fills(place.due(AT + 20 * MS + ACK)) == [(ASK, 4)]


def test_taker_takes_whole_lots_only() -> None:
    place = venue()
    place.on_book("BTCUSDT", book({BID: LOT}, {ASK: 10 * LOT - 1}), START)
    place.submit(ioc(price_ticks=ASK, qty_lots=12), START)
    assert fills(place.due(AT)) == [(ASK, 9)]


def test_fresher_touch_hides_levels_it_has_left_behind_and_shows_its_own() -> None:
    place = venue()
    place.on_book("BTCUSDT", two_sided(), START, l1=(BID, LOT, ASK + 1, 2 * LOT))
    place.submit(ioc(price_ticks=ASK + 2, qty_lots=12), START)
    assert fills(place.due(AT)) == [(ASK + 1, 2), (ASK + 2, 5)]


def test_fresher_touch_between_the_levels_is_taken_first() -> None:
    place = venue()
    place.on_book("BTCUSDT", two_sided(), START, l1=(BID, LOT, ASK - 1, 9 * LOT))
    place.submit(ioc(price_ticks=ASK, qty_lots=12), START)
    assert fills(place.due(AT)) == [(ASK - 1, 9), (ASK, 3)]


def test_levels_used_up_are_bounded_and_never_forgotten() -> None:
    market, liquidity = book({1: LOT}, {BID + step: 2 * LOT for step in range(1_100)}), Liquidity()
    liquidity.on_book(market, None)
    assert len(liquidity.sweep(Side.BUY, BID + 2_000, 9_999, LOT)) == 1_024
    assert liquidity.sweep(Side.BUY, BID + 2_000, 9_999, LOT) == []


def test_liquidity_without_a_book_gives_nothing() -> None:
    liquidity = Liquidity()
    liquidity.on_book(None, None)
    assert (liquidity.two_sided, liquidity.displayed_units(Side.BUY, BID)) == (False, 0)
    assert liquidity.sweep(Side.BUY, ASK, 1, LOT) == []
    liquidity.on_book(book({BID: LOT}, {}), None)
    assert liquidity.sweep(Side.BUY, ASK, 1, LOT) == []


def test_level_the_touch_has_passed_shows_nothing_on_either_side() -> None:
    liquidity = Liquidity()
    liquidity.on_book(two_sided(), (BID - 1, LOT, ASK + 1, 2 * LOT))
    assert liquidity.displayed_units(Side.BUY, BID) == 0
    assert liquidity.displayed_units(Side.BUY, BID - 1) == LOT
    assert liquidity.displayed_units(Side.BUY, BID - 2) == 5 * LOT
    assert (liquidity.best_ticks(Side.BUY), liquidity.best_ticks(Side.SELL)) == (BID - 1, ASK + 1)


# resting


def test_sell_print_of_exactly_the_queue_gives_no_fill_and_one_lot_more_fills_one_lot() -> None:
    place = resting(ahead_lots=5)
    assert place.queue_ahead("c1") == 5 * LOT
    place.on_trade(trade(BID, 5 * LOT, Side.SELL, AT + MS))
    assert (place.due(AT + MS), place.queue_ahead("c1")) == ([], 0)
    place.on_trade(trade(BID, LOT, Side.SELL, AT + 2 * MS))
    reports = place.due(AT + 2 * MS)
    assert fills(reports) == [(BID, 1)]
    assert getattr(reports[0], "maker", False)
    one_print = resting(ahead_lots=5)
    one_print.on_trade(trade(BID, 6 * LOT, Side.SELL, AT + MS))
    assert fills(one_print.due(AT + MS)) == [(BID, 1)]


def test_sale_rests_and_fills_the_same_way() -> None:
    place = venue()
    place.on_book("BTCUSDT", two_sided(ask_lots=3), START)
    place.submit(submit(side=Side.SELL, price_ticks=ASK, qty_lots=100), START)
    place.due(AT)
    place.on_trade(trade(ASK, 3 * LOT, Side.BUY, AT + MS))
    place.on_trade(trade(ASK, 3 * LOT, Side.SELL, AT + MS))
    assert place.due(AT + MS) == []
    place.on_trade(trade(ASK, 2 * LOT, Side.BUY, AT + 2 * MS))
    assert fills(place.due(AT + 2 * MS)) == [(ASK, 2)]


@pytest.mark.parametrize(("price_ticks", "aggressor"), [(BID + 1, Side.SELL), (BID, Side.BUY)])
def test_print_on_the_wrong_side_or_price_does_not_touch_us(price_ticks: int, aggressor: Side) -> None:
    place = resting()
    place.on_trade(trade(price_ticks, 10**9, aggressor, AT + MS))
    assert (place.due(AT + MS), place.queue_ahead("c1")) == ([], 5 * LOT)


def test_print_in_another_symbol_does_not_touch_us() -> None:
    place = resting()
    place.on_trade(trade(BID - 5, 10**9, Side.SELL, AT + MS, symbol="ETHUSDT"))
    assert place.due(AT + MS) == []


@pytest.mark.parametrize("aggressor", list(Side))
def test_print_through_our_price_fills_us_at_it_by_no_more_than_was_printed(aggressor: Side) -> None:
    place = resting(lots=100, ahead_lots=5)
    place.on_trade(trade(BID - 1, 40 * LOT, aggressor, AT + MS))
    assert fills(place.due(AT + MS)) == [(BID, 40)]
    assert place.queue_ahead("c1") == 0


def test_touch_alone_never_fills() -> None:
    place = resting()
    place.on_book("BTCUSDT", book({BID - 9: LOT}, {BID: 50 * LOT}), AT + MS)
    assert place.due(AT + 60 * MS) == []
    assert place.queue_ahead("c1") == 5 * LOT


def test_cancels_ahead_of_us_do_not_move_the_queue() -> None:
    place = resting()
    place.on_book("BTCUSDT", two_sided(bid_lots=1), AT + MS)
    assert place.queue_ahead("c1") == 5 * LOT


def test_print_before_the_order_arrived_does_not_count() -> None:
    place = venue()
    place.on_book("BTCUSDT", two_sided(), START)
    place.submit(submit(), START)
    place.on_trade(trade(BID, 50 * LOT, Side.SELL, AT - 1))
    assert fills(place.due(AT)) == []
    assert place.queue_ahead("c1") == 5 * LOT


def test_order_between_the_levels_has_nobody_ahead() -> None:
    place = venue()
    place.on_book("BTCUSDT", book({BID: LOT}, {ASK + 5: LOT}), START)
    place.submit(submit(price_ticks=BID + 1), START)
    place.due(AT)
    assert place.queue_ahead("c1") == 0


def test_two_orders_of_ours_share_one_print_in_order_of_arrival() -> None:
    place = resting(lots=10, ahead_lots=5)
    place.on_book("BTCUSDT", two_sided(bid_lots=2), AT)
    place.submit(submit("c2", qty_lots=10), AT)
    place.due(AT + ACK)
    assert place.queue_ahead("c2") == 5 * LOT
    place.on_trade(trade(BID, 12 * LOT, Side.SELL, AT + 20 * MS))
    assert fills(place.due(AT + 20 * MS)) == [(BID, 7)]
    assert place.queue_ahead("c2") == 0
    place.on_trade(trade(BID, 8 * LOT, Side.SELL, AT + 21 * MS))
    reports = place.due(AT + 21 * MS)
    assert [(getattr(one, "client_order_id", ""), getattr(one, "filled_lots", 0)) for one in reports] == [
        ("c1", 3),
        ("c2", 5),
    ]


def test_better_priced_order_of_ours_is_met_first() -> None:
    place = resting(lots=10, ahead_lots=5)
    place.submit(submit("c2", price_ticks=BID + 1, qty_lots=10), AT)
    place.due(AT + ACK)
    place.on_trade(trade(BID, 12 * LOT, Side.SELL, AT + 20 * MS))
    assert [getattr(one, "client_order_id", "") for one in place.due(AT + 20 * MS)] == ["c2"]


def test_post_only_that_would_cross_is_rejected() -> None:
    place = venue()
    place.on_book("BTCUSDT", two_sided(), START)
    place.submit(submit(price_ticks=ASK), START)
    place.submit(submit("c2", side=Side.SELL, price_ticks=BID), START)
    reports = place.due(AT)
    assert statuses(reports) == [S.REJECTED, S.REJECTED]
    assert {getattr(one, "reason", "") for one in reports} == {
        "-2010 Order would immediately match and take."
    }


# cancelling


def test_fills_before_a_cancel_arrives_count() -> None:
    place = resting()
    place.cancel(cancel(), AT)
    place.on_trade(trade(BID, 7 * LOT, Side.SELL, AT + 8 * MS - 1))
    reports = place.due(AT + 8 * MS)
    assert fills(reports) == [(BID, 2)]
    assert statuses(reports) == [S.PARTIALLY_FILLED, S.CANCELED]
    place.on_trade(trade(BID, 99 * LOT, Side.SELL, AT + 9 * MS))
    assert place.due(AT + 9 * MS) == []


@pytest.mark.parametrize("client_order_id", ["c1", "never-sent"])
def test_cancel_of_what_is_not_there_is_refused(client_order_id: str) -> None:
    place = resting(lots=10)
    place.on_trade(trade(BID - 1, 10 * LOT, Side.SELL, AT + MS))
    place.due(AT + MS)
    place.cancel(cancel(client_order_id), AT + MS)
    refused = CancelRejected("BTCUSDT", client_order_id, "-2011 Unknown order sent.", AT + 9 * MS)
    assert place.due(AT + 9 * MS) == [refused]


def test_open_orders_are_those_resting_and_those_on_their_way() -> None:
    place = resting()
    place.submit(submit("c2"), AT)
    place.submit(submit("e1", symbol="ETHUSDT"), AT)
    place.cancel(cancel("c1"), AT)
    assert place.open_orders() == ("c1", "c2", "e1")
    assert place.open_orders("ETHUSDT") == ("e1",)
    assert place.queue_ahead("c2") == -1


# refusing


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"price_ticks": 0}, "-1013 Filter failure: PRICE_FILTER"),
        ({"qty_lots": 0}, "-1013 Filter failure: LOT_SIZE"),
        ({"qty_lots": SPOT.max_qty_lots + 1}, "-1013 Filter failure: LOT_SIZE"),
        ({"qty_lots": 8}, "-1013 Filter failure: NOTIONAL"),
        ({"symbol": "XRPUSDT"}, "-1121 Invalid symbol."),
        ({"qty_lots": 2_000_000}, "-2010 Account has insufficient balance for requested action."),
        (
            {"side": Side.SELL, "price_ticks": ASK, "qty_lots": 1_000_001},
            "-2010 Account has insufficient balance for requested action.",
        ),
    ],
)
def test_what_a_venue_would_refuse_is_rejected_with_its_words(changes: dict[str, Any], reason: str) -> None:
    place = venue(SPOT)
    place.on_book("BTCUSDT", two_sided(), START)
    place.submit(submit(**changes), START)
    reports = place.due(AT)
    assert [getattr(one, "reason", "") for one in reports] == [reason]
    assert statuses(reports) == [S.REJECTED]
    assert place.open_orders() == ()


def test_same_client_id_while_the_first_is_open_is_a_duplicate() -> None:
    place = resting()
    place.submit(submit("c1"), AT)
    assert [getattr(one, "reason", "") for one in place.due(AT + ACK)] == ["-2010 Duplicate order sent."]


@pytest.mark.parametrize("market", [None, book({BID: LOT}, {}), book({}, {ASK: LOT})])
def test_nothing_trades_without_a_whole_book(market: OrderBook | None) -> None:
    place = venue()
    place.on_book("BTCUSDT", market, START)
    place.on_book("XRPUSDT", market, START)
    place.submit(submit(), START)
    assert [getattr(one, "reason", "") for one in place.due(AT)] == ["-2010 Market is closed."]


def test_resting_orders_lock_their_balance() -> None:
    place = venue(home_base_e8=QUOTE_SCALE // 100, balance_quote_e8=610 * QUOTE_SCALE)
    place.on_book("BTCUSDT", two_sided(), START)
    place.submit(submit("s1", side=Side.SELL, price_ticks=ASK, qty_lots=990), START)
    place.submit(submit("s2", side=Side.SELL, price_ticks=ASK, qty_lots=11), START)
    place.submit(submit("b1", qty_lots=1_000), START)
    place.submit(submit("b2", qty_lots=20), START)
    reports = [one for one in place.due(AT) if isinstance(one, ExecutionReport)]
    assert [(one.client_order_id, one.status) for one in reports] == [
        ("s1", S.ACCEPTED),
        ("s2", S.REJECTED),
        ("b1", S.ACCEPTED),
        ("b2", S.REJECTED),
    ]


def test_margin_venue_needs_no_balance_and_knows_reduce_only() -> None:
    place = venue(PERP, home_base_e8=0, balance_quote_e8=0)
    place.on_book("BTCUSDT", book({600_000: 9}, {600_001: 9}, PERP), START)
    perp: dict[str, Any] = {"price_ticks": 600_001, "qty_lots": 5, "order_type": OrderType.LIMIT_IOC}
    reduce = {"reduce_only": True, "side": Side.SELL, "price_ticks": 600_000, "origin": Origin.EXIT}
    place.submit(submit("c1", **(perp | reduce)), START)
    place.submit(submit("c2", **perp), START)
    place.submit(submit("c3", **(perp | reduce | {"qty_lots": 6})), START)
    place.submit(submit("c4", **(perp | reduce)), START)
    reports = [
        one for one in place.due(AT) if isinstance(one, ExecutionReport) and one.status is not S.ACCEPTED
    ]
    assert [(one.client_order_id, one.status) for one in reports] == [
        ("c1", S.REJECTED),
        ("c2", S.FILLED),
        ("c3", S.REJECTED),
        ("c4", S.FILLED),
    ]
    assert reports[0].reason == "-2022 ReduceOnly Order is rejected."


def test_margin_venue_has_words_of_its_own() -> None:
    place = venue(PERP)
    place.on_book("BTCUSDT", book({600_000: 9}, {600_001: 9}, PERP), START)
    place.submit(submit("c1", price_ticks=600_001, qty_lots=5), START)
    place.submit(submit("c2", price_ticks=600_000, qty_lots=1), START)
    codes = [getattr(one, "reason", "")[:5] for one in place.due(AT)]
    assert codes == ["-5022", "-4164"]


# the ledger


def test_fees_are_those_of_maker_and_taker() -> None:
    apart = replace(SPOT, fees=Fees(maker_e6=-100, taker_e6=1_000, source="venue"))
    place = venue(apart)
    place.on_book("BTCUSDT", two_sided(), START)
    place.submit(ioc(price_ticks=ASK, qty_lots=10), START)
    place.submit(submit("c2"), START)
    place.due(AT)
    place.on_trade(trade(BID - 1, 10 * LOT, Side.SELL, AT))
    place.due(AT)
    taker, maker = place.fills
    assert (taker.maker, maker.maker) == (False, True)
    assert taker.fee_quote_e8 == -(-5 * ASK * 10 // 1_000)
    assert maker.fee_quote_e8 == -(10 * BID * 10 // 10_000)
    assert [one.trade_id for one in place.fills] == [1, 2]


def test_ledger_holds_what_the_fills_add_up_to() -> None:
    place = venue()
    place.on_book("BTCUSDT", two_sided(), START)
    place.submit(ioc(price_ticks=ASK + 1, qty_lots=10), START)
    place.submit(ioc("c2", side=Side.SELL, price_ticks=BID, qty_lots=10), START)
    place.due(AT)
    holding = place.account.holding("BTCUSDT")
    assert holding is not None
    assert holding.lots == 10 - 5
    assert holding.cash_tick_lots == 5 * BID - 5 * ASK - 5 * (ASK + 1)
    assert place.account.base_lots("BTCUSDT") == 1_000_000 + 5
    expected = 1_000_000 * QUOTE_SCALE + holding.cash_tick_lots * 10 - holding.fees_quote_e8
    assert place.account.quote_e8 == expected
    assert place.fill_count == 3
