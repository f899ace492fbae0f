"""The pre-trade checks, one breach at a time, with its limit and value."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from pipeline.core.inputs import CancelRejected, SendFailed
from pipeline.core.params import RiskLimits
from pipeline.core.risk import RiskContext, largest_order_lots
from pipeline.core.risk_checks import ORDER_CHECKS, PERMISSION_CHECKS
from pipeline.core.types import (
    QUOTE_SCALE,
    Authority,
    BookState,
    DenyReason,
    Fees,
    OrderIntent,
    OrderState,
    OrderType,
    Origin,
    RiskApproved,
    RiskDenied,
    Side,
    TradingState,
)
from tests.fakes.trading import (
    ASK,
    BID,
    LIMITS,
    LOTS,
    MS,
    PERP,
    POLICY,
    SECOND,
    SPOT,
    START,
    Desk,
    context,
    exit_intent,
    intent,
    permit,
    report,
)

R = DenyReason
FLATTEN = {
    "side": Side.SELL,
    "origin": Origin.FLATTEN,
    "reduce_only": True,
    "order_type": OrderType.LIMIT_IOC,
}


def limits(**changes: Any) -> RiskLimits:
    return msgspec.structs.replace(LIMITS, **changes)


def denial(
    order: OrderIntent, where: RiskContext | None = None, desk: Desk | None = None, now_ns: int = START
) -> tuple[DenyReason, int, int] | None:
    """Give (reason, limit, value), or None for an approved order."""
    verdict = (desk or Desk()).risk.check(order, where or context(), now_ns)
    if isinstance(verdict, RiskApproved):
        return None
    return verdict.reason, verdict.limit, verdict.value


def test_checks_run_in_the_written_order() -> None:
    names = [check.__name__.removeprefix("check_") for check in (*PERMISSION_CHECKS, *ORDER_CHECKS)]
    assert names == [
        "kill_latch",
        "mode",
        "health",
        "permit",
        "tradability",
        "numbers",
        "size",
        "collar",
        "collar_over_time",
        "market",
        "parent",
        "position",
        "margin",
        "balance",
        "daily_loss",
        "rate",
        "order_to_trade",
        "stopped",
        "repeated",
        "duplicate",
        "self_match",
    ]


def test_approved_order_is_reserved_in_the_same_call() -> None:
    desk = Desk()
    verdict = desk.risk.check(intent(), context(), START)
    assert isinstance(verdict, RiskApproved)
    assert (verdict.client_order_id, verdict.policy_hash) == ("t000000100000001", POLICY)
    order = desk.orders.order(verdict.client_order_id)
    assert order is not None
    assert order.state is OrderState.SUBMITTED
    assert desk.orders.exposure("BTCUSDT").buy_lots == LOTS


def test_denied_order_reserves_nothing_and_takes_no_token() -> None:
    desk = Desk(limits(new_burst=1))
    for _ in range(3):
        assert denial(intent(qty_lots=10**6), desk=desk) == (R.MAX_QTY, 5_000, 10**6)
    assert desk.orders.open_orders == 0
    assert denial(intent(), desk=desk) is None


# kill latch, mode, permit


@pytest.mark.parametrize(
    ("state", "reason"), [(TradingState.KILLED, R.KILLED), (TradingState.HALTED, R.HALTED)]
)
def test_nothing_new_goes_while_stopped(state: TradingState, reason: DenyReason) -> None:
    desk = Desk()
    desk.hold(LOTS)
    where = context(trading_state=state, gate_open=False)
    assert denial(intent(), where, desk) == (reason, TradingState.ACTIVE, state)
    assert denial(exit_intent(), where, desk) == (reason, TradingState.ACTIVE, state)


@pytest.mark.parametrize("state", [TradingState.KILLED, TradingState.HALTED])
@pytest.mark.parametrize("origin", [Origin.FLATTEN, Origin.MANUAL])
def test_a_persons_reducing_order_goes_while_stopped(state: TradingState, origin: Origin) -> None:
    desk = Desk()
    desk.hold(LOTS)
    where = context(trading_state=state, gate_open=False)
    reducing = FLATTEN | {"origin": origin}
    assert denial(intent(**reducing, qty_lots=LOTS + 1), where, desk) is not None
    assert denial(intent(**reducing), where, desk) is None
    assert denial(intent(**reducing, price_ticks=ASK), where, desk) is not None


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.REDUCING, TradingState.ACTIVE])
def test_what_was_left_before_stops_all_but_a_persons_reduction_by_its_own_name(state: TradingState) -> None:
    desk = Desk()
    desk.hold(LOTS)
    where = context(trading_state=state, blocked=R.UNRECONCILED)
    for wanted in (intent(origin=Origin.MANUAL, permit_id=0), intent(), exit_intent()):
        found = denial(wanted, where, desk)
        assert found is not None
        assert found[0] in (R.UNRECONCILED, R.REDUCE_ONLY)
    assert denial(intent(**FLATTEN), where, desk) is None


def test_closed_gate_stops_all_but_a_persons_reduction() -> None:
    desk = Desk()
    desk.hold(LOTS)
    where = context(gate_open=False)
    assert denial(intent(), where, desk) == (R.GATE_CLOSED, 1, 0)
    assert denial(exit_intent(), where, desk) == (R.GATE_CLOSED, 1, 0)
    assert denial(intent(**FLATTEN), where, desk) is None


def test_reducing_lets_only_shrinking_orders_through() -> None:
    desk = Desk()
    desk.hold(LOTS)
    where = context(trading_state=TradingState.REDUCING)
    assert denial(intent(), where, desk) == (R.REDUCE_ONLY, 0, LOTS)
    assert denial(exit_intent(qty_lots=LOTS + 1), where, desk) == (R.REDUCE_ONLY, LOTS, LOTS + 1)
    assert denial(exit_intent(), where, desk) is None


def test_exit_may_not_go_beyond_flat_in_any_state() -> None:
    desk = Desk()
    assert denial(exit_intent(), desk=desk) == (R.REDUCE_ONLY, 0, LOTS)
    desk.hold(LOTS)
    assert denial(exit_intent(qty_lots=LOTS // 2), desk=desk) is None
    again = exit_intent(qty_lots=LOTS // 2 + 1, price_ticks=ASK + 1)
    assert denial(again, desk=desk) == (R.REDUCE_ONLY, LOTS // 2, LOTS // 2 + 1)


def test_exit_that_forgot_to_say_reduce_only_is_held_to_it() -> None:
    assert denial(exit_intent(reduce_only=False)) == (R.REDUCE_ONLY, 0, LOTS)


def test_short_position_is_reduced_by_buying() -> None:
    desk = Desk()
    desk.hold(-LOTS)
    assert denial(exit_intent(side=Side.BUY, price_ticks=BID), desk=desk) is None


def test_observe_lets_only_reductions_through() -> None:
    desk = Desk()
    desk.hold(LOTS)
    where = context(authority=Authority.OBSERVE)
    assert denial(intent(), where, desk) == (R.MODE, Authority.APPROVE, Authority.OBSERVE)
    manual = intent(origin=Origin.MANUAL, permit_id=0)
    assert denial(manual, where, desk) == (R.MODE, Authority.APPROVE, Authority.OBSERVE)
    assert denial(exit_intent(), where, desk) is None


def test_approve_wants_the_very_permit_the_order_names() -> None:
    where = context(authority=Authority.APPROVE)
    assert denial(intent(), replace(where, permit=None)) == (R.NO_PERMIT, 7, 0)
    assert denial(intent(permit_id=8), where) == (R.NO_PERMIT, 8, 7)
    assert denial(intent(permit_id=0), where) == (R.NO_PERMIT, 0, 7)
    assert denial(intent(), where) is None


def test_auto_needs_no_permit_but_keeps_to_the_one_it_names() -> None:
    assert denial(intent(permit_id=0), context(permit=None)) is None
    assert denial(intent(), context(permit=None)) == (R.NO_PERMIT, 7, 0)


def test_manual_order_needs_no_permit() -> None:
    where = context(authority=Authority.APPROVE, permit=None)
    assert denial(intent(origin=Origin.MANUAL, permit_id=0), where) is None


@pytest.mark.parametrize(
    ("changes", "reason", "limit", "value"),
    [
        ({"orders_left": 0}, R.PERMIT_SPENT, 0, 0),
        ({"ends_ns": START}, R.NO_PERMIT, START, START),
        ({"generation": 2}, R.NO_PERMIT, 2, 1),
        ({"model_id": "m2"}, R.NO_PERMIT, 1, 1),
        ({"sides": (Side.SELL,)}, R.NO_PERMIT, -1, 1),
        ({"sides": ()}, R.NO_PERMIT, 0, 1),
        ({"max_order_lots": LOTS - 1}, R.NO_PERMIT, LOTS - 1, LOTS),
        ({"highest_ticks": BID - 1}, R.NO_PERMIT, BID - 1, BID),
        ({"max_net_lots": LOTS - 1}, R.NO_PERMIT, LOTS - 1, LOTS),
    ],
)
def test_order_outside_its_permit_is_denied(
    changes: dict[str, Any], reason: DenyReason, limit: int, value: int
) -> None:
    where = context(authority=Authority.APPROVE, permit=permit(**changes))
    assert denial(intent(), where) == (reason, limit, value)


def test_sale_below_the_permits_lowest_price_is_denied() -> None:
    where = context(permit=permit(lowest_ticks=ASK + 1))
    assert denial(intent(side=Side.SELL, price_ticks=ASK), where) == (R.NO_PERMIT, ASK + 1, ASK)
    assert denial(intent(side=Side.SELL, price_ticks=ASK), context(permit=permit(lowest_ticks=ASK))) is None


def test_permit_counts_orders_under_way_into_its_net() -> None:
    desk = Desk()
    where = context(permit=permit(max_net_lots=2 * LOTS))
    assert denial(intent(), where, desk) is None
    second = intent(feature_seq=2, price_ticks=BID - 1, qty_lots=LOTS + 1)
    assert denial(second, where, desk) == (R.NO_PERMIT, 2 * LOTS, 2 * LOTS + 1)


# tradability


def test_symbol_without_limits_cannot_trade() -> None:
    assert denial(intent(), desk=Desk(limits=None)) == (R.NO_LIMITS, 1, 0)
    assert denial(intent(symbol="XRPUSDT")) == (R.NO_LIMITS, 1, 0)


def test_halted_symbol_cannot_trade() -> None:
    assert denial(intent(), context(tradable=False)) == (R.NOT_TRADABLE, 1, 0)


@pytest.mark.parametrize("state", [state for state in BookState if state is not BookState.SYNCED])
def test_book_that_is_not_proven_denies(state: BookState) -> None:
    assert denial(intent(), context(book_state=state)) == (R.BOOK_NOT_OK, 500 * MS, 3 * MS)


@pytest.mark.parametrize(("age_ns", "ok"), [(500 * MS, True), (500 * MS + 1, False), (-1, False)])
def test_old_book_denies(age_ns: int, ok: bool) -> None:
    expected = None if ok else (R.BOOK_NOT_OK, 500 * MS, age_ns)
    assert denial(intent(), context(book_age_ns=age_ns)) == expected


def test_order_in_doubt_freezes_its_symbol_for_all_but_a_persons_reduction() -> None:
    desk = Desk()
    desk.hold(2 * LOTS)
    assert denial(intent(), desk=desk) is None
    desk.take(SendFailed("t000000100000002", "timeout", START))
    assert denial(intent(feature_seq=2), desk=desk) == (R.NOT_TRADABLE, 0, 1)
    assert denial(exit_intent(), desk=desk) == (R.NOT_TRADABLE, 0, 1)
    assert denial(intent(**FLATTEN, price_ticks=BID + 1), desk=desk) is None


def test_too_many_open_orders_are_denied() -> None:
    desk = Desk(limits(max_open_orders=1))
    assert denial(intent(), desk=desk) is None
    assert denial(intent(feature_seq=2, price_ticks=BID - 1), desk=desk) == (R.MAX_OPEN_ORDERS, 1, 2)


# numbers, size


def test_zero_and_negative_numbers_are_off_the_grid() -> None:
    assert denial(intent(qty_lots=0)) == (R.OFF_GRID, 1, 0)
    assert denial(intent(qty_lots=-5)) == (R.OFF_GRID, 1, -5)
    assert denial(intent(price_ticks=0)) == (R.OFF_GRID, 1, 0)


def test_quantity_limit_is_inclusive_and_the_venues_own_counts_too() -> None:
    roomy = limits(max_notional_quote_e8=10**15, max_position_quote_e8=10**15, max_gross_quote_e8=10**15)
    assert denial(intent(qty_lots=5_000), desk=Desk(roomy)) is None
    assert denial(intent(qty_lots=5_001), desk=Desk(roomy)) == (R.MAX_QTY, 5_000, 5_001)
    small = Desk(roomy, instrument=replace(SPOT, max_qty_lots=10))
    assert denial(intent(qty_lots=11), desk=small) == (R.MAX_QTY, 10, 11)


def test_notional_limit_is_inclusive_to_the_tick() -> None:
    exact = limits(max_notional_quote_e8=LOTS * (BID + 1) * 10)
    assert denial(intent(price_ticks=BID + 1), desk=Desk(exact)) is None
    less = limits(max_notional_quote_e8=LOTS * (BID + 1) * 10 - 1)
    expected = (R.MAX_NOTIONAL, LOTS * (BID + 1) * 10 - 1, LOTS * (BID + 1) * 10)
    assert denial(intent(price_ticks=BID + 1), desk=Desk(less)) == expected
    assert denial(intent(price_ticks=BID), desk=Desk(less)) == expected  # the mid is the worse price


def test_below_the_venues_least_value_is_denied_unless_reduce_only_exists_there() -> None:
    least = (R.MIN_NOTIONAL, 5 * QUOTE_SCALE, 8 * BID * 10)
    assert denial(intent(qty_lots=8)) == least
    assert denial(intent(qty_lots=9)) is None
    desk = Desk(instrument=PERP)
    desk.portfolio.on_mark("BTCUSDT", 600_000, 600_001)
    desk.hold(1, 600_000)
    where = context(bid_ticks=600_000, ask_ticks=600_001, last_ticks=600_000)
    assert denial(exit_intent(qty_lots=1, price_ticks=600_001), where, desk) is None


# collar


@pytest.mark.parametrize(
    ("price_ticks", "reason"),
    [
        (BID * 10, R.COLLAR_MID),
        (BID // 10, R.COLLAR_MID),
        (BID + 30_002, R.COLLAR_MID),
        (BID - 30_000, R.COLLAR_MID),
    ],
)
def test_fat_finger_is_denied_on_either_side(price_ticks: int, reason: DenyReason) -> None:
    roomy = limits(max_notional_quote_e8=10**15, max_position_quote_e8=10**15, max_gross_quote_e8=10**15)
    denied = denial(intent(price_ticks=price_ticks), desk=Desk(roomy))
    assert denied is not None
    assert denied[:2] == (reason, 5_000)
    assert denied[2] > 5_000


def test_collar_is_inclusive() -> None:
    assert denial(intent(price_ticks=BID - 29_999)) is None


def test_price_far_from_the_last_trade_is_denied() -> None:
    assert denial(intent(), context(last_ticks=BID * 100 // 101)) == (R.COLLAR_LAST, 5_000, 10_001)


@pytest.mark.parametrize(
    "changes", [{"bid_ticks": 0}, {"ask_ticks": 0}, {"last_ticks": 0}, {"bid_ticks": ASK + 1}]
)
def test_without_a_reference_price_nothing_goes(changes: dict[str, int]) -> None:
    desk = Desk()
    desk.hold(LOTS)
    assert denial(intent(), context(**changes), desk) == (R.NO_REFERENCE_PRICE, 1, 0)
    assert denial(intent(**FLATTEN), context(**changes), desk) == (R.NO_REFERENCE_PRICE, 1, 0)


# position, balance, loss


def test_position_limit_counts_open_and_unknown_orders() -> None:
    at_mid = (BID + ASK) // 2
    most = limits(max_position_quote_e8=2 * LOTS * at_mid * 10)
    desk = Desk(most)
    assert denial(intent(), desk=desk) is None
    assert denial(intent(feature_seq=2, price_ticks=BID - 1), desk=desk) is None
    third = intent(feature_seq=3, price_ticks=BID - 2, qty_lots=100)
    value = (2 * LOTS + 100) * at_mid * 10
    assert denial(third, desk=desk) == (R.MAX_POSITION, 2 * LOTS * at_mid * 10, value)


def test_shrinking_order_passes_a_position_over_its_limit() -> None:
    desk = Desk(limits(max_position_quote_e8=1, max_gross_quote_e8=1))
    desk.hold(LOTS)
    assert denial(exit_intent(), desk=desk) is None
    assert denial(intent(feature_seq=2), desk=desk) is not None


def test_order_through_flat_is_judged_by_where_it_ends() -> None:
    desk = Desk()
    desk.hold(LOTS)
    assert denial(intent(side=Side.SELL, price_ticks=ASK, qty_lots=2 * LOTS), desk=desk) is None


def test_gross_limit_counts_the_other_symbols_at_their_worst() -> None:
    desk = Desk(limits(max_gross_quote_e8=1_000 * QUOTE_SCALE))
    desk.portfolio.on_mark("ETHUSDT", 300_000, 300_000)
    where = context(bid_ticks=300_000, ask_ticks=300_001, last_ticks=300_000)
    eth = intent(symbol="ETHUSDT", price_ticks=300_000, qty_lots=2_000)
    assert denial(eth, where, desk) is None
    gross = 600 * QUOTE_SCALE + LOTS * (BID + 1) * 10
    assert denial(intent(feature_seq=2), desk=desk) == (R.MAX_GROSS, 1_000 * QUOTE_SCALE, gross)


def test_gross_takes_the_worse_side_of_the_symbol_itself() -> None:
    most = limits(max_position_quote_e8=10**12, max_gross_quote_e8=LOTS * (BID + 1) * 10)
    desk = Desk(most)
    assert denial(intent(), desk=desk) is None
    sale = intent(feature_seq=2, side=Side.SELL, price_ticks=ASK, qty_lots=500)
    expected = (R.MAX_GROSS, LOTS * (BID + 1) * 10, LOTS * ASK * 10)
    assert denial(sale, desk=desk) == expected


def test_sale_beyond_the_balance_is_impossible_on_spot() -> None:
    desk = Desk(home_base_e8=QUOTE_SCALE // 100)
    sale = {"side": Side.SELL, "price_ticks": ASK}
    assert denial(intent(**sale, qty_lots=LOTS + 1), desk=desk) == (R.NO_BALANCE, LOTS, LOTS + 1)
    assert denial(intent(**sale, qty_lots=LOTS - 100), desk=desk) is None
    second = intent(**sale, qty_lots=101, feature_seq=2)
    assert denial(second, desk=desk) == (R.NO_BALANCE, 100, 101)


def test_purchase_beyond_the_free_money_is_impossible_on_spot() -> None:
    cost = LOTS * BID * 10 + LOTS * BID * 10 // 1_000
    assert denial(intent(), desk=Desk(balance_quote_e8=cost)) is None
    assert denial(intent(), desk=Desk(balance_quote_e8=cost - 1)) == (R.NO_BALANCE, cost - 1, cost)


def margin_desk(balance_quote_e8: int) -> Desk:
    """A perpetual without fees, nothing held, its book as `on_margin` has it."""
    free = replace(PERP, fees=Fees(0, 0, "option"))
    desk = Desk(instrument=free, home_base_e8=0, balance_quote_e8=balance_quote_e8)
    desk.portfolio.on_mark("BTCUSDT", 600_000, 600_001)
    return desk


ON_MARGIN = context(bid_ticks=600_000, ask_ticks=600_001, last_ticks=600_000)
MARGIN_SALE = intent(side=Side.SELL, price_ticks=600_001, qty_lots=10)
BOUND_E8 = 10 * 600_001 * 10**3 // 2
"""A twentieth of the sale's worth, as `margin_percent` = 5 has it."""


