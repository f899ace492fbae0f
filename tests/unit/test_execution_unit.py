"""Entries, withdrawals, exits and flatten, situation by situation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from pipeline.core.entries import collar_ticks
from pipeline.core.execution import (
    Action,
    CancelWorking,
    ExecutionPolicy,
    ExecutionView,
    PlaceEntry,
    PlaceExit,
    to_intent,
)
from pipeline.core.exits import least_order_lots
from pipeline.core.order import Order
from pipeline.core.params import EntryStyle, ExecutionParams, RiskLimits
from pipeline.core.types import Instrument, OrderState, OrderType, Origin, Side, TradingState
from tests.fakes.trading import (
    ASK,
    BID,
    LIMITS,
    LOTS,
    MS,
    PERP,
    SECOND,
    SPOT,
    START,
    exit_intent,
    intent,
    view,
    wanted,
)

HORIZON_NS = SECOND


def policy(
    instrument: Instrument = SPOT, limits: RiskLimits | None = LIMITS, **changes: Any
) -> ExecutionPolicy:
    params = msgspec.structs.replace(ExecutionParams(), **changes)
    return ExecutionPolicy(instrument, params, limits, HORIZON_NS)


def working(client_order_id: str = "c1", created_ns: int = START, **changes: Any) -> Order:
    """An acknowledged entry of ours."""
    return Order(1, client_order_id, intent(**changes), OrderState.ACCEPTED, created_ns)


def resting_exit(client_order_id: str = "x1", **changes: Any) -> Order:
    return Order(2, client_order_id, exit_intent(**changes), OrderState.ACCEPTED, START)


def long(lots: int = LOTS, opened_ns: int = START, **changes: Any) -> ExecutionView:
    return view(**({"position_lots": lots, "opened_ns": opened_ns} | changes))


def one(actions: list[Action]) -> Action:
    assert len(actions) == 1, actions
    return actions[0]


def reasons(actions: list[Action]) -> list[str]:
    return [action.reason for action in actions if isinstance(action, CancelWorking)]


# entries


def test_passive_entry_rests_at_the_touch() -> None:
    placed = one(policy().plan(view(wanted=wanted()), START))
    assert placed == PlaceEntry(wanted(), BID, OrderType.POST_ONLY)
    sale = wanted(side=Side.SELL, worst_ticks=ASK - 50)
    placed = one(policy().plan(view(wanted=sale, held_side=Side.SELL), START))
    assert placed == PlaceEntry(sale, ASK, OrderType.POST_ONLY)


def test_crossing_entry_takes_the_far_touch_at_once_or_not_at_all() -> None:
    taker = wanted(style=EntryStyle.CROSS)
    assert one(policy().plan(view(wanted=taker), START)) == PlaceEntry(taker, ASK, OrderType.LIMIT_IOC)
    seller = wanted(style=EntryStyle.CROSS, side=Side.SELL, worst_ticks=BID)
    placed = one(policy().plan(view(wanted=seller, held_side=Side.SELL), START))
    assert placed == PlaceEntry(seller, BID, OrderType.LIMIT_IOC)


@pytest.mark.parametrize(("spread", "placed"), [(6_000, True), (6_010, False)])
def test_crossing_entry_stays_inside_the_collar(spread: int, placed: bool) -> None:
    far = view(wanted=wanted(style=EntryStyle.CROSS, worst_ticks=2**60), ask_ticks=BID + spread)
    assert bool(policy(collar_e6=500).plan(far, START)) is placed


def test_entry_goes_no_further_than_its_worst_price() -> None:
    assert policy().plan(view(wanted=wanted(worst_ticks=BID)), START)
    assert policy().plan(view(wanted=wanted(worst_ticks=BID - 1)), START) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"trading_state": TradingState.REDUCING},
        {"trading_state": TradingState.HALTED},
        {"book_ok": False},
        {"bid_ticks": 0},
        {"bid_ticks": ASK},
        {"withdraw": True},
        {"held_side": None},
        {"held_side": Side.SELL},
        {"orders": (resting_exit(),)},
    ],
)
def test_no_entry_unless_everything_speaks_for_it(changes: dict[str, Any]) -> None:
    actions = policy().plan(view(wanted=wanted(), **changes), START)
    assert not [action for action in actions if isinstance(action, PlaceEntry)]


def test_one_row_places_once_and_the_next_waits_for_the_pause() -> None:
    worker = policy(retry_after_ns=500 * MS)
    assert worker.plan(view(wanted=wanted()), START)
    assert worker.plan(view(wanted=wanted()), START + SECOND) == []
    newer = view(wanted=wanted(feature_seq=2))
    assert worker.plan(newer, START + 499 * MS) == []
    assert worker.plan(newer, START + 500 * MS)


def test_order_in_doubt_counts_as_working() -> None:
    doubt = working()
    doubt.state = OrderState.UNKNOWN
    assert policy().plan(view(wanted=wanted(feature_seq=9), orders=(doubt,)), START) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"held_side": None}, "SCORE_LEFT"),
        ({"held_side": Side.SELL}, "SCORE_LEFT"),
        ({"book_ok": False}, "BOOK_NOT_OK"),
        ({"withdraw": True}, "PERMIT"),
        ({"trading_state": TradingState.REDUCING}, "NOT_ACTIVE"),
        ({"trading_state": TradingState.KILLED}, "NOT_ACTIVE"),
        ({"flatten": True}, "FLATTEN"),
    ],
)
def test_working_entry_is_withdrawn_when_its_reason_is_gone(
    changes: dict[str, Any], reason: str | None
) -> None:
    actions = policy().plan(view(orders=(working(),), **changes), START + 1)
    assert reasons(actions) == ([] if reason is None else [reason])


def test_entry_is_cancelled_at_its_horizon() -> None:
    worker, held = policy(), view(orders=(working(),))
    assert worker.plan(held, START + HORIZON_NS - 1) == []
    assert reasons(worker.plan(held, START + HORIZON_NS)) == ["HORIZON"]


def test_entry_off_the_touch_for_long_enough_is_cancelled() -> None:
    worker = policy(requote_ticks=2, requote_after_ns=500 * MS)
    moved = view(orders=(working(),), bid_ticks=BID + 2, ask_ticks=BID + 4)
    assert worker.plan(moved, START) == []
    assert worker.plan(moved, START + 499 * MS) == []
    assert reasons(worker.plan(moved, START + 500 * MS)) == ["OFF_TOUCH"]


def test_touch_that_comes_back_starts_the_wait_anew() -> None:
    worker = policy(requote_ticks=2, requote_after_ns=500 * MS)
    moved = view(orders=(working(),), bid_ticks=BID + 2, ask_ticks=BID + 4)
    back = view(orders=(working(),), bid_ticks=BID + 1, ask_ticks=BID + 4)
    worker.plan(moved, START)
    worker.plan(back, START + 400 * MS)
    assert worker.plan(moved, START + 600 * MS) == []


def test_touch_below_a_buy_is_not_away_from_it() -> None:
    worker = policy(requote_after_ns=0)
    fallen = view(orders=(working(),), bid_ticks=BID - 9, ask_ticks=ASK)
    assert worker.plan(fallen, START) + worker.plan(fallen, START + 1) == []


def test_watch_starts_anew_with_another_order() -> None:
    worker = policy(requote_ticks=2, requote_after_ns=500 * MS)
    moved = {"bid_ticks": BID + 2, "ask_ticks": BID + 4}
    worker.plan(view(orders=(working("c1"),), **moved), START)
    assert worker.plan(view(orders=(working("c2"),), **moved), START + 600 * MS) == []


def test_cancel_under_way_is_asked_again_only_after_a_second() -> None:
    order = working()
    worker, leave = policy(), view(orders=(order,), held_side=None)
    assert reasons(worker.plan(leave, START)) == ["SCORE_LEFT"]
    order.cancel_asked_ns = START
    assert worker.plan(leave, START + SECOND - 1) == []
    assert reasons(worker.plan(leave, START + SECOND)) == ["SCORE_LEFT"]


def test_ioc_order_under_way_is_left_to_end_by_itself() -> None:
    ioc = working(order_type=OrderType.LIMIT_IOC)
    assert policy().plan(view(orders=(ioc,), held_side=None), START) == []


def test_entry_intent_carries_its_reasons() -> None:
    order = to_intent(PlaceEntry(wanted(), BID, OrderType.POST_ONLY), "BTCUSDT", START)
    assert order == intent()


# exits


def test_position_is_left_alone_while_young_and_not_flipped() -> None:
    worker = policy(exit_after_ns=30 * SECOND)
    for held in (Side.BUY, None):
        assert worker.plan(long(held_side=held), START + 30 * SECOND - 1) == []
    assert not worker.leaving


@pytest.mark.parametrize(("now_ns", "held"), [(START + 30 * SECOND, Side.BUY), (START + 1, Side.SELL)])
def test_old_or_flipped_position_rests_at_the_touch(now_ns: int, held: Side) -> None:
    worker = policy()
    placed = one(worker.plan(long(held_side=held), now_ns))
    assert placed == PlaceExit(Side.SELL, LOTS, ASK, OrderType.POST_ONLY, Origin.EXIT)
    assert worker.leaving


def test_short_position_leaves_by_buying_at_the_bid() -> None:
    placed = one(policy().plan(long(-LOTS), START + 30 * SECOND))
    assert placed == PlaceExit(Side.BUY, LOTS, BID, OrderType.POST_ONLY, Origin.EXIT)


def test_leaving_position_leaves_to_the_end() -> None:
    worker = policy()
    worker.plan(long(held_side=Side.SELL), START)
    assert one(worker.plan(long(held_side=Side.BUY, lots=LOTS // 2), START + SECOND))


def test_exit_takes_after_its_rest_once_the_resting_one_is_gone() -> None:
    worker = policy(exit_rest_ns=5 * SECOND, collar_e6=500)
    worker.plan(long(held_side=Side.SELL), START)
    resting = long(held_side=Side.SELL, orders=(resting_exit(),))
    assert worker.plan(resting, START + 5 * SECOND - 1) == []
    assert reasons(worker.plan(resting, START + 5 * SECOND)) == ["TAKE"]
    taken = one(worker.plan(long(held_side=Side.SELL), START + 5 * SECOND + 12 * MS))
    lowest = -(-(BID + ASK) * 999_500 // 2_000_000)
    assert taken == PlaceExit(Side.SELL, LOTS, lowest, OrderType.LIMIT_IOC, Origin.EXIT)


def test_short_exit_takes_up_to_the_collar() -> None:
    worker = policy(exit_rest_ns=0, collar_e6=500)
    taken = one(worker.plan(long(-LOTS, held_side=Side.BUY), START))
    highest = (BID + ASK) * 1_000_500 // 2_000_000
    assert taken == PlaceExit(Side.BUY, LOTS, highest, OrderType.LIMIT_IOC, Origin.EXIT)


def test_exit_takes_nothing_outside_the_collar() -> None:
    worker = policy(exit_rest_ns=0, collar_e6=500)
    assert worker.plan(long(held_side=Side.SELL, ask_ticks=BID + 7_000), START) == []


def test_resting_exit_off_the_touch_is_moved() -> None:
    worker = policy(requote_ticks=2, requote_after_ns=500 * MS)
    worker.plan(long(held_side=Side.SELL), START)
    away = long(orders=(resting_exit(),), bid_ticks=BID - 9, ask_ticks=ASK - 2)
    assert worker.plan(away, START + SECOND) == []
    assert reasons(worker.plan(away, START + SECOND + 500 * MS)) == ["OFF_TOUCH"]
    placed = one(worker.plan(replace(away, orders=()), START + 2 * SECOND))
    assert isinstance(placed, PlaceExit)
    assert placed.price_ticks == ASK - 2


def test_failed_exit_is_tried_again_after_the_pause() -> None:
    worker = policy(exit_rest_ns=0, retry_after_ns=500 * MS)
    leaving = long(held_side=Side.SELL)
    assert worker.plan(leaving, START)
    assert worker.plan(leaving, START + 499 * MS) == []
    assert worker.plan(leaving, START + 500 * MS)


def test_entry_is_withdrawn_before_an_exit_is_placed() -> None:
    worker = policy()
    assert reasons(worker.plan(long(held_side=Side.SELL, orders=(working(),)), START)) == ["EXIT"]
    assert isinstance(one(worker.plan(long(held_side=Side.SELL), START + 12 * MS)), PlaceExit)


def test_no_entry_while_a_position_leaves() -> None:
    worker = policy(exit_after_ns=SECOND)
    assert isinstance(one(worker.plan(long(wanted=wanted()), START + SECOND)), PlaceExit)
    assert worker.plan(long(wanted=wanted()), START + SECOND + 1) == []


def test_exit_waits_for_a_book() -> None:
    assert policy().plan(long(held_side=Side.SELL, book_ok=False), START) == []


def test_exits_in_clips_the_limits_let_through() -> None:
    tight = msgspec.structs.replace(LIMITS, max_qty_lots=400)
    placed = one(policy(limits=tight).plan(long(held_side=Side.SELL), START))
    assert isinstance(placed, PlaceExit)
    assert placed.qty_lots == 400


def test_last_clip_leaves_nothing_too_small_to_sell() -> None:
    tight = msgspec.structs.replace(LIMITS, max_qty_lots=LOTS - 4)
    placed = one(policy(limits=tight).plan(long(held_side=Side.SELL), START))
    assert isinstance(placed, PlaceExit)
    assert placed.qty_lots == LOTS - 9


def test_symbol_without_limits_still_plans_the_whole_exit() -> None:
    worker = policy(limits=None, exit_rest_ns=0)
    placed = one(worker.plan(long(held_side=Side.SELL), START))
    assert isinstance(placed, PlaceExit)
    assert placed.qty_lots == LOTS
    flattened = one(policy(limits=None).plan(long(flatten=True), START))
    assert isinstance(flattened, PlaceExit)


def test_dust_is_named_and_left() -> None:
    worker = policy()
    assert worker.plan(long(8, held_side=Side.SELL), START) == []
    assert worker.dust
    assert worker.plan(view(), START + 1) == []
    assert not worker.dust


@pytest.mark.parametrize("side", list(Side))
def test_dust_holds_up_no_entry_of_either_side(side: Side) -> None:
    worker = policy()
    wants = wanted(side=side, worst_ticks=BID if side is Side.BUY else ASK)
    old = long(8, held_side=side, wanted=wants)
    assert isinstance(one(worker.plan(old, START + 60 * SECOND)), PlaceEntry)
    assert not worker.leaving


def test_position_grown_from_dust_is_as_old_as_its_growth() -> None:
    worker = policy(exit_after_ns=30 * SECOND)
    worker.plan(long(8), START + 60 * SECOND)
    assert worker.plan(long(LOTS), START + 60 * SECOND + 1) == []
    assert worker.plan(long(LOTS), START + 90 * SECOND - 1) == []
    assert isinstance(one(worker.plan(long(LOTS), START + 90 * SECOND)), PlaceExit)


def test_exit_still_resting_for_the_last_lots_is_left_to_work() -> None:
    worker = policy(exit_rest_ns=5 * SECOND)
    worker.plan(long(held_side=Side.SELL), START)
    last = resting_exit(qty_lots=LOTS)
    last.filled_lots = LOTS - 3
    remaining = long(3, held_side=Side.SELL, orders=(last,))
    assert worker.plan(remaining, START + 5 * SECOND - 1) == []
    assert not worker.dust
    assert reasons(worker.plan(remaining, START + 5 * SECOND)) == ["TAKE"]
    assert worker.plan(replace(remaining, orders=()), START + 6 * SECOND) == []
    assert worker.dust


def test_nothing_is_dust_where_reduce_only_exists() -> None:
    worker = policy(instrument=PERP)
    perp = long(1, held_side=Side.SELL, bid_ticks=600_000, ask_ticks=600_001)
    assert isinstance(one(worker.plan(perp, START)), PlaceExit)
    assert not worker.dust


def test_nothing_is_dust_without_a_book_to_value_it() -> None:
    worker = policy()
    worker.plan(long(8, book_ok=False), START)
    assert not worker.dust


def test_least_order_is_the_first_that_is_worth_enough() -> None:
    lots = least_order_lots(SPOT, BID)
    assert SPOT.notional_quote_e8(BID, lots) >= SPOT.min_notional_quote_e8
    assert SPOT.notional_quote_e8(BID, lots - 1) < SPOT.min_notional_quote_e8


def test_exit_that_could_go_beyond_flat_is_cancelled_once() -> None:
    too_large = resting_exit(qty_lots=LOTS)
    assert reasons(policy().plan(long(LOTS - 1, orders=(too_large,)), START)) == ["SURPLUS"]
    assert reasons(policy().plan(view(orders=(too_large,)), START)) == ["SURPLUS"]
    worker = policy(exit_rest_ns=0)
    leaving = long(LOTS - 1, held_side=Side.SELL, orders=(too_large,))
    assert reasons(worker.plan(leaving, START)) == ["SURPLUS"]


def test_a_persons_resting_order_is_left_alone_by_the_exit_rule() -> None:
    manual = Order(3, "m1", exit_intent(origin=Origin.MANUAL, qty_lots=400), OrderState.ACCEPTED, START)
    placed = one(policy().plan(long(held_side=Side.SELL, orders=(manual,)), START))
    assert isinstance(placed, PlaceExit)
    assert placed.qty_lots == LOTS - 400


def test_exit_intent_is_reduce_only_and_needs_no_permit() -> None:
    action = PlaceExit(Side.SELL, LOTS, ASK, OrderType.POST_ONLY, Origin.EXIT)
    order = to_intent(action, "BTCUSDT", START)
    assert (order.reduce_only, order.permit_id, order.origin) == (True, 0, Origin.EXIT)
    assert (order.side, order.qty_lots, order.price_ticks, order.ts_ns) == (Side.SELL, LOTS, ASK, START)


# stops, flatten


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.KILLED])
def test_exits_stop_and_the_position_is_unmanaged_until_somebody_takes_it(state: TradingState) -> None:
    worker = policy(exit_after_ns=SECOND)
    assert worker.plan(long(trading_state=state), START + 5 * SECOND) == []
    assert worker.unmanaged
    assert worker.plan(long(), START + 6 * SECOND) == []
    worker.adopt()
    assert isinstance(one(worker.plan(long(), START + 7 * SECOND)), PlaceExit)
    assert not worker.unmanaged


def test_unmanaged_position_is_not_traded_against() -> None:
    worker = policy()
    worker.plan(long(-LOTS, trading_state=TradingState.HALTED), START)
    assert worker.plan(long(-LOTS, held_side=Side.BUY, wanted=wanted()), START + SECOND) == []
    added = long(-LOTS, held_side=Side.SELL, wanted=wanted(side=Side.SELL, worst_ticks=ASK))
    assert isinstance(one(worker.plan(added, START + SECOND)), PlaceEntry)


def test_halt_while_flat_leaves_nothing_unmanaged() -> None:
    worker = policy()
    worker.plan(view(trading_state=TradingState.HALTED), START)
    assert not worker.unmanaged


def test_unmanaged_ends_with_the_position() -> None:
    worker = policy()
    worker.plan(long(trading_state=TradingState.HALTED), START)
    worker.plan(view(), START + 1)
    assert not worker.unmanaged


def test_exit_resting_at_a_halt_stays() -> None:
    worker = policy()
    worker.plan(long(held_side=Side.SELL), START)
    halted = long(trading_state=TradingState.HALTED, orders=(resting_exit(),), bid_ticks=BID - 50)
    assert worker.plan(halted, START + 60 * SECOND) == []


def test_policy_is_settled_once_it_has_seen_the_position_flat() -> None:
    worker = policy()
    assert worker.settled
    worker.plan(long(), START)
    assert not worker.settled
    worker.plan(view(), START)
    assert worker.settled


def test_new_position_starts_its_own_age_even_unseen_flat() -> None:
    worker = policy()
    worker.plan(long(held_side=Side.SELL), START)
    assert worker.leaving
    assert worker.plan(long(opened_ns=START + SECOND), START + 2 * SECOND) == []
    assert not worker.leaving


@pytest.mark.parametrize("state", list(TradingState))
def test_flatten_takes_at_once_in_every_state(state: TradingState) -> None:
    placed = one(policy().plan(long(flatten=True, trading_state=state), START))
    lowest = -(-(BID + ASK) * 999_500 // 2_000_000)
    assert placed == PlaceExit(Side.SELL, LOTS, lowest, OrderType.LIMIT_IOC, Origin.FLATTEN)


def test_flatten_widens_with_each_try_up_to_the_risk_collar() -> None:
    worker = policy(collar_e6=500, retry_after_ns=500 * MS)
    bounds = []
    for attempt in range(14):
        placed = one(worker.plan(long(flatten=True), START + attempt * 500 * MS))
        assert isinstance(placed, PlaceExit)
        bounds.append(placed.price_ticks)
    collars = [min(500 * (1 + attempt), LIMITS.collar_mid_e6) for attempt in range(14)]
    assert bounds == [-(-(BID + ASK) * (1_000_000 - collar) // 2_000_000) for collar in collars]


def test_flatten_never_widens_to_where_the_position_is_no_order() -> None:
    lots = least_order_lots(SPOT, collar_ticks(view(), Side.SELL, 500))
    limits = msgspec.structs.replace(LIMITS, collar_mid_e6=500_000)
    worker = policy(limits=limits, collar_e6=500, retry_after_ns=500 * MS)

    placed = [
        one(worker.plan(long(lots, flatten=True), START + attempt * 500 * MS)) for attempt in range(900)
    ]

    assert all(isinstance(order, PlaceExit) and order.qty_lots == lots for order in placed)


def test_flatten_that_finds_nothing_inside_widens_at_its_own_pace() -> None:
    worker = policy(collar_e6=500, retry_after_ns=500 * MS)
    far = long(flatten=True, ask_ticks=BID + 7_000)
    assert worker.plan(far, START) == []
    assert worker.plan(far, START + 499 * MS) == []
    assert isinstance(one(worker.plan(far, START + 500 * MS)), PlaceExit)


def test_flatten_cancels_everything_of_ours_first() -> None:
    manual = Order(3, "m1", intent(origin=Origin.MANUAL), OrderState.ACCEPTED, START)
    everything = long(flatten=True, orders=(working(), resting_exit(), manual))
    assert reasons(policy().plan(everything, START)) == ["FLATTEN"] * 3
    assert reasons(policy().plan(replace(everything, position_lots=0), START)) == ["FLATTEN"] * 3


def test_flatten_does_not_wait_for_an_order_in_doubt() -> None:
    doubt = resting_exit(qty_lots=400)
    doubt.state, doubt.cancel_asked_ns = OrderState.UNKNOWN, START
    placed = one(policy().plan(long(flatten=True, orders=(doubt,)), START))
    assert isinstance(placed, PlaceExit)
    assert placed.qty_lots == LOTS - 400


def test_flatten_sells_nothing_when_an_order_in_doubt_may_have_sold_it_all() -> None:
    doubt = resting_exit(qty_lots=LOTS - 3)
    doubt.state, doubt.cancel_asked_ns = OrderState.UNKNOWN, START
    assert policy().plan(long(flatten=True, orders=(doubt,)), START) == []
