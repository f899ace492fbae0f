"""The rules of the simulated futures: positions, margin, reduce-only, and the codes of refusal."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.core.types import Fees, Side
from pipeline.runtime.instruments import load_instruments
from pipeline.sim.exchange.errors import VenueError
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.listing import usdm_listings
from pipeline.sim.exchange.margin_account import margin_view
from pipeline.sim.exchange.order import OrderKind, OrderStatus, PositionReport, SelfTrade, TimeInForce
from tests.fakes.usdm_venue import (
    ASK,
    BID,
    usdm_account,
    usdm_exchange,
    usdm_listing,
    usdm_order,
    usdm_quoted,
)
from tests.fakes.venue import SYMBOL, T0

BUY, SELL = Side.BUY, Side.SELL
MARKET = OrderKind.MARKET


def venue(fees: Fees = Fees(0, 0, "")) -> Exchange:  # noqa: B008 - a constant
    return usdm_quoted(usdm_exchange(usdm_listing(fees)))


def test_a_position_is_entered_enlarged_reduced_and_turned() -> None:
    one = venue()
    ours = usdm_account(one)
    one.place(ours, usdm_order(BUY, kind=MARKET, lots=100), T0)
    one.place(ours, usdm_order(BUY, kind=MARKET, lots=100), T0)
    position = ours.position(SYMBOL)
    assert position.lots == 200
    assert position.entry_e8(100_000) == 6_400_015_000_000, "half at 64000.1, half at 64000.2"
    one.place(ours, usdm_order(SELL, kind=MARKET, lots=100), T0)
    # 0.1 BTC bought at 64000.15 on average, sold at 64000.0.
    assert position.realised_e8 == -1_500_000
    assert ours.free["USDT"] == 100_000 * 10**8 - 1_500_000
    one.place(ours, usdm_order(SELL, ticks=BID - 4, lots=150), T0)
    assert position.lots == -50
    assert position.cost_e8 < 0


def test_commission_is_taken_from_the_wallet_in_the_quote_currency() -> None:
    one = venue(Fees(200, 500, ""))
    ours = usdm_account(one)
    (_, fill) = one.place(ours, usdm_order(BUY, kind=MARKET, lots=10), T0)
    # 0.01 BTC at 64000.1 and 5 bp.
    assert fill.commission_e8 == 32_000_050
    assert ours.free["USDT"] == 100_000 * 10**8 - 32_000_050


def test_a_fill_tells_wallet_and_position_before_the_order() -> None:
    one = venue()
    ours = usdm_account(one)
    one.place(ours, usdm_order(BUY, kind=MARKET, lots=10), T0)
    new, moved, filled = [event for event in one.take_events() if getattr(event, "ticks", None) is None]
    assert isinstance(moved, PositionReport)
    assert (moved.lots, moved.entry_e8, moved.unrealised_e8) == (10, 6_400_010_000_000, 0)
    assert (new, filled) != (moved, moved)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price_e8": 6_400_005_000_000}, -4014),
        ({"price_e8": 1}, -4013),
        ({"price_e8": 3_000_000 * 10**8}, -4002),
        ({"price_e8": 0}, -1102),
        ({"ticks": BID + 40_000}, -4016),
        ({"side": SELL, "ticks": BID - 40_000}, -4024),
        ({"quantity_e8": 150_000}, -4023),
        ({"quantity_e8": 50_000}, -4004),
        ({"quantity_e8": 0}, -1102),
        ({"quantity_e8": 1_001 * 10**8}, -4005),
        ({"lots": 1}, -4164),
        ({"lots": 40_000}, -2019),
        ({"client_order_id": "x" * 37}, -4015),
        ({"client_order_id": "ä"}, -1100),
        ({"symbol": "XYZ"}, -1121),
        ({"reduce_only": True}, -2022),
        ({"ticks": ASK, "time_in_force": TimeInForce.GTX}, -5022),
        ({"time_in_force": TimeInForce.FOK}, -5021),
        ({"kind": MARKET, "price_e8": 1}, -1106),
    ],
)
def test_a_wrong_order_is_refused_with_the_venues_code(changes: dict[str, Any], code: int) -> None:
    one = venue()
    ours = usdm_account(one)
    with pytest.raises(VenueError) as refused:
        one.place(ours, usdm_order(**changes), T0)
    assert refused.value.code == code
    assert one.orders.open_orders(ours.owner) == []
    assert one.ledger.entries[-1].code == code


def test_client_id_is_unique_among_open_orders_and_open_orders_are_limited() -> None:
    one = Exchange((usdm_listing(max_open_orders=2),), house=venue().clearing)
    ours = usdm_account(one)
    one.place(ours, usdm_order(client_order_id="a"), T0)
    with pytest.raises(VenueError, match="-4116"):
        one.place(ours, usdm_order(client_order_id="a"), T0)
    one.place(ours, usdm_order(), T0)
    with pytest.raises(VenueError, match="-2025"):
        one.place(ours, usdm_order(), T0)


def test_a_closed_market_takes_no_order() -> None:
    one = venue()
    ours = usdm_account(one)
    one.market(SYMBOL).is_open = False
    with pytest.raises(VenueError, match="-1122"):
        one.place(ours, usdm_order(), T0)


def test_post_only_rests_where_it_takes_nothing() -> None:
    one = venue()
    ours = usdm_account(one)
    (new,) = one.place(ours, usdm_order(time_in_force=TimeInForce.GTX), T0)
    assert new.working
    assert new.order.is_open


def test_so_many_orders_in_a_window_and_a_fill_gives_none_back() -> None:
    one = usdm_quoted(usdm_exchange(), lots=5_000)
    ours = usdm_account(one, usdt=1_000_000)
    for _ in range(150):
        one.place(ours, usdm_order(BUY, kind=MARKET, lots=2), T0)
        one.place(ours, usdm_order(SELL, kind=MARKET, lots=2), T0)
    with pytest.raises(VenueError, match="-1015") as refused:
        one.place(ours, usdm_order(), T0)
    assert refused.value.status == 429


def long(lots: int) -> tuple[Exchange, Any]:
    one = venue()
    ours = usdm_account(one)
    one.place(ours, usdm_order(BUY, kind=MARKET, lots=lots), T0)
    return one, ours


def test_reduce_only_needs_a_position_of_the_other_side() -> None:
    one, ours = long(20)
    with pytest.raises(VenueError, match="-2022"):
        one.place(ours, usdm_order(BUY, lots=5, reduce_only=True), T0)
    with pytest.raises(VenueError, match="-2022"):
        one.place(ours, usdm_order(SELL, ASK + 5, lots=21, reduce_only=True), T0)
    (new,) = one.place(ours, usdm_order(SELL, ASK + 5, lots=20, reduce_only=True), T0)
    assert new.order.is_open
    with pytest.raises(VenueError, match="-2022"):
        one.place(ours, usdm_order(SELL, ASK + 6, lots=1, reduce_only=True), T0)


def test_reduce_only_is_let_off_the_least_notional() -> None:
    one, ours = long(2)
    (new,) = one.place(ours, usdm_order(SELL, ASK + 5, lots=1, reduce_only=True), T0)
    assert new.order.is_open


def test_a_reduce_only_market_order_stops_where_the_position_is_flat_and_ends_what_waits() -> None:
    one, ours = long(20)
    (waiting,) = one.place(ours, usdm_order(SELL, ASK + 5, lots=20, reduce_only=True), T0)
    reports = one.place(ours, usdm_order(SELL, kind=MARKET, lots=50, reduce_only=True), T0)
    assert ours.position(SYMBOL).lots == 0
    assert (reports[-1].filled_lots, reports[-1].status) == (20, OrderStatus.EXPIRED)
    assert waiting.order.status is OrderStatus.EXPIRED
    assert one.orders.open_orders(ours.owner) == []


def test_waiting_reduce_only_orders_shrink_with_the_position_the_newest_first() -> None:
    one, ours = long(20)
    (first,) = one.place(ours, usdm_order(SELL, ASK + 5, lots=12, reduce_only=True), T0)
    (second,) = one.place(ours, usdm_order(SELL, ASK + 6, lots=8, reduce_only=True), T0)
    one.place(ours, usdm_order(SELL, kind=MARKET, lots=5), T0)
    assert first.order.is_open
    assert second.order.status is OrderStatus.EXPIRED


def test_one_sweep_cannot_turn_a_position_by_two_of_its_orders() -> None:
    one, ours = long(20)
    one.place(ours, usdm_order(SELL, ASK + 1, lots=20), T0)
    (reducing,) = one.place(ours, usdm_order(SELL, ASK + 2, lots=20, reduce_only=True), T0)
    one.street_order(SYMBOL, BUY, ASK + 4, 10_000, T0, rests=False)
    assert ours.position(SYMBOL).lots == 0
    assert (reducing.order.status, reducing.order.filled_lots) == (OrderStatus.EXPIRED, 0)


def test_own_orders_do_not_trade_with_each_other() -> None:
    one = usdm_exchange()
    ours = usdm_account(one)
    (waiting,) = one.place(ours, usdm_order(BUY, BID), T0)
    (new,) = one.place(ours, usdm_order(SELL, BID, self_trade=SelfTrade.EXPIRE_MAKER), T0)
    assert waiting.order.status is OrderStatus.EXPIRED_IN_MATCH
    assert new.order.is_open


def test_orders_on_both_sides_need_margin_for_the_larger_way_only() -> None:
    one, ours = long(20)
    market = one.market(SYMBOL)
    one.place(ours, usdm_order(SELL, ASK + 5, lots=30), T0)
    view = margin_view(ours, market, one.orders.open_orders(ours.owner))
    assert view.order_margin_e8 == 0, "the sale leads to 10 short, less than the 20 long that are held"
    one.place(ours, usdm_order(BUY, BID - 5, lots=20), T0)
    view = margin_view(ours, market, one.orders.open_orders(ours.owner))
    assert view.margin_e8 == 40 * 6_400_010_000 // 20


def test_a_full_account_may_still_reduce() -> None:
    one = venue()
    ours = usdm_account(one, usdt=321)
    one.place(ours, usdm_order(BUY, kind=MARKET, lots=100), T0)
    with pytest.raises(VenueError, match="-2019"):
        one.place(ours, usdm_order(BUY, lots=10), T0)
    one.place(ours, usdm_order(SELL, ASK + 5, lots=100), T0)
    one.place(ours, usdm_order(SELL, kind=MARKET, lots=50), T0)
    assert ours.position(SYMBOL).lots == 50


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT"])
def test_what_is_listed_is_what_the_shipped_tables_say(symbol: str) -> None:
    (table,) = load_instruments("binance-usdm", (symbol,), Fees(0, 0, "venue"))
    (listing,) = usdm_listings((symbol,))
    assert listing.instrument == table
    assert listing.price_text(listing.open_ticks) == table.price_text(listing.open_ticks)


def test_unlisted_contracts_are_refused() -> None:
    with pytest.raises(ValueError, match="does not list XYZ; listed: BTCUSDT, ETHUSDT"):
        usdm_listings(("XYZ",))