def test_margin_needs_no_balance_of_what_is_sold() -> None:
    assert denial(MARGIN_SALE, ON_MARGIN, margin_desk(10 * BOUND_E8)) is None


def test_margin_positions_bind_half_of_the_account_at_most_whatever_fills() -> None:
    assert denial(MARGIN_SALE, ON_MARGIN, margin_desk(2 * BOUND_E8)) is None
    found = denial(MARGIN_SALE, ON_MARGIN, margin_desk(2 * BOUND_E8 - 2))
    assert found == (R.MARGIN_RATIO, BOUND_E8 - 1, BOUND_E8)
    assert denial(MARGIN_SALE, ON_MARGIN, margin_desk(0)) == (R.MARGIN_RATIO, 0, BOUND_E8)


def test_daily_loss_stops_everything_that_adds() -> None:
    desk = Desk(limits(max_daily_loss_quote_e8=100 * LOTS * 10))
    desk.hold(LOTS)
    desk.portfolio.on_mark("BTCUSDT", BID - 99, BID - 98)
    assert denial(intent(), desk=desk) is None
    desk.portfolio.on_mark("BTCUSDT", BID - 100, BID - 99)
    expected = (R.DAILY_LOSS, 100 * LOTS * 10, 100 * LOTS * 10 + 60)
    assert denial(intent(feature_seq=2), desk=desk) == expected
    assert denial(exit_intent(), desk=desk) is None


