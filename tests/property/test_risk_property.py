"""Risk limits under any interleaving, and numbers that are none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pipeline.core.inputs import SendFailed
from pipeline.core.order import Order
from pipeline.core.throttles import TokenBucket
from pipeline.core.types import (
    QUOTE_SCALE,
    DenyReason,
    OrderState,
    OrderType,
    Origin,
    RiskApproved,
    RiskDenied,
    Side,
)
from tests.fakes.trading import ASK, BID, LIMITS, SPOT, START, Desk, context, fill, intent, report

GARBAGE = st.one_of(
    st.floats(),
    st.decimals(),
    st.text(max_size=8),
    st.booleans(),
    st.none(),
    st.binary(max_size=4),
    st.sampled_from(
        ["1_000", "١٢٣", "NaN", "-0", "1e308", 1e308, -0.0, Decimal("sNaN"), Decimal("1E+99999")]
    ),
)


@settings(max_examples=150, deadline=None)
@given(qty=GARBAGE, price=st.one_of(GARBAGE, st.just(BID)), origin=st.sampled_from(Origin))
def test_no_float_decimal_or_text_is_ever_approved(qty: Any, price: Any, origin: Origin) -> None:
    desk = Desk()
    desk.hold(1_000)
    for numbers in ({"qty_lots": qty, "price_ticks": price}, {"qty_lots": 1_000, "price_ticks": qty}):
        for side in Side:
            order = intent(**numbers, side=side, origin=origin, reduce_only=origin is not Origin.MODEL)
            verdict = desk.risk.check(order, context(), START)
            assert isinstance(verdict, RiskDenied)
    assert desk.orders.open_orders == 0


@settings(max_examples=150, deadline=None)
@given(
    qty=st.integers(-(10**30), 10**30),
    price=st.one_of(st.integers(-(10**30), 10**30), st.integers(BID - 40_000, BID + 40_000)),
    side=st.sampled_from(Side),
)
def test_what_is_approved_is_inside_every_limit(qty: int, price: int, side: Side) -> None:
    desk = Desk()
    verdict = desk.risk.check(intent(qty_lots=qty, price_ticks=price, side=side), context(), START)
    if isinstance(verdict, RiskDenied):
        assert verdict.limit != verdict.value or verdict.reason is DenyReason.SELF_MATCH
        return
    assert 0 < qty <= LIMITS.max_qty_lots
    assert SPOT.min_notional_quote_e8 <= SPOT.notional_quote_e8(price, qty) <= LIMITS.max_notional_quote_e8
    assert abs(2 * price - BID - ASK) * 1_000_000 <= LIMITS.collar_mid_e6 * (BID + ASK)


TIGHT = msgspec.structs.replace(
    LIMITS,
    max_position_quote_e8=1_200 * QUOTE_SCALE,
    max_gross_quote_e8=1_600 * QUOTE_SCALE,
    max_open_orders=6,
    new_per_second=1_000,
    new_burst=1_000,
    throttle_orders=10_000,
    throttle_same_side=10_000,
    duplicate_window_ns=0,
)
HOME_LOTS = 1_500
MID = (BID + ASK) // 2


class RiskUnderFire(RuleBasedStateMachine):
    """Orders, fills, cancels, rejects and lost answers in any order, at a mid that stands still."""

    money_quote_e8 = 5_000 * QUOTE_SCALE

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(TIGHT, home_base_e8=HOME_LOTS * 1_000, balance_quote_e8=self.money_quote_e8)
        self.desk.portfolio.on_mark("ETHUSDT", MID, MID)
        self.desk.portfolio.on_mark("BTCUSDT", MID, MID)
        self.seq = 0
        self.trade_id = 0

    def live(self, index: int) -> Order | None:
        live = self.desk.orders.all_live()
        return live[index % len(live)] if live else None

    @rule(
        side=st.sampled_from(Side),
        lots=st.integers(100, 4_000),
        offset=st.integers(0, 20_000),
        origin=st.sampled_from([Origin.MODEL, Origin.MODEL, Origin.EXIT, Origin.MANUAL]),
        symbol=st.sampled_from(["BTCUSDT", "BTCUSDT", "ETHUSDT"]),
    )
    def ask(self, side: Side, lots: int, offset: int, origin: Origin, symbol: str) -> None:
        self.seq += 1
        if symbol == "ETHUSDT":
            lots //= 10
        order = intent(
            symbol=symbol,
            side=side,
            qty_lots=lots,
            price_ticks=MID - side * (offset + 1),
            feature_seq=self.seq,
            origin=origin,
            reduce_only=origin is Origin.EXIT,
            order_type=OrderType.POST_ONLY,
        )
        where = context(bid_ticks=MID, ask_ticks=MID, last_ticks=MID)
        before = self.desk.orders.open_orders
        verdict = self.desk.risk.check(order, where, START + self.seq)
        assert self.desk.orders.open_orders - before == isinstance(verdict, RiskApproved)

    @rule(index=st.integers(0, 20), lots=st.integers(1, 4_000))
    def fill(self, index: int, lots: int) -> None:
        order = self.live(index)
        if order is not None:
            self.trade_id += 1
            lots = min(lots, order.leaves_lots)
            price = order.intent.price_ticks
            client_id, symbol = order.client_order_id, order.symbol
            self.desk.take(fill(client_id, lots, self.trade_id, fill_price_ticks=price, symbol=symbol))

    @rule(index=st.integers(0, 20), how=st.sampled_from([OrderState.CANCELED, OrderState.EXPIRED]))
    def end(self, index: int, how: OrderState) -> None:
        order = self.live(index)
        if order is not None:
            self.desk.take(report(order.client_order_id, how, symbol=order.symbol))

    @rule(index=st.integers(0, 20))
    def lose(self, index: int) -> None:
        order = self.live(index)
        if order is not None:
            self.desk.take(SendFailed(order.client_order_id, "timeout", START))

    def worst_quote_e8(self, symbol: str) -> int:
        position = self.desk.portfolio.position(symbol)
        worst = self.desk.orders.exposure(symbol).worst_case_lots(position.lots)
        return position.instrument.notional_quote_e8(MID, abs(worst))

    @invariant()
    def worst_case_stays_inside_the_position_limit(self) -> None:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            assert self.worst_quote_e8(symbol) <= TIGHT.max_position_quote_e8

    @invariant()
    def worst_case_stays_inside_the_gross_limit(self) -> None:
        gross = self.worst_quote_e8("BTCUSDT") + self.worst_quote_e8("ETHUSDT")
        assert gross <= TIGHT.max_gross_quote_e8

    @invariant()
    def nothing_is_sold_or_spent_that_is_not_there(self) -> None:
        desk = self.desk
        for symbol in ("BTCUSDT", "ETHUSDT"):
            free = desk.portfolio.balance_lots(symbol) - desk.orders.exposure(symbol).sell_lots
            assert free >= 0
        assert desk.portfolio.free_quote_e8(desk.orders) >= 0


class RiskWithLittleMoney(RiskUnderFire):
    """The same, where the balance is less than the limits would let through."""

    money_quote_e8 = 700 * QUOTE_SCALE


_SETTINGS = settings(max_examples=40, stateful_step_count=30, deadline=None)
RiskUnderFire.TestCase.settings = _SETTINGS
RiskWithLittleMoney.TestCase.settings = _SETTINGS
TestRiskUnderFire = RiskUnderFire.TestCase
TestRiskWithLittleMoney = RiskWithLittleMoney.TestCase


@settings(max_examples=100, deadline=None)
@given(
    rate=st.integers(1, 20),
    burst=st.integers(1, 10),
    gaps=st.lists(st.integers(0, 400_000_000), max_size=60),
)
def test_bucket_never_gives_more_than_its_burst_and_rate(rate: int, burst: int, gaps: list[int]) -> None:
    bucket, now_ns, taken = TokenBucket(rate, burst), START, []
    for gap in gaps:
        now_ns += gap
        if bucket.used(now_ns) < bucket.burst:
            bucket.take(now_ns)
            taken.append(now_ns)
    for first, start_ns in enumerate(taken):
        for count, end_ns in enumerate(taken[first:], start=1):
            assert count <= burst + -(-(end_ns - start_ns) // (1_000_000_000 // rate))
