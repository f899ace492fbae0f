"""Orders, money and refusals of the exchange, one situation each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.core.types import Fees
from pipeline.sim.exchange.errors import VenueError
from pipeline.sim.exchange.ledger import EntryKind, Ledger
from pipeline.sim.exchange.listing import by_symbol, exact, spot_listings
from pipeline.sim.exchange.order import (
    BalanceReport,
    ExecutionType,
    NewOrder,
    OrderKind,
    OrderReport,
    OrderStatus,
    SelfTrade,
    TimeInForce,
    TradePrint,
)
from pipeline.sim.exchange.order_store import OrderStore
from pipeline.sim.exchange.quotas import SECOND_NS, Quota, order_quotas
from pipeline.sim.exchange.rules import exact_e8, side_of
from tests.fakes.venue import (
    ASK,
    BID,
    BUY,
    E8,
    SELL,
    SYMBOL,
    T0,
    account,
    exchange,
    fills,
    listing,
    order,
    placed,
    quoted,
)

IOC, FOK = TimeInForce.IOC, TimeInForce.FOK


def refused(code: int, text: str = "") -> Any:
    return pytest.raises(VenueError, match=rf"^{code} .*{text}")


def test_a_passive_order_rests_and_locks_its_worth() -> None:
    venue = quoted(exchange())
    ours = account(venue)
    (report,) = venue.place(ours, order(BUY, BID, 1_000), T0)
    assert (report.execution, report.status, report.working) == (ExecutionType.NEW, OrderStatus.NEW, True)
    assert ours.holds("USDT") == (("USDT", 1_000_000 * E8 - 640 * E8, 640 * E8),)


def test_a_taker_gets_the_better_price_and_its_money_back() -> None:
    venue = quoted(exchange(listing(Fees(0, 0, ""))), lots=600)
    ours = account(venue)
    reports = venue.place(ours, order(BUY, ASK + 3, 1_000), T0)
    assert fills(reports) == [(ASK, 600), (ASK + 1, 400)]
    assert reports[-1].status is OrderStatus.FILLED
    cost = (600 * ASK + 400 * (ASK + 1)) * 10
    assert ours.holds("BTC", "USDT") == (
        ("BTC", 10 * E8 + 1_000_000, 0),
        ("USDT", 1_000_000 * E8 - cost, 0),
    )
    assert reports[-1].filled_quote_e8 == cost


def test_commission_is_taken_from_what_is_received() -> None:
    venue = quoted(exchange())
    ours = account(venue)
    (_, bought) = venue.place(ours, order(BUY, ASK, 1_000, time_in_force=IOC), T0)
    assert (bought.commission_e8, bought.order.receives) == (2_000, "BTC")
    sold = placed(venue, ours, order(SELL, ASK, 1_000))
    venue.street_order(SYMBOL, BUY, ASK, 20_000, T0)
    last = venue.orders.fills[-1]
    assert (last.order, last.maker, last.commission_e8) == (sold, True, ASK * 10)
    assert venue.clearing.commissions == {"BTC": 2_000, "USDT": ASK * 10}


def test_a_passive_order_fills_when_the_queue_before_it_is_gone() -> None:
    venue = quoted(exchange(), lots=500, levels=1)
    ours = account(venue)
    mine = placed(venue, ours, order(BUY, BID, 1_000))
    venue.street_order(SYMBOL, SELL, BID, 500, T0, rests=False)
    assert mine.filled_lots == 0
    venue.street_order(SYMBOL, SELL, BID, 300, T0 + 5, rests=False)
    assert (mine.status, mine.filled_lots, mine.updated_ns) == (OrderStatus.PARTIALLY_FILLED, 300, T0 + 5)
    venue.cancel(mine, T0 + 6)
    assert (mine.status, mine.filled_lots) == (OrderStatus.CANCELED, 300)
    assert ours.locked["USDT"] == 0
    assert venue.markets[SYMBOL].book.bids.keys == []


def test_ioc_ends_with_what_it_could_get() -> None:
    venue = quoted(exchange(), lots=600, levels=1)
    ours = account(venue)
    reports = venue.place(ours, order(BUY, ASK, 1_000, time_in_force=IOC), T0)
    assert [report.execution for report in reports] == [
        ExecutionType.NEW,
        ExecutionType.TRADE,
        ExecutionType.EXPIRED,
    ]
    assert reports[-1].status is OrderStatus.EXPIRED
    assert ours.locked["USDT"] == 0


@pytest.mark.parametrize(("lots", "status"), [(1_200, OrderStatus.FILLED), (1_201, OrderStatus.EXPIRED)])
def test_fok_is_filled_whole_or_not_at_all(lots: int, status: OrderStatus) -> None:
    venue = quoted(exchange(), lots=600, levels=2)
    mine = placed(venue, account(venue), order(BUY, ASK + 1, lots, time_in_force=FOK))
    assert (mine.status, mine.filled_lots) == (status, lots if status is OrderStatus.FILLED else 0)


def test_post_only_is_refused_where_it_would_take() -> None:
    venue = quoted(exchange())
    ours = account(venue)
    with refused(-2010, "immediately match"):
        venue.place(ours, order(BUY, ASK, kind=OrderKind.LIMIT_MAKER), T0)
    assert venue.place(ours, order(BUY, BID, kind=OrderKind.LIMIT_MAKER), T0)[0].working
    assert ours.locked["USDT"] == 640 * E8


def test_market_order_takes_what_is_there_and_never_rests() -> None:
    venue = quoted(exchange(), lots=600, levels=2)
    ours = account(venue)
    reports = venue.place(ours, order(SELL, lots=5_000, kind=OrderKind.MARKET), T0)
    assert fills(reports) == [(BID, 600), (BID - 1, 600)]
    assert reports[-1].status is OrderStatus.EXPIRED
    assert ours.locked["BTC"] == 0


def test_market_order_of_a_sum_spends_no_more_than_it() -> None:
    venue = quoted(exchange(), lots=600)
    ours = account(venue)
    wanted = order(BUY, kind=OrderKind.MARKET, quantity_e8=0, quote_quantity_e8=500 * E8)
    reports = venue.place(ours, wanted, T0)
    assert reports[-1].status is OrderStatus.FILLED
    assert 499 * E8 < reports[-1].filled_quote_e8 <= 500 * E8
    assert (1_000_000 * E8 - ours.free["USDT"], ours.locked["USDT"]) == (reports[-1].filled_quote_e8, 0)


def test_market_order_of_a_sum_too_small_for_a_lot_is_refused() -> None:
    venue = exchange(listing(instrument=replace(listing().instrument, min_notional_quote_e8=1)))
    with refused(-1013, "LOT_SIZE"):
        wanted = order(BUY, kind=OrderKind.MARKET, quantity_e8=0, quote_quantity_e8=1)
        quoted(venue).place(account(venue), wanted, T0)


def test_market_buy_pays_around_its_own_order() -> None:
    venue = quoted(exchange(), lots=600)
    ours = account(venue, usdt=800)
    mine = placed(venue, ours, order(SELL, ASK, 600))
    reports = venue.place(ours, order(BUY, lots=1_200, kind=OrderKind.MARKET), T0)
    assert fills(reports) == [(ASK, 600), (ASK + 1, 600)]
    assert mine.status is OrderStatus.EXPIRED_IN_MATCH
    assert (ours.locked["BTC"], ours.locked["USDT"]) == (0, 0)


def test_taker_that_gives_way_keeps_the_fills_before() -> None:
    venue = quoted(exchange(), lots=600, levels=1)
    ours = account(venue)
    placed(venue, ours, order(SELL, ASK, 600))
    reports = venue.place(ours, order(BUY, ASK, 1_000, self_trade=SelfTrade.EXPIRE_TAKER), T0)
    assert fills(reports) == [(ASK, 600)]
    assert (reports[-1].execution, reports[-1].status) == (
        ExecutionType.TRADE_PREVENTION,
        OrderStatus.EXPIRED_IN_MATCH,
    )


def test_own_order_that_gives_way_is_reported() -> None:
    venue = exchange()
    ours = account(venue)
    maker = placed(venue, ours, order(SELL, ASK, 600))
    taker = placed(venue, ours, order(BUY, ASK, 600))
    assert (maker.status, taker.status) == (OrderStatus.EXPIRED_IN_MATCH, OrderStatus.NEW)
    assert venue.markets[SYMBOL].book.top == (ASK, 600, 0, 0)
    assert ours.locked["BTC"] == 0


def test_trading_with_oneself_is_possible_where_it_is_allowed() -> None:
    venue = exchange(listing(Fees(0, 0, "")))
    ours = account(venue)
    placed(venue, ours, order(SELL, ASK, 600))
    taker = placed(venue, ours, order(BUY, ASK, 600, self_trade=SelfTrade.NONE))
    assert taker.status is OrderStatus.FILLED
    assert ours.holds() == (("BTC", 10 * E8, 0), ("USDT", 1_000_000 * E8, 0))


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"symbol": "NOSUCH"}, -1121, "Invalid symbol"),
        ({"price_e8": BID * 1_000_000 + 1}, -1013, "PRICE_FILTER"),
        ({"price_e8": 100_000_001 * 1_000_000}, -1013, "PRICE_FILTER"),
        ({"price_e8": BID * 200_001}, -1013, "PRICE_FILTER"),
        ({"price_e8": BID * 190_000}, -1013, "PERCENT_PRICE_BY_SIDE"),
        ({"price_e8": BID * 5_100_000}, -1013, "PERCENT_PRICE_BY_SIDE"),
        ({"quantity_e8": 1_500}, -1013, "LOT_SIZE"),
        ({"quantity_e8": 9_001 * E8}, -1013, "LOT_SIZE"),
        ({"quantity_e8": 7_000}, -1013, "NOTIONAL"),
        ({"quantity_e8": 200 * E8}, -1013, "NOTIONAL"),
        ({"quantity_e8": 0}, -1102, "quantity"),
        ({"price_e8": 0}, -1102, "price"),
        ({"quote_quantity_e8": E8, "kind": OrderKind.MARKET}, -1102, "quantity"),
        ({"kind": OrderKind.MARKET}, -1106, "price"),
        ({"kind": OrderKind.LIMIT_MAKER, "time_in_force": IOC}, -1106, "timeInForce"),
        ({"client_order_id": "has space"}, -1100, "newClientOrderId"),
        ({"client_order_id": "x" * 37}, -1100, "newClientOrderId"),
        ({"quantity_e8": 100 * E8}, -2010, "insufficient balance"),
    ],
)
def test_a_wrong_order_is_refused_with_the_venues_code(changes: dict[str, Any], code: int, text: str) -> None:
    venue = quoted(exchange())
    ours = account(venue)
    before = ours.holds()
    with refused(code, text):
        venue.place(ours, replace(order(), **changes), T0)
    assert ours.holds() == before
    assert venue.orders.open_orders(ours.owner) == []
    assert venue.ledger.entries[-1].kind is EntryKind.REFUSED
    assert venue.ledger.entries[-1].code == code


def test_a_closed_market_takes_no_order() -> None:
    venue = quoted(exchange())
    venue.markets[SYMBOL].is_open = False
    with refused(-2010, "Market is closed"):
        venue.place(account(venue), order(), T0)


def test_client_id_is_unique_among_open_orders_only() -> None:
    venue = quoted(exchange())
    ours = account(venue)
    first = placed(venue, ours, order(client_order_id="same"))
    with refused(-2010, "Duplicate"):
        venue.place(ours, order(client_order_id="same"), T0)
    placed(venue, account(venue, "theirs"), order(client_order_id="same"))
    venue.cancel(first, T0)
    second = placed(venue, ours, order(client_order_id="same"))
    assert venue.find(ours, SYMBOL, 0, "same") is second
    assert venue.find(ours, SYMBOL, first.order_id, "") is first


def test_another_accounts_order_is_not_to_be_found() -> None:
    venue = quoted(exchange())
    mine = placed(venue, account(venue), order())
    with refused(-2013):
        venue.find(account(venue, "theirs"), SYMBOL, mine.order_id, "")
    with refused(-1121):
        venue.find(account(venue, "third"), "NOSUCH", mine.order_id, "")


def test_so_many_open_orders_and_no_more() -> None:
    venue = quoted(exchange(listing(max_open_orders=2)))
    ours = account(venue)
    placed(venue, ours, order())
    placed(venue, ours, order())
    with refused(-1013, "MAX_NUM_ORDERS"):
        venue.place(ours, order(), T0)


def test_new_orders_are_limited_in_each_window_and_a_fill_gives_one_back() -> None:
    venue = quoted(exchange())
    ours = account(venue)
    ours.order_quotas = order_quotas(per_10_s=2)
    placed(venue, ours, order())
    placed(venue, ours, order(BUY, ASK, 10))
    placed(venue, ours, order())
    with pytest.raises(VenueError, match="^-1015 ") as refusal:
        venue.place(ours, order(), T0 + 3 * SECOND_NS)
    assert (refusal.value.status, refusal.value.retry_after_ns) == (429, T0 + 10 * SECOND_NS)
    placed(venue, ours, order(), T0 + 10 * SECOND_NS)


def test_cancel_all_ends_every_order_of_the_account_and_no_other() -> None:
    venue = quoted(exchange())
    ours, theirs = account(venue), account(venue, "theirs")
    placed(venue, ours, order())
    placed(venue, ours, order(SELL, ASK + 9))
    other = placed(venue, theirs, order())
    assert [report.status for report in venue.cancel_all(ours, SYMBOL, T0)] == [OrderStatus.CANCELED] * 2
    assert venue.orders.open_orders(theirs.owner) == [other]
    assert ours.locked == {"BTC": 0, "USDT": 0}
    with refused(-2011):
        venue.cancel_all(ours, SYMBOL, T0)
    with refused(-1121):
        venue.cancel_all(ours, "NOSUCH", T0)


def test_what_ended_cannot_be_cancelled() -> None:
    venue = quoted(exchange())
    mine = placed(venue, account(venue), order(BUY, ASK, 10))
    with refused(-2011):
        venue.cancel(mine, T0)


def test_cancel_carries_the_id_of_its_request() -> None:
    venue = quoted(exchange())
    mine = placed(venue, account(venue), order(client_order_id="a"))
    assert venue.cancel(mine, T0, "cancel-1").cancel_client_id == "cancel-1"


def test_an_order_is_judged_without_being_placed() -> None:
    venue = quoted(exchange())
    ours = account(venue)
    before = ours.holds(), venue.ledger.length
    venue.check(ours, order(), T0)
    with refused(-2010):
        venue.check(ours, order(lots=9_000_000), T0)
    assert (ours.holds(), venue.ledger.length) == before


def test_events_come_in_order_balances_after_each() -> None:
    venue = quoted(exchange())
    ours = account(venue)
    venue.place(ours, order(BUY, ASK, 10), T0)
    events = venue.take_events()
    assert [type(event) for event in events] == [
        OrderReport,
        BalanceReport,
        TradePrint,
        OrderReport,
        BalanceReport,
    ]
    printed = events[2]
    assert isinstance(printed, TradePrint)
    assert (printed.ticks, printed.lots, printed.aggressor) == (ASK, 10, BUY)
    assert venue.take_events() == []


def test_ledger_has_every_step_and_its_money() -> None:
    written: list[int] = []
    ledger = Ledger(sink=lambda entry: written.append(entry.seq), kept=4)
    venue = type(exchange())((listing(),), ledger)
    ours = account(venue)
    quoted(venue).place(ours, order(BUY, ASK, 1_000, time_in_force=IOC, client_order_id="x"), T0)
    placed(venue, ours, order(SELL, ASK + 3, 500))
    venue.cancel_all(ours, SYMBOL, T0 + 9)
    kinds = [entry.kind for entry in ledger.entries]
    assert kinds == [EntryKind.ACCEPTED, EntryKind.FILLED, EntryKind.ACCEPTED, EntryKind.CANCELED]
    assert written == list(range(6)), "the sink gets what memory does not keep"
    sums = ledger.sums("ours", SYMBOL)
    assert (sums.orders, sums.fills, sums.canceled, sums.bought_lots) == (2, 1, 1, 1_000)
    assert sums.base_e8 == ours.free["BTC"] - 10 * E8
    assert sums.quote_e8 == ours.free["USDT"] - 1_000_000 * E8


def test_old_orders_are_forgotten_and_the_newest_bearer_of_an_id_stays() -> None:
    venue = quoted(exchange())
    venue.orders = OrderStore(kept=2)
    ours = account(venue)
    made = []
    for _ in range(4):
        made.append(placed(venue, ours, order(client_order_id="same")))
        venue.cancel(made[-1], T0)
    assert venue.orders.all_orders(ours.owner, SYMBOL) == made[2:]
    assert venue.find(ours, SYMBOL, 0, "same") is made[3]
    with refused(-2013):
        venue.find(ours, SYMBOL, made[0].order_id, "")


def test_windows_are_aligned_to_the_clock() -> None:
    quota = Quota("ORDERS", "SECOND", 10, 2)
    quota.use(2, 19 * SECOND_NS)
    assert not quota.has_room(1, 19 * SECOND_NS + 999_999_999)
    assert quota.has_room(1, 20 * SECOND_NS)
    quota.use(-5, 20 * SECOND_NS)
    assert quota.used(20 * SECOND_NS) == 0
    assert (quota.header, Quota("ORDERS", "DAY", 1, 2).header) == ("10S", "1D")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", E8), ("0.00001", 1_000), ("64000.01000000", 6_400_001_000_000), ("1.0000000000", E8)],
)
def test_decimals_are_read_exactly(text: str, value: int) -> None:
    assert exact_e8("price", text) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [("0.123456789", -1111), ("", -1102), ("-1", -1102), ("1e5", -1102), ("1.", -1102), ("NaN", -1102)]
    + [("0", -1013), ("0.00", -1013), ("1" * 13, -1102), ("１", -1102)],
)
def test_what_is_no_plain_number_is_refused(text: str, code: int) -> None:
    with refused(code):
        exact_e8("price", text)


def test_a_word_that_is_no_side_is_refused() -> None:
    assert side_of("SELL") is SELL
    with refused(-1117):
        side_of("HOLD")


def test_listings_are_exact_and_unknown_symbols_refused() -> None:
    listed = by_symbol(spot_listings(("BTCUSDT", "ETHUSDT")))
    for one in listed.values():
        assert one.notional_e8(3, 7) * E8 == 3 * one.tick_e8 * 7 * one.lot_e8
    with pytest.raises(ValueError, match="does not list XYZ; listed: BTCUSDT, ETHUSDT"):
        spot_listings(("XYZ",))
    with pytest.raises(ValueError, match="no symbol"):
        spot_listings(())
    fine = replace(listing(), instrument=replace(listing().instrument, lot_units=1))
    with pytest.raises(ValueError, match="finer than 1e-8"):
        exact(fine)


def test_new_order_needs_no_client_id() -> None:
    venue = quoted(exchange())
    ours = account(venue)
    assert placed(venue, ours, order()).client_order_id != placed(venue, ours, order()).client_order_id
    assert NewOrder(SYMBOL, BUY, OrderKind.LIMIT).client_order_id == ""