# rates, throttle, duplicates, self-match


def test_burst_is_let_through_and_then_the_rate() -> None:
    desk = Desk(limits(new_burst=2, new_per_second=5, max_open_orders=99))
    prices = iter(range(BID, BID - 99, -1))
    seqs = iter(range(1, 99))

    def ask(now_ns: int) -> tuple[DenyReason, int, int] | None:
        order = intent(price_ticks=next(prices), qty_lots=10, feature_seq=next(seqs))
        return denial(order, desk=desk, now_ns=now_ns)

    assert [ask(START), ask(START)] == [None, None]
    assert ask(START) == (R.RATE_NEW, 2, 3)
    assert ask(START + 199 * MS) == (R.RATE_NEW, 2, 3)
    assert ask(START + 200 * MS) is None


def test_cancels_have_a_bucket_of_their_own() -> None:
    desk = Desk(limits(cancels_per_second=2, new_burst=1))
    assert denial(intent(), desk=desk) is None
    assert denial(intent(feature_seq=2, price_ticks=BID - 1), desk=desk) == (R.RATE_NEW, 1, 2)
    assert [desk.risk.allow_cancel("BTCUSDT", START) for _ in range(3)] == [True, True, False]
    assert desk.risk.allow_cancel("BTCUSDT", START + 500 * MS)
    assert Desk(limits=None).risk.allow_cancel("BTCUSDT", START)


def test_rate_of_zero_lets_nothing_through() -> None:
    assert denial(intent(), desk=Desk(limits(new_per_second=0))) == (R.RATE_NEW, 0, 1)


def replayed(desk: Desk, seq: int, now_ns: int, **changes: Any) -> tuple[DenyReason, int, int] | None:
    """Ask for a model order that fills at once, and close it again."""
    verdict = desk.risk.check(intent(feature_seq=seq, qty_lots=10, **changes), context(), now_ns)
    if isinstance(verdict, RiskDenied):
        return verdict.reason, verdict.limit, verdict.value
    order = desk.orders.order(verdict.client_order_id)
    assert order is not None
    desk.fill(order, 10)
    return None


def test_same_signal_a_hundred_times_gives_exactly_the_throttles_orders() -> None:
    desk = Desk(limits(throttle_same_side=99))
    sides = (Side.BUY, Side.SELL)
    answers = [
        replayed(desk, seq, START + seq * SECOND // 2, side=sides[seq % 2], price_ticks=BID + seq % 2)
        for seq in range(1, 101)
    ]
    assert answers.count(None) == 10
    assert answers[10] == (R.REPEATED_EXECUTION, 10, 11)
    assert desk.risk.is_disabled("BTCUSDT")
    assert replayed(desk, 200, START + 3_600 * SECOND) == (R.REPEATED_EXECUTION, 10, 1)
    desk.risk.reenable("BTCUSDT")
    assert not desk.risk.is_disabled("BTCUSDT")
    assert replayed(desk, 201, START + 3_600 * SECOND) is None


def test_throttle_never_holds_back_an_exit() -> None:
    desk = Desk(limits(throttle_orders=1))
    assert replayed(desk, 1, START) is None
    assert replayed(desk, 2, START + SECOND) == (R.REPEATED_EXECUTION, 1, 2)
    assert denial(exit_intent(qty_lots=10), desk=desk, now_ns=START + SECOND) is None


def test_orders_of_one_side_without_the_other_are_stopped() -> None:
    desk = Desk(limits(throttle_same_side=3, throttle_orders=99))
    for seq in (1, 2, 3):
        assert replayed(desk, seq, START + seq * SECOND) is None
    assert replayed(desk, 4, START + 4 * SECOND) == (R.REPEATED_EXECUTION, 3, 4)


def test_trade_of_the_other_side_starts_the_count_anew() -> None:
    desk = Desk(limits(throttle_same_side=3, throttle_orders=99))
    for seq in (1, 2):
        assert replayed(desk, seq, START + seq * SECOND) is None
    assert replayed(desk, 3, START + 3 * SECOND, side=Side.SELL, price_ticks=ASK) is None
    for seq in (4, 5, 6):
        assert replayed(desk, seq, START + seq * SECOND) is None
    assert replayed(desk, 7, START + 7 * SECOND) == (R.REPEATED_EXECUTION, 3, 4)


def test_order_filled_in_parts_is_one_execution() -> None:
    desk = Desk(limits(throttle_same_side=2))
    verdict = desk.risk.check(intent(), context(), START)
    assert isinstance(verdict, RiskApproved)
    order = desk.orders.order(verdict.client_order_id)
    assert order is not None
    for _ in range(4):
        desk.fill(order, LOTS // 4)
    assert replayed(desk, 2, START + SECOND) is None


def test_rejects_in_a_row_stop_the_model_and_an_accepted_order_forgives_them() -> None:
    desk = Desk(limits(throttle_rejects=2))

    def one(seq: int, status: OrderState) -> tuple[DenyReason, int, int] | None:
        order = intent(feature_seq=seq, price_ticks=BID - seq)
        verdict = desk.risk.check(order, context(), START + seq * SECOND)
        if isinstance(verdict, RiskDenied):
            return verdict.reason, verdict.limit, verdict.value
        desk.take(report(verdict.client_order_id, status))
        desk.take(report(verdict.client_order_id, OrderState.CANCELED))
        return None

    assert [one(1, OrderState.REJECTED), one(2, OrderState.ACCEPTED)] == [None, None]
    assert [one(3, OrderState.REJECTED), one(4, OrderState.REJECTED)] == [None, None]
    assert one(5, OrderState.ACCEPTED) == (R.REPEATED_EXECUTION, 2, 2)


@pytest.mark.parametrize("qty", [1.0, float("nan"), "5", Decimal("sNaN"), None, True])
def test_quantity_that_is_no_whole_number_is_denied(qty: object) -> None:
    assert denial(intent(qty_lots=qty)) == (R.NOT_A_NUMBER, 0, 0)
    assert denial(intent(price_ticks=qty)) == (R.NOT_A_NUMBER, 0, 0)


def test_orders_beyond_the_throttles_memory_are_forgotten_oldest_first() -> None:
    desk = Desk(limits(throttle_orders=2, throttle_window_ns=SECOND, throttle_same_side=99))
    for seq in range(1, 8):
        assert replayed(desk, seq, START + seq * SECOND) is None


def test_answers_of_strangers_and_of_symbols_without_limits_are_not_counted() -> None:
    desk = Desk(limits=None)
    desk.hold(LOTS)
    desk.take(CancelRejected("BTCUSDT", "stranger", "?", START))
    assert not desk.risk.is_disabled("BTCUSDT")
    desk.risk.reenable("BTCUSDT")


def test_same_order_again_within_the_window_is_a_duplicate() -> None:
    desk = Desk()
    first = intent(origin=Origin.MANUAL, permit_id=0)
    assert denial(first, desk=desk) is None
    assert denial(first, desk=desk, now_ns=START + 499 * MS) == (R.DUPLICATE, 500 * MS, 499 * MS)
    other = intent(origin=Origin.MANUAL, permit_id=0, qty_lots=LOTS + 1)
    assert denial(other, desk=desk, now_ns=START + 499 * MS) is None
    assert denial(first, desk=desk, now_ns=START + 500 * MS) is None


def test_one_row_makes_one_order_for_ever() -> None:
    desk = Desk()
    assert denial(intent(feature_seq=5), desk=desk) is None
    later = START + 3_600 * SECOND
    for seq in (5, 4):
        again = intent(feature_seq=seq, price_ticks=BID - 7)
        assert denial(again, desk=desk, now_ns=later) == (R.DUPLICATE, 5, seq)
    assert denial(intent(feature_seq=6), desk=desk, now_ns=later) is None


@pytest.mark.parametrize(("price_ticks", "denied"), [(ASK, True), (ASK + 1, True), (ASK - 1, False)])
def test_order_that_would_meet_our_own_is_denied(price_ticks: int, denied: bool) -> None:
    desk = Desk()
    for seq, price in ((1, ASK + 5), (2, ASK)):
        assert denial(intent(side=Side.SELL, price_ticks=price, feature_seq=seq), desk=desk) is None
    expected = (R.SELF_MATCH, ASK, price_ticks) if denied else None
    assert denial(intent(feature_seq=3, price_ticks=price_ticks), desk=desk) == expected


def test_sale_into_our_own_bid_is_denied() -> None:
    desk = Desk()
    for seq, price in ((1, BID - 5), (2, BID)):
        assert denial(intent(price_ticks=price, feature_seq=seq), desk=desk) is None
    sale = intent(feature_seq=3, side=Side.SELL, price_ticks=BID)
    assert denial(sale, desk=desk) == (R.SELF_MATCH, BID, BID)


def test_largest_order_is_let_through_and_one_lot_more_is_not() -> None:
    lots = largest_order_lots(SPOT, LIMITS, ASK)
    assert denial(intent(qty_lots=lots, price_ticks=ASK - 1)) is None
    assert SPOT.notional_quote_e8(ASK, lots) <= LIMITS.max_notional_quote_e8
    assert SPOT.notional_quote_e8(ASK, lots + 1) > LIMITS.max_notional_quote_e8
    assert largest_order_lots(SPOT, limits(max_qty_lots=3), ASK) == 3
